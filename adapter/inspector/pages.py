"""The files of the page: plain HTML, CSS and JavaScript from this package, and nothing from elsewhere.

The policy forbids everything else: no inline scripts or styles, no other server, no frame around it,
and no text that becomes HTML.
"""

from pathlib import Path
from typing import Final

from starlette.types import Send

from adapter.errors import NotFoundError

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
SAFE_HEADERS: Final = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_TYPES: Final = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
FILES: Final = Path(__file__).parent / "static"


class Pages:
    """Sends the files, and knows no others."""

    def __init__(self) -> None:
        self._files = {path.name: path for path in sorted(FILES.iterdir()) if path.suffix in _TYPES}

    async def __call__(self, send: Send, name: str) -> None:
        """Send a file; the empty name is the page itself.

        Raises:
            NotFoundError: there is none of this name.
        """
        path = self._files.get(name or "index.html")
        if path is None:
            raise NotFoundError("There is no such page.", code="unknown_url")
        body = path.read_bytes()
        headers = [
            (b"content-type", _TYPES[path.suffix].encode()),
            (b"content-length", b"%d" % len(body)),
            *SAFE_HEADERS,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
