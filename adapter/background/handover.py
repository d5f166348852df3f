"""What another process needs to run a request, if that is possible without a secret of the client's.

Keys and other headers are the client's secrets and are never stored; nor is a request that names an
MCP server, whose address may hold one too. Such a run ends with its process.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import msgspec
from msgspec import Raw

# Headers that are no secret, and that a run depends on.
PLAIN_HEADERS = frozenset({"openai-organization", "openai-project", "openresponses-version"})
# Those that it does not depend on: of one request, and of its trace.
_PASSING_HEADERS = frozenset({"traceparent", "tracestate"})
_SECRETS = frozenset({"authorization", "headers", "server_url"})  # of an MCP server

_encode = msgspec.json.Encoder().encode


class Handover(msgspec.Struct, frozen=True):
    """A request for another process.

    Attributes:
        body: as the client sent it.
        headers: of the request.
        upstream: a hash of the address that it goes to: processes with different upstreams may
            share a store.
        begun: how many processes began to run it.
    """

    body: Raw
    headers: dict[str, str] = {}
    upstream: str = ""
    begun: int = 1

    def encode(self) -> bytes:
        return _encode(self)


_any = msgspec.json.Decoder(Any)
_handover = msgspec.json.Decoder(Handover)


def to_handover(
    body: bytes, headers: Mapping[str, str], sent: Collection[str], address: str
) -> Handover | None:
    """Return a request as another process can run it, or None if none can.

    Args:
        body: of the request.
        headers: of the request.
        sent: names of those headers of the client's that the upstream would get.
        address: of the upstream.
    """
    if set(sent) - PLAIN_HEADERS - _PASSING_HEADERS:
        return None
    try:
        if _has_secret(_any.decode(body)):
            return None
    except RecursionError:  # nobody has looked this deep yet
        return None
    kept = {name: headers[name] for name in PLAIN_HEADERS if name in headers}
    return Handover(Raw(body), kept, upstream_hash(address))


def upstream_hash(address: str) -> str:
    """Return what tells upstreams apart; their addresses may hold passwords."""
    return hashlib.sha256(address.encode()).hexdigest()


def read_handover(request: bytes) -> Handover:
    """Return what was stored of a request."""
    return _handover.decode(request)


def _has_secret(value: Any) -> bool:
    """Tell whether something is named as secrets are, wherever it is: too much rather than too little."""
    match value:
        case dict():
            return not _SECRETS.isdisjoint(value) or any(map(_has_secret, value.values()))
        case list():
            return any(map(_has_secret, value))
        case _:
            return False
