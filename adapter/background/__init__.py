"""Runs that outlive their requests: kept in a log that can be followed, from any process."""
