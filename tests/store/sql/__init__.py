"""Tests of what the SQL stores do beyond the contract."""
