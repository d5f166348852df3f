"""`GET /responses/openapi.json`: our own OpenAPI document."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.http import Headers, send_bytes
from adapter.asgi.openapi.document import document_at
from adapter.asgi.paths import OPENAPI
from adapter.upstream.base import Upstream


class ShowDocument:
    """Serves `GET /responses/openapi.json`."""

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        more_headers: Headers = (),
    ) -> None:
        """Serve one request; its routes stand where the document does."""
        base = scope["path"].rstrip("/").removesuffix(OPENAPI)
        await send_bytes(send, 200, document_at(base), "application/json", more_headers)
