"""Fixtures: a URL of each SQL database, empty."""

from pathlib import Path

import pytest

from tests.servers.postgres import PostgresServer

DATABASES = ["sqlite", "postgres"]


@pytest.fixture(params=DATABASES)
def backend(request: pytest.FixtureRequest) -> str:
    """Return the name of the database under test."""
    return str(request.param)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/store.db"


@pytest.fixture
def postgres_url(shared_postgres: PostgresServer) -> str:
    return shared_postgres.new_database()
