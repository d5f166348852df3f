"""Fixtures: as those of stored responses."""

from tests.state.conftest import (
    anyio_backend,
    client,
    peer,
    serve,
    shared_stand,
    stand,
    store,
    upstream,
)

__all__ = [
    "anyio_backend",
    "client",
    "peer",
    "serve",
    "shared_stand",
    "stand",
    "store",
    "upstream",
]
