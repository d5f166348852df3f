"""Answers requests for what is stored: a row for each method of each route."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.types import Receive, Scope, Send

from adapter.asgi.background import Background, wants_stream
from adapter.asgi.bodies import read_body
from adapter.asgi.http import Headers, send_json
from adapter.asgi.paths import (
    CANCEL,
    CONVERSATION,
    CONVERSATIONS,
    INPUT_ITEMS,
    ITEM,
    ITEMS,
    RESPONSE,
    Place,
)
from adapter.asgi.service import Service
from adapter.asgi.state import conversations, responses
from adapter.asgi.state.request import StateRequest
from adapter.errors import NotFoundError
from adapter.state import State

Handler = Callable[[State, StateRequest], Awaitable[Any]]

HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", RESPONSE): responses.retrieve,
    ("DELETE", RESPONSE): responses.delete,
    ("GET", INPUT_ITEMS): responses.list_input,
    ("POST", CONVERSATIONS): conversations.create,
    ("GET", CONVERSATION): conversations.retrieve,
    ("POST", CONVERSATION): conversations.update,
    ("DELETE", CONVERSATION): conversations.delete,
    ("GET", ITEMS): conversations.list_items,
    ("POST", ITEMS): conversations.add_items,
    ("GET", ITEM): conversations.retrieve_item,
    ("DELETE", ITEM): conversations.delete_item,
}


class StateRoutes:
    """Serves the routes that there are only with a store.

    Args:
        service: has the store.
        background: what runs in the background; None is nothing, as nothing is stored.
    """

    def __init__(self, service: Service, background: Background | None) -> None:
        self._service = service
        self._background = background

    async def __call__(
        self,
        place: Place,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        more_headers: Headers = (),
    ) -> None:
        """Serve one request.

        Args:
            place: its route and ids.
            scope: of the request.
            receive: of the request.
            send: of the request.
            headers: of the request, by lower-case name.
            more_headers: of the answer.

        Raises:
            AdapterError: it cannot be done.
            ClientDisconnectedError: the client went before its request was complete.
        """
        state, background = self._service.state, self._background
        if state is None or background is None:
            raise NotFoundError(
                "Nothing is stored here: the setting 'store' (ADAPTER_STORE) names no store.",
                code="no_store",
            )
        body = await read_body(scope, receive, headers, self._service.settings.max_body_bytes)
        request = StateRequest(
            self._service.owner(headers), place.ids, scope.get("query_string", b""), body
        )
        background.open()
        method, route = scope["method"], place.route
        if (method, route) == ("GET", RESPONSE) and wants_stream(request):
            with self._service.gate.stream(headers):
                await background.stream(request, receive, send, more_headers)
            return
        if route == CANCEL:
            answer = await background.cancel(request)
        else:
            answer = await HANDLERS[method, route](state, request)
        await send_json(send, 200, answer, more_headers)
