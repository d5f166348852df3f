"""The stand of the ASGI tests, for this package."""

from tests.asgi.conftest import anyio_backend, client, shared_stand, stand, start, upstream

__all__ = ["anyio_backend", "client", "shared_stand", "stand", "start", "upstream"]
