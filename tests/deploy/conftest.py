"""Tests whose programs are not installed are left out; `test_installed.py` says so, once."""

from pathlib import Path

import pytest

from tests.deploy.programs import PROGRAMS, missing, needed

FOLDER = Path(__file__).parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*programs): programs that pip does not bring")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    absent = {program for program in PROGRAMS if missing(program)}
    without = [item for item in items if FOLDER in item.path.parents and absent & needed(item)]
    if without:
        config.hook.pytest_deselected(items=without)
        items[:] = [item for item in items if item not in without]
