"""The command `responses-adapter`."""

from adapter.cli.main import main

__all__ = ["main"]
