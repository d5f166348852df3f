"""Tests of `adapter.translate`."""
