"""What a request becomes when it is passed on, and an answer when it is passed back. Pure.

Follows RFC 9110 §7.6 (what a proxy may forward) and RFC 9112 §6 (framing is each hop's own).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

from yarl import URL

from adapter.errors import InvalidRequestError

Pairs = Iterable[tuple[bytes, bytes]]

# Where the clients' API begins. The base URL of the upstream is that same place on its side.
API_PREFIX: Final = "/v1"

# RFC 9110 §7.6.1, with the two authentications of §11.7 and what §7.6.1 lists as known to be
# hop-by-hop though unlisted. `content-length` is framing too: `upload_length` decides about it.
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"content-length",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)

# Not for the model server unless the operator says so. Cookies belong to the site that the adapter
# is a part of; the others say who the client is and how it came here, which a hosted upstream has
# no business to know, and a local one might trust.
_WITHHELD_REQUEST: Final = frozenset({b"cookie", b"forwarded", b"host", b"x-real-ip"})
_WITHHELD_PREFIX: Final = b"x-forwarded-"

# `expect` is met here: the server in front of us says 100 when we read the body.
_MET_HERE: Final = frozenset({b"expect"})

# What speaks of the upstream's own origin or hop. nginx replaces date and server too, and ASGI
# servers add theirs, which would then be there twice.
_WITHHELD_ANSWER: Final = frozenset(
    {b"alt-svc", b"date", b"server", b"set-cookie", b"strict-transport-security"}
)

# Bytes of a request target that go on as they are: what is printable, but "#", which begins a
# fragment. Others (raw UTF-8, mostly) are percent-encoded, as RFC 3986 has them.
_PLAIN: Final = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#")


def request_headers(
    headers: Pairs, forwarded: Collection[bytes], replaced: Mapping[str, str]
) -> list[tuple[str, str]]:
    """Return the headers to send upstream, without framing.

    Args:
        headers: of the client, in lower case.
        forwarded: names to pass on though they are withheld by default.
        replaced: headers of ours, in place of the client's of the same name.
    """
    ours = {name.encode("latin-1") for name in replaced}
    withheld = (_WITHHELD_REQUEST - frozenset(forwarded)) | _MET_HERE | ours
    passed = [
        (name.decode("latin-1"), _text(value))
        for name, value in _end_to_end(headers)
        if name not in withheld and (not name.startswith(_WITHHELD_PREFIX) or name in forwarded)
    ]
    return [*passed, *replaced.items()]


def answer_headers(
    headers: Pairs, forwarded: Collection[bytes], *, has_length: bool
) -> list[tuple[bytes, bytes]]:
    """Return the headers to send to the client, in lower case.

    Args:
        headers: of the upstream.
        forwarded: names to pass on though they are withheld by default.
        has_length: whether `content-length` holds for what will be sent.
    """
    pairs = [(name.lower(), value) for name, value in headers]
    withheld = _WITHHELD_ANSWER - frozenset(forwarded)
    passed = [(name, value) for name, value in _end_to_end(pairs) if name not in withheld]
    framed = any(name == b"transfer-encoding" for name, _ in pairs)
    lengths = [pair for pair in pairs if pair[0] == b"content-length"]
    return [*passed, *lengths[:1]] if has_length and not framed else passed


def upload_length(headers: Pairs) -> str | None:
    """Return the length of a body that is still being read, or None to send it in chunks.

    Never both framings: with `transfer-encoding` there, or two lengths, the length is not believed
    (RFC 9112 §6.3).
    """
    pairs = list(headers)
    lengths = [value for name, value in pairs if name == b"content-length"]
    framed = any(name == b"transfer-encoding" for name, _ in pairs)
    if framed or len(lengths) != 1 or not lengths[0].isdigit():
        return None
    return lengths[0].decode("ascii")


def target_url(base: URL, scope: Mapping[str, Any]) -> URL:
    """Return where a request goes; the path keeps every byte and percent-encoding it came with.

    `/v1/x` goes to `x` under the base URL, and any other path to the root of the server: the base
    URL without its `/v1`, if it ends so. A base URL that ends otherwise has no other root.

        base http://h:8000/v1           /v1/models -> /v1/models           /health -> /health
        base https://h/api/openai       /v1/models -> /api/openai/models   /health -> /api/openai/health
        base https://h/openai/v1        /v1/models -> /openai/v1/models    /health -> /openai/health

    Raises:
        InvalidRequestError: the path has dot segments, with which it could leave the root.
    """
    path = _path_behind_mount(scope) or b"/"
    if not path.startswith(b"/") or _has_dot_segments(path):
        raise InvalidRequestError(
            "The path of the request cannot be passed on: expected an absolute path without "
            "'.' and '..' segments."
        )
    api = base.raw_path.rstrip("/")
    target = quote(path, safe=_PLAIN)
    if target == API_PREFIX or target.startswith(f"{API_PREFIX}/"):
        target = api + target.removeprefix(API_PREFIX)
    else:
        target = api.removesuffix(API_PREFIX) + target
    query = "&".join(part for part in (base.raw_query_string, _query(scope)) if part)
    return URL(f"{base.origin()}{target}{f'?{query}' if query else ''}", encoded=True)


def _end_to_end(headers: Pairs) -> list[tuple[bytes, bytes]]:
    pairs = list(headers)
    named = {
        token.strip().lower()
        for name, value in pairs
        if name == b"connection"
        for token in value.split(b",")
    }
    dropped = _HOP_BY_HOP | named
    return [(name, value) for name, value in pairs if name not in dropped]


def _text(value: bytes) -> str:
    """Return what aiohttp, which writes headers as UTF-8, will turn into the same bytes again.

    Bytes that are not UTF-8 are taken for Latin-1 and change; RFC 9110 §5.5 calls them opaque.
    """
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _path_behind_mount(scope: Mapping[str, Any]) -> bytes:
    """Return the raw path without the root path, which ASGI leaves in both `path` and `raw_path`."""
    path: str = scope["path"]
    raw: bytes = (scope.get("raw_path") or quote(path).encode("ascii")).partition(b"?")[0]
    root: str = scope.get("root_path", "").rstrip("/")
    if not root or not (path == root or path.startswith(f"{root}/")):
        return raw
    raw_root = quote(root).encode("ascii")
    if raw == raw_root or raw.startswith(raw_root + b"/"):
        return raw[len(raw_root) :]
    return quote(path[len(root) :]).encode("ascii")  # the client encoded the root in its own way


def _has_dot_segments(path: bytes) -> bool:
    # Decoded, and with both slashes, as the upstream might read it.
    segments = unquote_to_bytes(path).replace(b"\\", b"/").split(b"/")
    return b"." in segments or b".." in segments


def _query(scope: Mapping[str, Any]) -> str:
    return quote(scope.get("query_string", b""), safe=_PLAIN)
