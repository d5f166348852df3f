"""Which WebSockets are asked for by web pages of other sites, without their users knowing.

A browser lets any page open a WebSocket to any address, also to loopback; what it does not let a
page do is set `authorization`. Over HTTP, its rules for other origins keep such pages out.

Source: RFC 6455 §10.2.
"""

from collections.abc import Mapping
from urllib.parse import urlsplit

_DEFAULT_PORTS = (":80", ":443")


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Tell whether the page of another site asks, on nobody's authority.

    Args:
        headers: of the handshake, by lower-case name.
    """
    origin = headers.get("origin")
    if origin is None or headers.get("authorization", "").lower().startswith("bearer "):
        return False
    return _host(origin) != _without_port(headers.get("host", "").lower())


def _host(origin: str) -> str:
    try:
        return _without_port(urlsplit(origin.lower()).netloc)
    except ValueError:
        return ""


def _without_port(host: str) -> str:
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    return host
