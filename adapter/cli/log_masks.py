"""Keeps keys out of the server's own log.

At the level debug, the WebSocket library behind uvicorn writes every header of a handshake.
"""

import logging
from typing import Final

SERVER_LOG: Final = "uvicorn.error"
_SECRET: Final = frozenset(
    {"api-key", "authorization", "cookie", "proxy-authorization", "set-cookie", "x-api-key"}
)


class HeaderMask(logging.Filter):
    """Masks the values of headers that may hold a key, in lines with a name and a value."""

    def filter(self, record: logging.LogRecord) -> bool:
        args = record.args
        if isinstance(args, tuple) and len(args) == 2 and str(args[0]).lower() in _SECRET:
            record.args = args[0], "***"
        return True


def mask_headers() -> None:
    """Mask the headers in the server's log; safe to call again."""
    server_log = logging.getLogger(SERVER_LOG)
    if not any(isinstance(each, HeaderMask) for each in server_log.filters):
        server_log.addFilter(HeaderMask())
