"""Tests of the package, and the servers and fakes that they share."""
