"""Requests for our routes: let in, observed, and answered by whoever serves the route, or refused.

Before the first event of a stream, errors are turned into JSON here, and nowhere else.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.types import Receive, Scope, Send

from adapter.asgi.background import Background
from adapter.asgi.clients import status_for
from adapter.asgi.compact import CompactConversation
from adapter.asgi.create import CreateResponse
from adapter.asgi.denial import deny_upgrade, refuse
from adapter.asgi.http import ClientDisconnectedError, Headers, read_headers
from adapter.asgi.ids import new_id
from adapter.asgi.input_tokens import CountInputTokens
from adapter.asgi.models import ListModels
from adapter.asgi.observing import observing
from adapter.asgi.openapi.serving import ShowDocument
from adapter.asgi.paths import (
    COMPACT,
    INPUT_TOKENS,
    MODELS,
    OPENAPI,
    RESPONSES,
    STATE_ROUTES,
    Place,
    allowed_methods,
)
from adapter.asgi.service import Service
from adapter.asgi.state.routes import StateRoutes
from adapter.asgi.websocket import WebSocketResponses
from adapter.errors import AdapterError, MethodNotAllowedError
from adapter.observe.exchange import note_gone, note_refusal, request_id
from adapter.upstream.base import Upstream

logger = logging.getLogger(__name__)

MAX_REQUEST_ID_CHARS = 200

# See `CreateResponse.__call__`.
Answer = Callable[
    [Scope, Receive, Send, Mapping[str, str], Upstream | None, Headers], Awaitable[None]
]


class Answering:
    """Answers requests, and WebSockets, for our routes.

    Args:
        service: makes the runs.
        background: what runs in the background; None is nothing, as nothing is stored.
    """

    def __init__(self, service: Service, background: Background | None) -> None:
        self._gate = service.gate
        self._observer = service.observer
        self._answers: dict[str, Answer] = {
            RESPONSES: CreateResponse(service, background),
            COMPACT: CompactConversation(service),
            INPUT_TOKENS: CountInputTokens(service),
            MODELS: ListModels(service),
            OPENAPI: ShowDocument(),
        }
        self._state = StateRoutes(service, background)
        self._websocket = WebSocketResponses(service)

    def serve(
        self,
        place: Place,
        scope: Scope,
        receive: Receive,
        send: Send,
        upstream: Upstream | None = None,
    ) -> Awaitable[None]:
        """Return what serves a request, or a WebSocket, for one of our routes.

        Args:
            place: as `find_route` says.
            scope: of the request.
            receive: of the request.
            send: of the request.
            upstream: where to send the chat request, if not to the app's own upstream.
        """
        headers = read_headers(scope)
        given = headers.get("x-request-id")
        id = given if given and _is_sane(given) else new_id("req")
        request_id.set(id)
        serving = self._serve(place, scope, receive, send, headers, upstream, id)
        if self._observer is None:
            return serving
        return observing(self._observer, scope, place.route, headers, serving)

    async def _serve(
        self,
        place: Place,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: dict[str, str],
        upstream: Upstream | None,
        id: str,
    ) -> None:
        route = place.route
        more_headers = [(b"x-request-id", id.encode())]
        try:
            scope, headers = await self._gate.admit(scope, headers)
            if scope["type"] == "websocket":
                if route != RESPONSES:
                    await deny_upgrade(scope, receive, send, status=404)
                    return
                with self._gate.socket(headers):
                    await self._websocket(scope, receive, send, headers, upstream, more_headers)
                return
            with self._gate.request(headers):
                if scope["method"] not in allowed_methods(route):
                    raise _wrong_method(scope["method"], route)
                if route in STATE_ROUTES:
                    await self._state(place, scope, receive, send, headers, more_headers)
                else:
                    answer = self._answers[route]
                    await answer(scope, receive, send, headers, upstream, more_headers)
        except ClientDisconnectedError:
            logger.debug("the client went before its request was complete")
            note_gone()
        except AdapterError as error:
            error.status = status_for(error, headers)
            note_refusal(error)
            await refuse(scope, receive, send, error, more_headers)


def _is_sane(id: str) -> bool:
    """Tell whether a client's own id for its request can be the one in our log, and is sent back."""
    return len(id) <= MAX_REQUEST_ID_CHARS and id.isascii() and id.isprintable()


def _wrong_method(method: str, route: str) -> MethodNotAllowedError:
    allowed = ", ".join(allowed_methods(route))
    return MethodNotAllowedError(
        f"Not allowed to {method} on {route}. Allowed: {allowed}.",
        code="method_not_allowed",
        headers={"allow": allowed},
    )
