"""Reading headers and sending whole answers over raw ASGI."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from starlette.types import Scope, Send

from adapter.errors import AdapterError

_encode = msgspec.json.Encoder().encode
Headers = Iterable[tuple[bytes, bytes]]


class ClientDisconnectedError(Exception):
    """The client has gone: there is nobody to answer."""


def read_headers(scope: Scope) -> dict[str, str]:
    """Return the request headers by lower-case name; of a repeated one, the first.

    A name that begins with a colon is none (RFC 9110 §5.6.2): what stands there is our own.
    """
    return {
        name.decode("latin-1").lower(): value.decode("latin-1")
        for name, value in reversed(scope["headers"])  # so that the first stays
        if not name.startswith(b":")
    }


async def send_json(send: Send, status: int, content: Any, headers: Headers = ()) -> None:
    """Send a whole answer."""
    await send_bytes(send, status, _encode(content), "application/json", headers)


async def send_bytes(
    send: Send, status: int, body: bytes, content_type: str, headers: Headers = ()
) -> None:
    """Send a whole answer that is encoded."""
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", content_type.encode()),
                (b"content-length", str(len(body)).encode()),
                *headers,
            ],
        }
    )
    await send({"type": "http.response.body", "body": body})


async def send_error(send: Send, error: AdapterError, headers: Headers = ()) -> None:
    """Send an error as the OpenAI API words them."""
    await send_json(send, error.status, error.body(), [*encode_headers(error.headers), *headers])


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI wants them; what an upstream wrote in other bytes becomes `?`."""
    return [
        (name.encode("latin-1"), value.encode("latin-1", "replace"))
        for name, value in headers.items()
    ]
