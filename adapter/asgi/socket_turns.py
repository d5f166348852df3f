"""Turns of a WebSocket connection: from a frame that asks for a response to its last event.

A response that ends well is remembered before its last event is sent, because the client may
continue from it at once. One that fails takes what it continued with it, if that was made on the
same lane, as OpenAI's does: the client sends the whole conversation again.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from adapter.asgi.clients import status_for
from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.connection_memory import ConnectionMemory, Remembered
from adapter.asgi.http import ClientDisconnectedError
from adapter.asgi.observing import observing_frame
from adapter.asgi.pump import EventPump, EventWriter, stream_times
from adapter.asgi.report import report_headers
from adapter.asgi.service import Service
from adapter.asgi.socket_frames import (
    Frame,
    encode_error,
    encode_texts,
    wants_answer,
    without_envelope,
)
from adapter.errors import AdapterError, InvalidRequestError
from adapter.loop import ResponseRun
from adapter.observe.exchange import note_gone, note_refusal
from adapter.prior import Prior
from adapter.records.responses import no_parent
from adapter.state import Remembered as RememberedPrior
from adapter.translate.replay import own_input, own_output
from adapter.types.events import Event, ResponseCompleted, ResponseFailed, ResponseIncomplete
from adapter.upstream.base import Upstream

logger = logging.getLogger(__name__)

SendTexts = Callable[[Sequence[bytes]], Awaitable[None]]


class Turn(msgspec.Struct, frozen=True):
    """A frame that asks for a response.

    Attributes:
        frame: its envelope.
        body: all of it.
        lane: where it belongs.
    """

    frame: Frame
    body: bytes
    lane: str | None

    @property
    def previous_id(self) -> str | None:
        """What it continues, even if the rest of it turns out to be wrong."""
        previous = self.frame.previous_response_id
        return previous if isinstance(previous, str) else None


class SocketTurns:
    """Answers the frames of one connection.

    Args:
        service: makes the runs.
        limits: of the connection.
        headers: of the handshake; they hold the client's authorization.
        upstream: where to send chat requests, if not to the routes of the models.
        send: sends frames; raises ClientDisconnectedError if the client has gone.
    """

    def __init__(
        self,
        service: Service,
        limits: ConnectionLimits,
        headers: Mapping[str, str],
        upstream: Upstream | None,
        send: SendTexts,
    ) -> None:
        self._service = service
        self._headers = headers
        self._upstream = upstream
        self._send = send
        self._times = stream_times(service.settings)
        self._memory = ConnectionMemory(limits)

    async def serve(self, turn: Turn) -> None:
        """Answer a frame; whatever goes wrong is said to the client."""
        with observing_frame(self._service.observer, self._headers):
            await self._serve(turn)

    async def _serve(self, turn: Turn) -> None:
        try:
            error = await self._try(turn)
            if error is not None:
                self._memory.forget(turn.previous_id, turn.lane)
                error.status = status_for(error, self._headers)
                note_refusal(error)
                await self._send([encode_error(error, turn.lane)])
        except ClientDisconnectedError:
            logger.debug("the client went before its response was complete")
            note_gone()

    async def _try(self, turn: Turn) -> AdapterError | None:
        """Answer a frame, or return what went wrong before anything was sent."""
        try:
            # It counts before anything is read for it, and also if it only stores something.
            with self._service.gate.request(self._headers):
                await self._answer(turn)
        except AdapterError as error:
            return error
        except ClientDisconnectedError:
            raise
        except Exception:
            logger.exception("response failed unexpectedly")
            return AdapterError("The server had an error while making the response.")
        return None

    async def _answer(self, turn: Turn) -> None:
        decoded, route, model = self._service.decode(turn.body, self._headers)
        request = without_envelope(decoded)
        parent = self._find(request.previous_response_id)
        generates = wants_answer(turn.frame)
        if self._upstream is None and route.passes_through():
            raise _passed_through()
        known = None
        if parent is not None:
            known = RememberedPrior(tuple(parent.parts()), parent.is_stored)
        async with self._service.prior(request, self._headers, known) as prior:
            run = self._service.runs.new_run(
                prior.request,
                route,
                model,
                self._headers,
                self._upstream,
                history=prior.history(),
                needs_input=generates,
                keep=prior.keep,
            )
            report_headers(run.translation)  # for the log: frames have none
            write = self._writer(turn, prior, parent)
            if not generates:
                await self._prepare(run, prior, write)
                return
            with self._service.gate.stream(self._headers), route.occupy():
                pump = EventPump(run, self._times, write)
                with self._service.closing.turn(pump.interrupt):
                    await pump()

    async def _prepare(self, run: ResponseRun, prior: Prior, write: EventWriter) -> None:
        """Say that a response is there which says nothing, but can be continued."""
        events = run.prepare()
        last = events[-1]
        assert isinstance(last, ResponseCompleted), "there is nothing to be incomplete"
        if prior.keep is not None:
            is_stored = await prior.keep(last.response)
            response = msgspec.structs.replace(last.response, store=is_stored)
            events[-1] = msgspec.structs.replace(last, response=response)
        await write(events, is_last=True)

    def _find(self, response_id: str | None) -> Remembered | None:
        if response_id is None:
            return None
        response = self._memory.find(response_id)
        if response is None and self._service.state is None:
            raise no_parent(response_id)
        return response

    def _writer(self, turn: Turn, prior: Prior, parent: Remembered | None) -> EventWriter:
        async def write(events: Sequence[Event], *, is_last: bool) -> None:
            if is_last:
                self._remember(events[-1], turn, prior, parent)
            await self._send(encode_texts(events, turn.lane))

        return write

    def _remember(self, last: Event, turn: Turn, prior: Prior, parent: Remembered | None) -> None:
        if isinstance(last, ResponseFailed):
            self._memory.forget(turn.previous_id, turn.lane)
            return
        assert isinstance(last, ResponseCompleted | ResponseIncomplete), "a stream ends with one"
        response = last.response
        earlier = prior.parts or () if parent is None else ()  # from the store
        said = *earlier, own_input(prior.request), own_output(response.output)
        self._memory.keep(response.id, parent, turn.lane, *said, is_stored=response.store)


def _passed_through() -> InvalidRequestError:
    return InvalidRequestError(
        "Requests for this model are passed on as they are, which a WebSocket cannot do: use HTTP.",
        status=426,
        code="websocket_not_supported",
        param="model",
    )
