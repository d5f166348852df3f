"""Stores of responses, conversations and event logs."""
