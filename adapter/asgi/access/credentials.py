"""Where clients put keys, and how a request goes on without them. Pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

# OpenAI's clients send the first, Azure's the second, Anthropic's the third.
CREDENTIALS: Final = ("authorization", "api-key", "x-api-key")
_NAMES: Final = frozenset(name.encode() for name in CREDENTIALS)

# What is known of a client stands among its headers, under names that no header can have (RFC 9110
# §5.6.2 has no colon in them, and `read_headers` leaves out what a server lets through all the same).
KEY_NAME: Final = ":key"
KEY_OWNER: Final = ":key-owner"


def shown_key(headers: Mapping[str, str]) -> str:
    """Return the key that a request shows, or nothing; of several the first counts, and only it."""
    scheme, _, credential = headers.get("authorization", "").strip().partition(" ")
    if scheme.lower() == "bearer" and credential.strip():
        return credential.strip()
    return next((headers[name].strip() for name in CREDENTIALS[1:] if name in headers), "")


def without_credentials(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Return the scope of a request without the headers that keys stand in."""
    pairs: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return {**scope, "headers": [pair for pair in pairs if pair[0].lower() not in _NAMES]}
