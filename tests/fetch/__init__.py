"""Tests of `adapter.fetch`."""
