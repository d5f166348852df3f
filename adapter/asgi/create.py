"""`POST /responses`: decode, translate, run, and answer as a stream or as one document."""

import secrets
import time
from collections.abc import Mapping
from functools import partial

from starlette.types import Receive, Send

from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers, read_body, send_json
from adapter.asgi.report import report_headers
from adapter.asgi.sse_response import SSEResponse, StreamTimes
from adapter.asgi.upstreams import key_header
from adapter.config import Settings
from adapter.dialects import dialect_named
from adapter.habits import Habits
from adapter.loop import ResponseRun, Surroundings
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from adapter.types.response import Response
from adapter.upstream.base import Upstream

_ID_BYTES = 24  # 48 hex digits, as OpenAI's ids have


def new_id(prefix: str) -> str:
    """Return an id that nobody can guess, such as `resp_…`."""
    return f"{prefix}_{secrets.token_hex(_ID_BYTES)}"


class CreateResponse:
    """Serves `POST /responses`.

    Args:
        settings: the settings.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._habits = Habits(dialect_named(settings.dialect))
        self._forwarded = tuple(name.lower() for name in settings.forward_headers)
        self._key_header = key_header(settings)
        self._times = StreamTimes(
            settings.start_grace, settings.keepalive, settings.keepalive_interval
        )

    async def __call__(
        self,
        headers: Mapping[str, str],
        receive: Receive,
        send: Send,
        upstream: Upstream,
        more_headers: Headers = (),
    ) -> None:
        """Serve one request.

        Args:
            headers: of the request.
            receive: of the request.
            send: of the request.
            upstream: where to send the chat request.
            more_headers: of the answer.

        Raises:
            AdapterError: it failed before anything was sent.
            ClientDisconnectedError: the client went before its request was complete.
        """
        settings = self._settings
        request = decode_request(await read_body(receive, settings.max_body_bytes))
        run = ResponseRun(
            request,
            partial(
                to_chat_request,
                request,
                unknown=settings.unknown_fields,
                hosted=settings.hosted_tools,
            ),
            self._habits,
            upstream,
            self._upstream_headers(headers),
            self._surroundings(headers),
        )
        if request.stream:
            await SSEResponse(run, self._times, more_headers)(receive, send)
        elif response := await _collect(run, receive):
            await send_json(send, 200, response, [*more_headers, *report_headers(run.translation)])

    def _upstream_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Choose what the upstream sees: the configured key, or the client's authorization."""
        names = ("authorization", *self._forwarded)
        return {name: headers[name] for name in names if name in headers} | self._key_header

    def _surroundings(self, headers: Mapping[str, str]) -> Surroundings:
        settings = self._settings
        return Surroundings(
            new_id=new_id,
            now=time.time,
            max_event_bytes=settings.max_event_bytes,
            open_names=settings.reasoning_events == "reasoning"
            or "openresponses-version" in headers,
        )


async def _collect(run: ResponseRun, receive: Receive) -> Response | None:
    """Return the whole response, or None if the client has gone."""
    async with StopOnDisconnect(receive) as client:
        response = await run.collect()
    return None if client.has_gone else response
