"""One request as it is observed, and its calls: facts and times, nothing of its content.

It is found in a context variable, so that what makes runs need not hand it around; when nothing is
observed, nobody looks there.
"""

from collections.abc import Mapping
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Literal, Protocol

from adapter.errors import AdapterError, UpstreamTimeoutError
from adapter.translate.request import Translation
from adapter.types.events import Event
from adapter.types.request import ResponseRequest

# `socket` is a WebSocket from its handshake to its end, `websocket` one response on it.
Transport = Literal["http", "websocket", "background", "socket"]
Operation = Literal["chat", "count_tokens", "execute_tool", "list_tools"]

CLIENT_GONE = 499  # nginx's number for it: nobody was there to be answered
CANCELLED = "cancelled"
DISCONNECTED = "disconnected"


class ObservedRun(Protocol):
    """What is read of a run when it is over; `adapter.loop.ResponseRun` has it.

    Attributes:
        translation: what was asked upstream.
        end: its last event, once it is made.
        learned: names of the facts that refusals taught.
    """

    translation: Translation
    end: Event | None

    @property
    def learned(self) -> frozenset[str]: ...


class Call:
    """One call of an upstream or of a hosted tool.

    Attributes:
        operation: what is called.
        name: of the tool, or of the model upstream.
        kind: of the tool: `mcp`, or its type.
        started: seconds of the clock of `perf_counter`, as all times here.
        first_byte: when the answer began; None if it did not.
        first_event: when the model began to answer.
        ended: when it was over.
        status: HTTP status; 0 if there was none.
        outcome: how it ended, in one word.
        error: code of what went wrong, if that has one.
        headers: to send besides the others, such as `traceparent`.
        span: of a trace, if there is one.
    """

    __slots__ = (
        "ended",
        "error",
        "first_byte",
        "first_event",
        "headers",
        "kind",
        "name",
        "operation",
        "outcome",
        "span",
        "started",
        "status",
    )

    def __init__(self, operation: Operation, name: str = "", kind: str = "") -> None:
        self.operation = operation
        self.name = name
        self.kind = kind
        self.started = perf_counter()
        self.first_byte: float | None = None
        self.first_event: float | None = None
        self.ended = 0.0
        self.status = 0
        self.outcome = "ok"
        self.error: str | None = None
        self.headers: Mapping[str, str] = {}
        self.span: Any = None

    def answered(self, status: int) -> None:
        """Note that the headers of an answer have come."""
        self.first_byte = perf_counter()
        self.status = status

    def end(self, error: BaseException | None) -> None:
        """Note how it ended."""
        self.ended = perf_counter()
        if error is None:
            return
        if isinstance(error, AdapterError):
            self.error = error.code
            self.outcome = _outcome_of(error, self.status)
        elif isinstance(error, Exception):
            self.outcome = "broken"
        else:  # cancelled, or nobody wants the rest
            self.outcome = CANCELLED


class Exchange:
    """One request, from its arrival to its end.

    Attributes:
        transport: how it came.
        method: of the request.
        endpoint: as `adapter.asgi.paths` has it: no ids.
        request_id: in `x-request-id`.
        headers: of the request: they are secret, but for those of a trace.
        started: when it came.
        ended: when it was over.
        route: name of the route; empty until one is chosen.
        status: HTTP status; what a WebSocket says instead is an error's.
        outcome: of the response; `ok` where there is none to be made.
        error: code of what went wrong.
        stream: the response is streamed.
        first_event: when the model began to answer.
        upstream_seconds: in which an upstream was waited for.
        call: the upstream's latest call.
        request: what the client asked.
        model: what the upstream calls the model.
        dialect: name of the upstream's dialect.
        run: makes the response.
        span: of a trace, if there is one.
        context: of that trace.
    """

    __slots__ = (
        "call",
        "context",
        "dialect",
        "ended",
        "endpoint",
        "error",
        "first_event",
        "headers",
        "method",
        "model",
        "outcome",
        "request",
        "request_id",
        "route",
        "run",
        "span",
        "started",
        "status",
        "stream",
        "transport",
        "upstream_seconds",
    )

    def __init__(
        self,
        transport: Transport,
        method: str,
        endpoint: str,
        request_id: str,
        headers: Mapping[str, str],
    ) -> None:
        self.transport: Transport = transport
        self.method = method
        self.endpoint = endpoint
        self.request_id = request_id
        self.headers = headers
        self.started = perf_counter()
        self.ended = 0.0
        self.route = ""
        self.status = 0
        self.outcome = "ok"
        self.error: str | None = None
        self.stream = False
        self.first_event: float | None = None
        self.upstream_seconds = 0.0
        self.call: Call | None = None
        self.request: ResponseRequest | None = None
        self.model = ""
        self.dialect = ""
        self.run: ObservedRun | None = None
        self.span: Any = None
        self.context: Any = None

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.started

    def begun(self) -> None:
        """Note that the model begins to answer."""
        now = perf_counter()
        if self.call is not None and self.call.first_event is None:
            self.call.first_event = now
        if self.first_event is None:
            self.first_event = now

    def refuse(self, error: AdapterError) -> None:
        """Note that the request is answered with an error."""
        self.status, self.error, self.outcome = error.status, error.code, "refused"

    def end(self, error: BaseException | None) -> None:
        """Note how it ended."""
        self.ended = perf_counter()
        last = None if self.run is None else self.run.end
        if error is not None:
            self._broken_off(error)
        elif last is not None and not self.error:
            self._answered(last)
        elif self.run is not None and not self.error:
            # Nobody breaks a run off but who has gone, or who cancels it.
            self.outcome = CANCELLED if self.transport == "background" else DISCONNECTED
            self.status = self.status or CLIENT_GONE
        self.status = self.status or 200

    def _answered(self, last: Event) -> None:
        response = last.response  # type: ignore[union-attr]  # the last event has one
        self.outcome = response.status
        if response.error is not None:
            self.error = response.error.code

    def _broken_off(self, error: BaseException) -> None:
        if isinstance(error, AdapterError):
            self.refuse(error)
        elif isinstance(error, Exception):
            self.outcome, self.status = "crashed", 500
        else:
            self.outcome, self.status = DISCONNECTED, CLIENT_GONE


def _outcome_of(error: AdapterError, status: int) -> str:
    if status and status != 200:
        return "refused"
    if isinstance(error, UpstreamTimeoutError):
        return "timeout"
    return "broken" if status else "unreachable"


current: ContextVar[Exchange | None] = ContextVar("adapter_exchange", default=None)
request_id: ContextVar[str] = ContextVar("adapter_request_id", default="")
