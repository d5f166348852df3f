"""Tests of `adapter.runners`."""
