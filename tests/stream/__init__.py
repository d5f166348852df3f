"""Tests of `adapter.stream`."""
