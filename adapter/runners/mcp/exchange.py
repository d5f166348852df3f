"""What one request to an MCP server met on its way, for who waits for it.

The SDK hides statuses and connections behind errors of its own. It carries the context of a caller
along to its sockets, though, so what happens there can be written down for that caller.
"""

import asyncio
import logging
from contextvars import ContextVar, Token
from typing import Final

from adapter.runners.mcp.failures import Failure

# Whose lines quote URLs (with keys in their queries or paths), session ids, arguments and results.
# A filter of a logger does not see what its children log, so each is named.
_TALKATIVE: Final = (
    "client",  # of `mcp.client.session`
    "httpcore2.connection",
    "httpcore2.http11",
    "httpx2",
    "mcp.client.sse",
    "mcp.client.stdio",
    "mcp.client.streamable_http",
    "mcp.shared.jsonrpc_dispatcher",
)


class Exchange:
    """One list, one call, or the opening of a session.

    Attributes:
        failure: the last thing that went wrong, if any did.
        doomed: done once there is no use in waiting for the answer.
        left: who waited has left, and the server is told; set once it is.
    """

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self.doomed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.left: asyncio.Event | None = None

    def leave(self) -> None:
        self.left = asyncio.Event()

    def doom(self, failure: Failure) -> None:
        self.failure = failure
        if not self.doomed.done():
            self.doomed.set_result(None)


_CURRENT: ContextVar[Exchange | None] = ContextVar("adapter_mcp_exchange", default=None)


def enter(exchange: Exchange) -> Token[Exchange | None]:
    """Make this the exchange of the running task, and of the tasks that it starts."""
    return _CURRENT.set(exchange)


def current() -> Exchange | None:
    """Return the exchange that this is done for."""
    return _CURRENT.get()


class _Hush(logging.Filter):
    """Drops what libraries log on our behalf, and nothing else."""

    def filter(self, record: logging.LogRecord) -> bool:
        return _CURRENT.get() is None


_hush: Final = _Hush()


def hush_libraries() -> None:
    """Keep the libraries below us from logging secrets; what others do with them is logged on."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_hush)
