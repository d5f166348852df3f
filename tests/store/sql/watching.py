"""What tests see of a database from outside: its commits, and its tables over a connection."""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy
from sqlalchemy import Connection, Engine, event


class Commits:
    """Counts the transactions that were committed."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, _: Connection) -> None:
        self.count += 1


@contextmanager
def commits() -> Iterator[Commits]:
    """Count the commits of all databases."""
    counted = Commits()
    event.listen(Engine, "commit", counted.add)
    try:
        yield counted
    finally:
        event.remove(Engine, "commit", counted.add)


@contextmanager
def connected(store_url: str) -> Iterator[Connection]:
    """Connect to the database of a store, past the store; what is done is committed."""
    if store_url.startswith("sqlite:"):
        # As the store does it: the driver's own idea of transactions leaves out tables.
        engine = sqlalchemy.create_engine(store_url, connect_args={"isolation_level": None})
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    else:
        engine = sqlalchemy.create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()
