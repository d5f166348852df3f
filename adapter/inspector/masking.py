"""What must not be shown: keys in headers and in requests, and wherever they are quoted. Pure.

Headers are shown by name; of values, only those that are known to hold no secret. In a request,
whatever is named like a secret is one.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, Final

import msgspec

MASK: Final = "***"
MIN_SECRET_BYTES: Final = (
    8  # shorter ones are placeholders, such as "none", and words of other texts
)

# Headers whose values are shown.
SHOWN: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "host",
        "openai-beta",
        "openai-processing-ms",
        "openai-version",
        "openresponses-version",
        "originator",
        "retry-after",
        "server",
        "server-timing",
        "traceparent",
        "user-agent",
        "x-adapter-adapted",
        "x-adapter-dropped",
        "x-request-id",
    }
)
# Names of headers and of fields that hold secrets: no others are looked for in what is recorded.
_SECRET = re.compile(
    r"authorization|cookie|passw|secret|credential|bearer|api[-_]?key|[-_]token$|[-_]key$",
    re.IGNORECASE,
)
# Named so, but part of the API: to mask them would make another request of it.
_NO_SECRETS = frozenset({"prompt_cache_key"})
# In a URL: who asks, and what is named like a secret.
_URL_SECRETS = re.compile(
    r"(?<=://)(?P<user>[^/@\s]+)(?=@)|[?&][^=&#]*(?:token|key|secret|password|sig)[^=&#]*=(?P<value>[^&#]+)",
    re.IGNORECASE,
)
# In what is no JSON, and is refused for that: a member with such a name, and `headers`.
_BROKEN = re.compile(
    rb'("[^"]*(?:authorization|cookie|password|secret|token|key)[^"]*"\s*:\s*")((?:[^"\\]|\\.)*)'
    rb'|("headers"\s*:\s*\{)([^}]*)',
    re.IGNORECASE,
)
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def is_secret(name: str) -> bool:
    """Tell whether a header or a field of this name holds a secret."""
    return name not in _NO_SECRETS and _SECRET.search(name) is not None


def mask_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return headers as they may be shown."""
    return [
        (name, value if name.lower() in SHOWN and not is_secret(name) else MASK)
        for name, value in headers
    ]


def header_secrets(headers: Iterable[tuple[str, str]]) -> set[bytes]:
    """Return the secrets in headers: their values, without the scheme before them."""
    return {
        part.encode("latin-1", "replace")
        for name, value in headers
        if is_secret(name)
        for part in (value.strip().partition(" ")[2] or value.strip(),)
        if len(part) >= MIN_SECRET_BYTES
    }


def mask_request(body: bytes) -> tuple[bytes, set[bytes]]:
    """Return the body of a request as it may be shown, and the secrets that were in it.

    One without secrets comes back as it is, byte for byte.
    """
    try:
        content = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _BROKEN.sub(rb'\1\3"***"', body).replace(b'""***"', b'"***'), set()
    found: set[str] = set()
    masked = _masked(content, found)
    secrets = {secret.encode() for secret in found}
    return (
        (_encode(masked), {secret for secret in secrets if len(secret) >= MIN_SECRET_BYTES})
        if found
        else (body, set())
    )


def _masked(value: Any, found: set[str]) -> Any:
    if isinstance(value, list):
        return [_masked(entry, found) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _masked_member(name, member, found) for name, member in value.items()}


def _masked_member(name: str, value: Any, found: set[str]) -> Any:
    if isinstance(value, str):
        if is_secret(name):
            found.add(value.strip().removeprefix("Bearer "))
            return MASK
        return _masked_url(value, found) if name.endswith("url") else value
    if name == "headers" and isinstance(value, dict):
        found.update(_texts(value))
        return dict.fromkeys(value, MASK)
    return _masked(value, found)


def _texts(headers: dict[str, Any]) -> Iterator[str]:
    for value in headers.values():
        if isinstance(value, str):
            yield value.strip().removeprefix("Bearer ")


def _masked_url(url: str, found: set[str]) -> str:
    if url.startswith("data:"):
        return url

    def masked(match: re.Match[str]) -> str:
        secret = match["user"] or match["value"]
        found.add(secret)
        return match[0].removesuffix(secret) + MASK

    return _URL_SECRETS.sub(masked, url)


def mask_pieces(pieces: list[bytes], secrets: Iterable[bytes]) -> list[bytes]:
    """Return the pieces of a body with stars in place of secrets, also of those that a border cuts.

    Every piece keeps its length.
    """
    whole = b"".join(pieces)
    masked = whole
    for secret in secrets:
        masked = masked.replace(secret, b"*" * len(secret))
    if masked == whole:
        return pieces
    ends = [0]
    for piece in pieces:
        ends.append(ends[-1] + len(piece))
    return [masked[start:end] for start, end in pairwise(ends)]
