"""`GET /models`: the models that a client may ask, of all routes."""

from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.http import Headers, send_json
from adapter.asgi.service import Service
from adapter.upstream.base import Upstream


class ListModels:
    """Serves `GET /models`.

    Args:
        service: knows the routes.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def __call__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        more_headers: Headers = (),
    ) -> None:
        """Serve one request; see `CreateResponse`."""
        service = self._service
        models = await service.routes.list_models(service.targets.forwarded(headers))
        allowed = [entry for entry in models["data"] if service.gate.may_ask(headers, entry["id"])]
        await send_json(send, 200, {**models, "data": allowed}, more_headers)
