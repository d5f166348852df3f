"""The programs that these tests need and pip does not bring."""

import shutil

import pytest

PROGRAMS = ("nginx", "redis-server", "systemd-analyze")
MISSING = (
    "There is no {}, so the tests that need it were left out. On Debian and Ubuntu: "
    "apt install nginx-light redis-server systemd"
)


def missing(program: str) -> bool:
    return shutil.which(program) is None


def needed(item: pytest.Item) -> set[str]:
    """Return what a test needs, as its mark says."""
    return {program for mark in item.iter_markers("needs") for program in mark.args}
