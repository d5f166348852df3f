"""What every stream of events has around its items: numbers, first and last events, the response.

Sans IO, as the state machine that is built on it (`adapter.stream.machine`).
"""

from collections.abc import Mapping, Sequence
from itertools import count

import msgspec

from adapter.errors import AdapterError
from adapter.types.events import (
    ErrorBody,
    ErrorEvent,
    Event,
    Keepalive,
    ResponseCompleted,
    ResponseCreated,
    ResponseFailed,
    ResponseIncomplete,
    ResponseInProgress,
    ResponseQueued,
)
from adapter.types.items import OutputItem
from adapter.types.response import IncompleteDetails, Response, ResponseError, Usage

# finish_reason to why the response is incomplete; whatever is not here completes it
# (`reported.md` §3.2: `sensitive` is GLM's, `model_context_window_exceeded` GLM's and Anthropic's).
INCOMPLETE: Mapping[str, IncompleteDetails] = {
    "length": IncompleteDetails("max_output_tokens"),
    "max_tokens": IncompleteDetails("max_output_tokens"),
    "model_length": IncompleteDetails("max_output_tokens"),
    "model_context_window_exceeded": IncompleteDetails("max_output_tokens"),
    "repetition": IncompleteDetails("max_output_tokens"),
    "content_filter": IncompleteDetails("content_filter"),
    "sensitive": IncompleteDetails("content_filter"),
}


class Lifecycle:
    """The events around the items.

    Args:
        response: the response in progress, without output.

    Attributes:
        is_started: `start()` was called.
    """

    def __init__(self, response: Response) -> None:
        self.is_started = False
        self._response = response
        self._number = count().__next__
        self._output: list[OutputItem] = []
        self._incomplete: IncompleteDetails | None = None
        self._usage: Usage | None = None

    @property
    def output(self) -> Sequence[OutputItem]:
        """The items that are done."""
        return self._output

    @property
    def is_incomplete(self) -> bool:
        """Whether the model was stopped before it was done."""
        return self._incomplete is not None

    def start(self, *, queued: bool = False, said: int = 0) -> list[Event]:
        """Return the first events.

        Args:
            queued: the response waited for its turn before it was made.
            said: so many events were said already, by who began it elsewhere.
        """
        self.is_started = True
        events: list[Event] = []
        if queued:
            waiting = msgspec.structs.replace(self._response, status="queued")
            events.append(ResponseCreated(self._number(), waiting))
            events.append(ResponseQueued(self._number(), waiting))
        else:
            events.append(ResponseCreated(self._number(), self._response))
        events.append(ResponseInProgress(self._number(), self._response))
        return events[said:]

    def keepalive(self) -> Event:
        """Return an event that says only that the response is alive."""
        return Keepalive(self._number())

    def result(self, completed_at: int, service_tier: str | None = None) -> Response:
        """Return the whole response: nothing is open any more.

        Args:
            completed_at: seconds since the epoch.
            service_tier: the one that the upstream says it used.
        """
        return msgspec.structs.replace(
            self._response,
            status="completed" if self._incomplete is None else "incomplete",
            incomplete_details=self._incomplete,
            completed_at=completed_at if self._incomplete is None else None,
            output=tuple(self._output),
            usage=self._usage or Usage(),
            service_tier=service_tier or self._response.service_tier,
        )

    def finish(self, completed_at: int, service_tier: str | None = None) -> list[Event]:
        """Return the last event; see `result`."""
        return self.finish_with(self.result(completed_at, service_tier))

    def finish_with(self, result: Response) -> list[Event]:
        """Return the last event.

        Args:
            result: what `result` said, perhaps with what has become of it since.
        """
        last = ResponseCompleted if result.status == "completed" else ResponseIncomplete
        return [last(self._number(), result)]

    def _failed(self, error: AdapterError) -> list[Event]:
        """Return the last two events of a response that failed."""
        code = error.code or "server_error"
        response = msgspec.structs.replace(
            self._response,
            status="failed",
            error=ResponseError(code, error.message),
            output=tuple(self._output),
            usage=self._usage,
        )
        body = ErrorBody(error.type, code, error.message, error.param)
        return [ErrorEvent(self._number(), body), ResponseFailed(self._number(), response)]
