"""The state machine: deltas of an upstream in, events of one response out.

    created  in_progress  ITEM*  (completed | incomplete | error failed)

One item is open at a time. A delta that the open item does not accept closes it and opens the
right one, with two exceptions. While a call is unfinished, everything else waits until it is
complete or the turn ends, so that interleaved calls come out one after the other. And blanks alone
open nothing: they wait for text of their own kind, and go if a call comes instead (servers send
blank lines between `</think>` and a call).

There are no flags: whether an item is open is `_open`, whether it was announced is that it has a
tool. Sans IO: ids and the clock come in as arguments. The rules of the order are written down
independently in `adapter.stream.grammar`.

Source: sheet §7.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count

import msgspec

from adapter.errors import AdapterError, UpstreamError
from adapter.stream.calls import CallItem
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.stream.items import (
    MESSAGE,
    ContentItem,
    ContentKind,
    reasoning_kind,
)
from adapter.stream.slots import is_object
from adapter.tools.kinds import OfferedTool
from adapter.tools.lookup import find_tool
from adapter.translate.usage import add_usage
from adapter.types.events import (
    ErrorBody,
    ErrorEvent,
    Event,
    Keepalive,
    OutputItemAdded,
    OutputItemDone,
    ResponseCompleted,
    ResponseCreated,
    ResponseFailed,
    ResponseIncomplete,
    ResponseInProgress,
)
from adapter.types.items import ItemStatus, OutputItem
from adapter.types.response import IncompleteDetails, Response, ResponseError, Usage

# finish_reason to why the response is incomplete; whatever is not here completes it
# (`reported.md` §3.2: `sensitive` is GLM's, `model_context_window_exceeded` GLM's and Anthropic's).
_INCOMPLETE: Mapping[str, IncompleteDetails] = {
    "length": IncompleteDetails("max_output_tokens"),
    "max_tokens": IncompleteDetails("max_output_tokens"),
    "model_length": IncompleteDetails("max_output_tokens"),
    "model_context_window_exceeded": IncompleteDetails("max_output_tokens"),
    "repetition": IncompleteDetails("max_output_tokens"),
    "content_filter": IncompleteDetails("content_filter"),
    "sensitive": IncompleteDetails("content_filter"),
}
# finish_reason of a server that gave up: vLLM sends `abort` when it is stopped.
_FAILED = frozenset({"abort", "error", "network_error"})


class ResponseStream:
    """Builds the events of one response.

    Args:
        response: the response in progress, without output.
        new_id: (prefix) to a new id, such as `msg_…`.
        tools: the tools that the chat model may call, by the name that it knows.
        call_ids: ids of earlier calls, which no call of this response may have.
        reasoning: how reasoning is shown, if not as it comes.

    Attributes:
        is_started: `start()` was called.
        notes: what was left out, for the caller to report.
    """

    def __init__(
        self,
        response: Response,
        new_id: Callable[[str], str],
        *,
        tools: Mapping[str, OfferedTool] | None = None,
        call_ids: Iterable[str] = (),
        reasoning: ContentKind | None = None,
    ) -> None:
        self.is_started = False
        self.notes: list[str] = []
        self._response = response
        self._new_id = new_id
        self._tools = tools or {}
        self._number = count().__next__
        self._output: list[OutputItem] = []
        self._open: ContentItem | CallItem | None = None
        self._waiting: list[Delta] = []
        self._blanks: list[Delta] = []
        self._called: set[int] = set()  # slots of this turn
        self._call_ids = set(call_ids)
        self._incomplete: IncompleteDetails | None = None
        self._usage: Usage | None = None
        self._kinds: Mapping[type, ContentKind] = {
            **dict.fromkeys(MESSAGE.parts, MESSAGE),
            ReasoningDelta: reasoning or reasoning_kind(),
        }

    def start(self) -> list[Event]:
        """Return the first two events."""
        self.is_started = True
        return [
            ResponseCreated(self._number(), self._response),
            ResponseInProgress(self._number(), self._response),
        ]

    def keepalive(self) -> Event:
        """Return an event that says only that the response is alive."""
        return Keepalive(self._number())

    def add(self, item: OutputItem) -> list[Event]:
        """Return the events of an item that comes whole."""
        index = len(self._output)
        self._output.append(item)
        return [
            OutputItemAdded(self._number(), index, item),
            OutputItemDone(self._number(), index, item),
        ]

    def feed(self, deltas: Iterable[Delta]) -> list[Event]:
        """Return the events that the deltas cause."""
        events: list[Event] = []
        for delta in deltas:
            item = self._open
            if item is not None and item.accepts(delta):
                item.append(delta, events)
            else:
                self._route(delta, events)
        return events

    def end_turn(self, finish_reason: str | None, usage: Usage | None = None) -> list[Event]:
        """Close what is open: the upstream's answer is over.

        Args:
            finish_reason: why it stopped; None and unknown reasons count as a normal stop.
            usage: what the turn cost, added to that of earlier turns.

        Raises:
            UpstreamError: the upstream says that it failed, or called a tool without naming it and
                said nothing else.
        """
        self._usage = add_usage(self._usage, usage)
        if finish_reason in _FAILED:
            raise UpstreamError(
                f"The upstream stopped before the answer was complete ({finish_reason}).",
                code="server_error",
            )
        self._incomplete = _INCOMPLETE.get(finish_reason or "")
        events: list[Event] = []
        self._flush(events)
        self._called.clear()
        if not self._output:
            self._say_nothing(events)
        return events

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

    def fail(self, error: AdapterError) -> list[Event]:
        """Close the open item as incomplete and return the last two events."""
        events: list[Event] = []
        self._close("incomplete", events)
        code = error.code or "server_error"
        response = msgspec.structs.replace(
            self._response,
            status="failed",
            error=ResponseError(code, error.message),
            output=tuple(self._output),
            usage=self._usage,
        )
        body = ErrorBody(error.type, code, error.message, error.param)
        events.append(ErrorEvent(self._number(), body))
        events.append(ResponseFailed(self._number(), response))
        return events

    # Routing

    def _route(self, delta: Delta, events: list[Event]) -> None:
        if isinstance(self._open, CallItem):
            if self._waiting or self._is_unfinished():
                self._waiting.append(delta)
                return
            self._close("completed", events)
        if isinstance(delta, CallDelta):
            if delta.slot in self._called:
                return  # an afterthought: nothing belongs behind a whole object
            self._called.add(delta.slot)
            self._close("completed", events)
            self._blanks.clear()
            self._open = self._new_call(delta.slot)
            self._open.append(delta, events)
        elif delta.text.isspace():
            self._blanks.append(delta)
        elif delta.text:
            self._close("completed", events)
            self._open_content(delta, events)

    def _open_content(self, delta: Delta, events: list[Event]) -> None:
        kind = self._kinds[type(delta)]
        item = ContentItem(kind, self._new_id(kind.id_prefix), len(self._output), self._number)
        self._open = item
        events.append(item.added())
        for blank in self._take_blanks(type(delta)):
            item.append(blank, events)
        item.append(delta, events)

    def _take_blanks(self, kind: type) -> Sequence[Delta]:
        taken = [blank for blank in self._blanks if type(blank) is kind]
        self._blanks = [blank for blank in self._blanks if type(blank) is not kind]
        return taken

    def _new_call(self, slot: int) -> CallItem:
        return CallItem(
            slot,
            len(self._output),
            self._number,
            find_tool=self._find_tool,
            new_id=self._new_id,
            unique_call_id=self._unique_call_id,
        )

    def _find_tool(self, name: str) -> OfferedTool:
        return find_tool(name, self._tools)

    def _unique_call_id(self, wanted: str) -> str:
        """Return the upstream's id, unless it has none or used it before (`reported.md` §3.2).

        Servers that count from zero in every answer use it before, too: the Agents SDKs refuse a
        second call of an id.
        """
        call_id = wanted if wanted and wanted not in self._call_ids else self._new_id("call")
        self._call_ids.add(call_id)
        return call_id

    def _is_unfinished(self) -> bool:
        """Tell whether the open item is a call that may still go on."""
        item = self._open
        return isinstance(item, CallItem) and not (item.is_announced and is_object(item.arguments))

    # Closing

    def _close(self, status: ItemStatus, events: list[Event]) -> None:
        item, self._open = self._open, None
        if item is None:
            return
        if isinstance(item, CallItem) and not item.is_announced:
            self.notes.append("a call without a name")
            return
        self._output.append(item.close(status, events))

    def _flush(self, events: list[Event]) -> None:
        """Close the open item, and then each that waited behind an unfinished call."""
        if self._incomplete is not None and self._waiting and self._is_unfinished():
            # The last item is the one that was cut off; what waits behind it has to go.
            self.notes.append("what came behind a call that was cut off")
            self._waiting.clear()
        waiting, self._waiting = self._waiting, []
        for group in _in_turn(waiting):
            self._close("completed", events)
            events += self.feed(group)
        # Only the last item of an incomplete response is incomplete.
        self._close("completed" if self._incomplete is None else "incomplete", events)

    def _say_nothing(self, events: list[Event]) -> None:
        """Give an answer without content the one empty message that clients expect.

        Raises:
            UpstreamError: there was a call, but without a name.
        """
        if self.notes:
            raise UpstreamError("The upstream called a tool without naming it.")
        item = ContentItem(MESSAGE, self._new_id("msg"), 0, self._number)
        events.append(item.added())
        blanks = self._take_blanks(TextDelta)
        if not blanks:
            item.open_empty(events)
        for blank in blanks:
            item.append(blank, events)
        status: ItemStatus = "completed" if self._incomplete is None else "incomplete"
        self._output.append(item.close(status, events))


def _in_turn(waiting: Sequence[Delta]) -> list[list[Delta]]:
    """Return what waited, the pieces of each call together, in the order of first sight."""
    groups: list[list[Delta]] = []
    calls: dict[int, list[Delta]] = {}
    for delta in waiting:
        if isinstance(delta, CallDelta):
            if delta.slot not in calls:
                calls[delta.slot] = []
                groups.append(calls[delta.slot])
            calls[delta.slot].append(delta)
        elif groups and not isinstance(groups[-1][0], CallDelta):
            groups[-1].append(delta)
        else:
            groups.append([delta])
    return groups
