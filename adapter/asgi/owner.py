"""Whom stored things belong to: what the client shows to be let in, or what a gateway says of it.

With own API keys it is the owner of the key; what a gateway says divides what that owner has.

Only a hash of it is kept.
"""

import hashlib
from collections.abc import Mapping

from adapter.asgi.access.credentials import KEY_OWNER, shown_key
from adapter.errors import InvalidRequestError


def owner_of(headers: Mapping[str, str], owner_header: str | None) -> str:
    """Return the owner of what a request stores.

    Args:
        headers: of the request, by lower-case name.
        owner_header: the header that names the owner; None is the client's authorization, or the
            key that it shows otherwise, and all clients without one are the same owner.

    Raises:
        InvalidRequestError: the header that names the owner is not there.
    """
    key_owner = headers.get(KEY_OWNER)
    if owner_header is None and key_owner is not None:
        return _hash("api key", key_owner)
    if owner_header is None:
        scheme, _, credential = headers.get("authorization", "").strip().partition(" ")
        shown = credential.strip() or scheme or shown_key(headers)
        return _hash("authorization", shown)
    name = owner_header.lower()
    if not (value := headers.get(name, "").strip()):
        raise InvalidRequestError(
            f"Missing header '{name}': it says whom stored responses belong to. Send it, or ask "
            "with `store: false`.",
            status=401,
            code="missing_owner",
        )
    return _hash(name, value if key_owner is None else f"{key_owner}\0{value}")


def _hash(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind}:{value}".encode()).hexdigest()
