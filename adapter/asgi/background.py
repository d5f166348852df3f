"""Responses in the background, over HTTP: asked for, streamed from their log, cancelled."""

import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw
from starlette.types import Receive, Send

from adapter.asgi.http import Headers, send_json
from adapter.asgi.ids import new_id
from adapter.asgi.log_stream import LogStream
from adapter.asgi.paths import RESPONSES
from adapter.asgi.pump import stream_times
from adapter.asgi.report import report_headers
from adapter.asgi.route import Route
from adapter.asgi.service import Service
from adapter.asgi.state.request import ShowQuery, StateRequest, read_query
from adapter.asgi.state.responses import find_response
from adapter.background.handover import read_handover, to_handover, upstream_hash
from adapter.background.limits import RunLimits
from adapter.background.runs import BackgroundRuns, Restarted
from adapter.config import Settings
from adapter.errors import AdapterError, InvalidRequestError, StoreError
from adapter.loop import ResponseRun
from adapter.observe.exchange import own_exchange
from adapter.prior import Prior
from adapter.records.responses import no_response
from adapter.state import State
from adapter.store.base import ResponseRecord
from adapter.surroundings import Detached
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream

MAX_NUMBER = 2**31 - 1  # of an event; stores count no further than 64 bits


class Asked(msgspec.Struct, frozen=True):
    """A request, and where it goes.

    Attributes:
        request: what the client asked.
        route: of the model.
        model: what the route calls it.
        headers: of the client's request.
        upstream: the wrapped app, where that is the upstream.
    """

    request: ResponseRequest
    route: Route
    model: str
    headers: Mapping[str, str]
    upstream: Upstream | None = None


class StreamQuery(msgspec.Struct, frozen=True):
    starting_after: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] | None = None


class Background:
    """Serves what has to do with background runs.

    Args:
        service: makes the runs.
        state: keeps them.
    """

    def __init__(self, service: Service, state: State) -> None:
        self._service = service
        self._state = state
        self._times = stream_times(service.settings)
        limits = run_limits(service.settings)
        self._runs = BackgroundRuns(state.store, limits, self._restart, time.time)

    def open(self) -> None:
        """Begin to look for runs that other processes have lost; safe to call again."""
        self._runs.open()

    async def aclose(self) -> None:
        """End all runs of this process, or hand them over."""
        await self._runs.aclose()

    # Asked for

    async def create(
        self, asked: Asked, body: bytes, receive: Receive, send: Send, more_headers: Headers
    ) -> None:
        """Answer a request for a response in the background: it is queued, or streamed.

        Args:
            asked: the request.
            body: of the request.
            receive: of the request.
            send: of the request.
            more_headers: of the answer.

        Raises:
            AdapterError: it cannot be done, or not now.
        """
        if asked.request.store is False:
            raise _not_stored()
        self.open()
        async with AsyncExitStack() as until:
            until.enter_context(asked.route.occupy())
            prior = await until.enter_async_context(
                self._service.prior(asked.request, asked.headers)
            )
            if prior.keeping is None:  # `store_error` allows that, but then there is no log
                raise StoreError(
                    "The store does not answer, and a response in the background needs it."
                )
            keeping = prior.keeping
            with own_exchange():  # the response has one, which its task takes with it
                self._observe(until, asked.route, asked.headers)
                run = self._run(asked, prior, Detached(new_id("resp"), int(time.time())))
                response = await self._runs.start(
                    run, keeping.record, until, request=self._handover(asked, run, body)
                )
        headers = [*more_headers, *report_headers(run.translation)]
        if asked.request.stream:
            await self._follow(keeping.owner, response.id, -1, receive, send, headers)
        else:
            await send_json(send, 200, response, headers)

    def _observe(self, until: AsyncExitStack, route: Route, headers: Mapping[str, str]) -> None:
        if self._service.observer is not None:
            self._service.observer.background(until, RESPONSES, headers, route.name)

    def _run(self, asked: Asked, prior: Prior, detached: Detached) -> ResponseRun:
        return self._service.runs.new_run(
            msgspec.structs.replace(prior.request, background=None),
            asked.route,
            asked.model,
            asked.headers,
            asked.upstream,
            history=prior.history(),
            detached=detached,
        )

    def _handover(self, asked: Asked, run: ResponseRun, body: bytes) -> bytes:
        """Return the request for another process, if one could run it; else nothing.

        The wrapped app is in this process, a conversation is locked by it, and a hosted tool may
        have been called without a word in the log yet.
        """
        is_bound = asked.upstream is not None or asked.request.conversation is not None
        if is_bound or run.translation.toolbox.has_hosted:
            return b""
        route = asked.route
        forwarded = self._service.targets.forwarded(asked.headers, route)
        sent = forwarded.keys() - route.own_headers.keys()
        handover = to_handover(body, asked.headers, sent, route.settings.upstream)
        return b"" if handover is None else handover.encode()

    async def _restart(self, record: ResponseRecord, said: int) -> Restarted:
        """Return the run of a request that another process has lost.

        Raises:
            AdapterError: it can no longer be run.
        """
        handover = read_handover(record.request)
        request, route, model = self._service.decode(bytes(handover.body))
        if handover.upstream != upstream_hash(route.settings.upstream):
            raise _other_upstream()
        async with AsyncExitStack() as until:
            until.enter_context(route.occupy())
            prior = await until.enter_async_context(
                self._state.prior(request, lambda: record.owner)
            )
            asked = Asked(request, route, model, handover.headers)
            self._observe(until, route, handover.headers)
            run = self._run(asked, prior, Detached(record.id, int(record.created_at), said))
            return Restarted(run, until.pop_all())

    # Asked about

    async def stream(
        self, request: StateRequest, receive: Receive, send: Send, more_headers: Headers
    ) -> None:
        """Answer `GET /responses/{id}?stream=true`.

        Raises:
            NotFoundError: there is no such response.
            InvalidRequestError: it has no log, or the query does not fit.
        """
        query = read_query(request.query, StreamQuery)
        record = await find_response(self._state, request)
        if not record.background:
            raise InvalidRequestError(
                "This response cannot be streamed: it was not created with `background: true`.",
                code="invalid_value",
                param="stream",
            )
        after = -1 if query.starting_after is None else query.starting_after
        await self._follow(record.owner, record.id, after, receive, send, more_headers)

    async def cancel(self, request: StateRequest) -> Any:
        """Answer `POST /responses/{id}/cancel`.

        Raises:
            NotFoundError: there is no such response.
            InvalidRequestError: it does not run in the background.
        """
        record = await find_response(self._state, request)
        if not record.background:
            raise InvalidRequestError("Cannot cancel a synchronous response.", code="invalid_value")
        ended = await self._runs.cancel(record)
        if ended is None:
            raise no_response(record.id)
        return Raw(ended.response)

    async def _follow(
        self,
        owner: str,
        id: str,
        after: int,
        receive: Receive,
        send: Send,
        headers: Headers,
    ) -> None:
        store = await self._state.store()
        await LogStream(store, owner, id, after, self._times, headers)(receive, send)


def wants_stream(request: StateRequest) -> bool:
    """Tell whether a response is asked for as a stream.

    Raises:
        InvalidRequestError: the query does not fit.
    """
    return read_query(request.query, ShowQuery).stream


def run_limits(settings: Settings) -> RunLimits:
    """Return the limits of the settings."""
    return RunLimits(
        max_runs=settings.max_background_runs,
        max_owner_runs=settings.max_background_runs_per_owner,
        max_seconds=settings.background_timeout,
        max_log_bytes=settings.max_background_log_bytes,
        lease_seconds=settings.background_lease,
        drain_seconds=settings.background_drain,
    )


def _other_upstream() -> AdapterError:
    return AdapterError(
        "The server that made this response was lost before it was complete, and the one that "
        "found it has another upstream."
    )


def _not_stored() -> InvalidRequestError:
    return InvalidRequestError(
        "Invalid 'background': it can only be used when `store` is true, because the response is "
        "made after its request was answered.",
        code="invalid_value",
        param="background",
    )
