"""One request as it is observed, and its calls: facts and times, nothing of its content.

It is found in a context variable, so that what makes runs need not hand it around; when nothing is
observed, nobody looks there. Most facts of most requests are the defaults, which cost nothing as
attributes of the class.
"""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import Any, Literal, Protocol

from adapter.errors import AdapterError, UpstreamTimeoutError
from adapter.translate.request import Translation
from adapter.types.events import Event
from adapter.types.request import ResponseRequest
from adapter.types.response import Usage

# `socket` is a WebSocket from its handshake to its end, `websocket` one response on it.
Transport = Literal["http", "websocket", "background", "socket"]
Operation = Literal["chat", "count_tokens", "execute_tool", "list_tools"]
Address = tuple[str | None, int | None]

CLIENT_GONE = 499  # nginx's number for it: nobody was there to be answered
SWITCHED = 101  # the handshake of a WebSocket
CANCELLED = "cancelled"
DISCONNECTED = "disconnected"


class ObservedRun(Protocol):
    """What is read of a run when it is over; `adapter.loop.ResponseRun` has it.

    Attributes:
        translation: what was asked upstream.
        end: its last event, once it is made.
        learned: names of the facts that refusals taught.
    """

    end: Event | None

    @property
    def translation(self) -> Translation: ...

    @property
    def learned(self) -> frozenset[str]: ...


class Call:
    """One call of an upstream or of a hosted tool. Times are seconds of `perf_counter`.

    Attributes:
        operation: what is called.
        name: of the tool, or of the model upstream.
        kind: of the tool: `mcp`, or its type.
        route: name of the upstream's route.
        address: host and port of the upstream.
        started: when it began.
        first_byte: when the answer began; None if it did not.
        first_event: when the model began to answer.
        ended: when it was over.
        status: HTTP status; 0 if there was none.
        outcome: how it ended, in one word.
        error: code of what went wrong, if that has one.
        headers: to send besides the others, such as `traceparent`.
        usage: what it cost, once that is known, if somebody is told of that.
        finish_reason: why the model stopped, likewise.
        span: of a trace, if there is one.
        token: to make current again what was before.
        ended_at: nanoseconds since the epoch, for a span that is ended later.
    """

    route: str = ""
    address: Address = (None, None)
    first_byte: float | None = None
    first_event: float | None = None
    ended: float = 0.0
    status: int = 0
    outcome: str = "ok"
    error: str | None = None
    headers: Mapping[str, str] | None = None
    usage: Usage | None = None
    finish_reason: str | None = None
    span: Any = None
    token: Any = None
    ended_at: int | None = None

    def __init__(self, operation: Operation, name: str = "", kind: str = "") -> None:
        self.operation: Operation = operation
        self.name = name
        self.kind = kind
        self.started = perf_counter()

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
    """One request, from its arrival to its end. Times are seconds of `perf_counter`.

    A run tells it of its turns: it is an `adapter.loop.Watch`.

    Attributes:
        transport: how it came.
        method: of the request.
        endpoint: as `adapter.asgi.paths` has it: no ids.
        request_id: in `x-request-id`.
        headers: of the request: they are secret, but for those of a trace.
        started: when it came.
        ended_at: when it was over.
        route: name of the route; empty until one is chosen.
        status: HTTP status; what a WebSocket says instead is an error's.
        outcome: of the response; `ok` where there is none to be made.
        error: code of what went wrong.
        stream: the response is streamed.
        first_event: when the model began to answer.
        upstream_seconds: in which an upstream was waited for.
        turn: the latest call of an upstream.
        request: what a response is asked for, if one is.
        model: what the upstream calls the model.
        dialect: name of the upstream's dialect.
        is_timed: the answer says how long it took.
        run: makes the response.
        span: of a trace, if there is one.
        context: of that trace.
        token: to make current again what was before.
        on_turned: are told when it is known what a turn cost.
    """

    ended_at: float = 0.0
    route: str = ""
    status: int = 0
    outcome: str = "ok"
    error: str | None = None
    stream: bool = False
    first_event: float | None = None
    upstream_seconds: float = 0.0
    turn: Call | None = None
    request: ResponseRequest | None = None
    model: str = ""
    dialect: str = ""
    is_timed: bool = False
    run: ObservedRun | None = None
    span: Any = None
    context: Any = None
    token: Any = None
    on_turned: "tuple[Callable[[Exchange], None], ...]" = ()

    def __init__(
        self,
        transport: Transport,
        method: str,
        endpoint: str,
        headers: Mapping[str, str],
    ) -> None:
        self.transport: Transport = transport
        self.method = method
        self.endpoint = endpoint
        self.request_id = request_id.get()
        self.headers = headers
        self.started = perf_counter()

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended_at - self.started

    # What a run tells

    def begun(self) -> None:
        """Note that the model begins to answer."""
        now = perf_counter()
        turn = self.turn
        if turn is not None and turn.first_event is None:
            turn.first_event = now
        if self.first_event is None:
            self.first_event = now

    def ended(self, usage: Usage | None, finish_reason: str | None) -> None:
        """Note that the model has answered."""
        turn = self.turn
        if turn is not None and self.on_turned:
            turn.usage, turn.finish_reason = usage, finish_reason
            for tell in self.on_turned:
                tell(self)

    # The end

    def refuse(self, error: AdapterError) -> None:
        """Note that the request is answered with an error."""
        self.status, self.error, self.outcome = error.status, error.code, "refused"

    def close(self, error: BaseException | None) -> None:
        """Note how it ended."""
        self.ended_at = perf_counter()
        if error is not None:
            self._broken_off(error)
        elif self.outcome != "ok":
            pass  # it is known: refused, or nobody is there
        elif (run := self.run) is not None:
            if run.end is not None:
                self._answered(run.end)
            else:  # nobody breaks a run off but who has gone, or who cancels it
                self.outcome = CANCELLED if self.transport == "background" else DISCONNECTED
                self.status = CLIENT_GONE
        if not self.status:
            self.status = SWITCHED if self.transport == "socket" else 200

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


def note_gone() -> None:
    """Note that nobody is there to be answered."""
    if (exchange := current.get()) is not None:
        exchange.outcome, exchange.status = DISCONNECTED, CLIENT_GONE


def note_refusal(error: AdapterError) -> None:
    """Note that what is observed here is answered with an error."""
    if (exchange := current.get()) is not None:
        exchange.refuse(error)


def note_route(route: str) -> None:
    """Note which route serves what is observed here."""
    if (exchange := current.get()) is not None:
        exchange.route = route


def note_status(status: int) -> None:
    """Note the status of an answer that is another's."""
    if (exchange := current.get()) is not None:
        exchange.status = status


@contextmanager
def own_exchange() -> Generator[None]:
    """Let what is observed in the block be another exchange, and then the one of before."""
    token = current.set(current.get())
    try:
        yield
    finally:
        current.reset(token)
