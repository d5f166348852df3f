"""The tables, as the newest step of `schema.py` leaves them.

Rows are kept small. A thing has a short key for others to name it by, is found by a hash, and what
no query asks for is in its compressed body. PostgreSQL and SQLite hold the same.
"""

from collections.abc import Callable, Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Double,
    LargeBinary,
    MetaData,
    Table,
    UpdateBase,
)
from sqlalchemy.dialects import postgresql, sqlite

metadata = MetaData()

# A running store has one row.
schema = Table("adapter_schema", metadata, Column("version", BigInteger))

# digest: of owner and id; previous: of owner and the id of the response that it continues.
responses = Table(
    "adapter_responses",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("digest", LargeBinary),
    Column("previous", LargeBinary),
    Column("expires_at", Double),
    Column("has_log", Boolean),
    Column("body", LargeBinary),
)

# In which responses an item is. A response that is gone leaves no rows, one that was replaced may.
items = Table(
    "adapter_items",
    metadata,
    Column("item", BigInteger, primary_key=True),
    Column("response", BigInteger, primary_key=True),
)

# Runs that are not over; a run is over when its row is gone. last: the number of its last event.
runs = Table(
    "adapter_runs",
    metadata,
    Column("run", LargeBinary, primary_key=True),
    Column("response", BigInteger),
    Column("holder", LargeBinary),
    Column("lease_until", Double),
    Column("last", BigInteger),
)

# Events in the pieces that they came in. first: the number of the first event of the piece.
events = Table(
    "adapter_events",
    metadata,
    Column("response", BigInteger, primary_key=True),
    Column("first", BigInteger, primary_key=True),
    Column("body", LargeBinary),
)

conversations = Table(
    "adapter_conversations",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("digest", LargeBinary),
    Column("lifetime", Double),
    Column("expires_at", Double),
    Column("holder", LargeBinary),
    Column("locked_until", Double),
    Column("body", LargeBinary),
)

# In the order of their arrival, which is that of the keys.
conversation_items = Table(
    "adapter_conversation_items",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("conversation", BigInteger),
    Column("item", BigInteger),
    Column("body", LargeBinary),
)


def is_postgres(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


Insert = sqlite.Insert | postgresql.Insert


def inserts(table: Table, complete: Callable[[Insert], UpdateBase]) -> Mapping[str, UpdateBase]:
    """Return an INSERT for each dialect, which can say what to do about a row that is there.

    Args:
        table: to insert into.
        complete: to the whole statement. Built once, it costs nothing when it is used.
    """
    return {
        "sqlite": complete(sqlite.insert(table)),
        "postgresql": complete(postgresql.insert(table)),
    }


def fit(connection: Connection, statements: Mapping[str, UpdateBase]) -> UpdateBase:
    """Return the statement in the connection's dialect."""
    return statements[connection.dialect.name]
