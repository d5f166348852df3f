"""The state machine: deltas of an upstream in, events of one response out.

    created  queued?  in_progress  ITEM*  (completed | incomplete | error failed)

One item is open at a time. A delta that the open item does not accept closes it and opens the
right one, with two exceptions. While a call is unfinished, everything else waits until it is
complete or the turn ends, so that interleaved calls come out one after the other. And blanks alone
open nothing: they wait for text of their own kind, and go if a call comes instead (servers send
blank lines between `</think>` and a call). What comes behind a call that is run here waits for what
comes of it.

There are no flags: whether an item is open is `_open`, whether it was announced is that it has a
tool. Sans IO: ids and the clock come in as arguments. The rules of the order are written down
independently in `adapter.stream.grammar`.

Source: sheet §7.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

from adapter.errors import AdapterError, UpstreamError
from adapter.stream.calls import CallItem
from adapter.stream.citations import citation_key
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.stream.items import (
    MESSAGE,
    ContentItem,
    ContentKind,
    reasoning_kind,
)
from adapter.stream.lifecycle import INCOMPLETE, Lifecycle
from adapter.stream.lists import ListItem
from adapter.stream.pending import ApprovedCall, PendingCall, hosted_call, in_turn
from adapter.stream.slots import is_object
from adapter.tools.kinds import OfferedTool
from adapter.tools.lookup import find_tool
from adapter.translate.usage import add_usage
from adapter.types.events import (
    Event,
    OutputItemAdded,
    OutputItemDone,
)
from adapter.types.hosted import ListedTool, Source, ToolResult
from adapter.types.items import ItemStatus, OutputItem
from adapter.types.response import Response, Usage

_NAMELESS = "a call without a name"
_UNASKED = "a call that was cut off before the client could be asked about it"
_AS_IT_COMES = reasoning_kind()
# finish_reason of a server that gave up: vLLM sends `abort` when it is stopped.
_FAILED = frozenset({"abort", "error", "network_error"})


class ResponseStream(Lifecycle):
    """Builds the events of one response.

    Args:
        response: the response in progress, without output.
        new_id: (prefix) to a new id, such as `msg_…`.
        tools: the tools that the chat model may call, by the name that it knows.
        call_ids: ids of earlier calls, which no call of this response may have.
        reasoning: how reasoning is shown, if not as it comes.

    Attributes:
        notes: what was left out, for the caller to report.
        client_calls: how many calls of this turn are the client's to make.
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
        super().__init__(response)
        self.notes: list[str] = []
        self.client_calls = 0
        self._new_id = new_id
        self._tools = tools or {}
        self._open: ContentItem | CallItem | ListItem | None = None
        self._waiting: list[Delta] = []
        self._behind: list[list[Delta]] = []  # a call that is made here
        self._approved: dict[int, ApprovedCall] = {}  # by slot
        self._sources: dict[str, Source] = {}  # what hosted tools have found
        self._blanks: list[Delta] = []
        self._called: set[int] = set()  # slots of this turn
        self._call_ids = set(call_ids)
        self._reasoning = reasoning or _AS_IT_COMES

    def add(self, item: OutputItem) -> list[Event]:
        """Return the events of an item that comes whole."""
        index = len(self._output)
        self._output.append(item)
        return [
            OutputItemAdded(self._number(), index, item),
            OutputItemDone(self._number(), index, item),
        ]

    def offer(self, tools: Mapping[str, OfferedTool]) -> None:
        """Take other tools for those that the chat model may call, by the name that it knows."""
        self._tools = tools

    def begin_list(self, server_label: str) -> list[Event]:
        """Return the events which say that the tools of a server are being listed."""
        events: list[Event] = []
        item = ListItem(self._new_id("mcpl"), server_label, len(self._output), self._number)
        self._open = item
        item.begin(events)
        return events

    def end_list(self, listed: Sequence[ListedTool] | str) -> list[Event]:
        """Return the events of what came of it: the tools, or what went wrong."""
        events: list[Event] = []
        item, self._open = self._open, None
        assert isinstance(item, ListItem), "a list that is ended was begun"
        end = item.fail if isinstance(listed, str) else item.end
        self._output.append(end(listed, events))  # type: ignore[arg-type]  # as the line above says
        return events

    def call(self, approved: Iterable[ApprovedCall]) -> list[Event]:
        """Return the events of calls that are made before the model is asked; see `resolve`."""
        events: list[Event] = []
        for call in approved:
            slot = -1 - len(self._approved)  # no upstream counts so
            self._approved[slot] = call
            name = call.tool.definition.name
            self._waiting.append(CallDelta(slot, "", name, call.arguments))
        self._flush(events)
        return events

    @property
    def pending_calls(self) -> list[PendingCall]:
        """Calls that are to be made here, in order."""
        item = self._open
        if not isinstance(item, CallItem) or item.tool is None:
            return []
        behind = (hosted_call(group, self._find_tool) for group in self._behind)
        first = PendingCall(item.tool, item.arguments, item.id)
        return [first, *(call for call in behind if call is not None)]

    @property
    def pending_id(self) -> str:
        """The id of the item of the first pending call."""
        item = self._open
        assert isinstance(item, CallItem), "a call is pending"
        return item.id

    def resolve(self, result: ToolResult) -> list[Event]:
        """Return the events of what came of the first pending call, and of what waited for it."""
        events: list[Event] = []
        item, self._open = self._open, None
        assert isinstance(item, CallItem), "a call that is resolved was made"
        self._sources |= {citation_key(source.url): source for source in result.sources}
        self._output.append(item.resolve(result, events))
        self._go_on(events)
        return events

    def feed(self, deltas: Iterable[Delta]) -> list[Event]:
        """Return the events that the deltas cause."""
        events: list[Event] = []
        for delta in deltas:
            item = self._open
            if item is None or not item.take(delta, events):
                self._route(delta, events)
        return events

    def end_turn(self, finish_reason: str | None, usage: Usage | None = None) -> list[Event]:
        """Close what is open: the upstream's answer is over, but for `pending_calls`.

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
        self._incomplete = INCOMPLETE.get(finish_reason or "")
        self.client_calls = 0
        events: list[Event] = []
        self._flush(events)
        self._called.clear()
        if not self._output and self._open is None:
            self._say_nothing(events)
        return events

    def fail(self, error: AdapterError) -> list[Event]:
        """Close the open item as incomplete and return the last two events."""
        events: list[Event] = []
        self._close("incomplete", events)
        return events + self._failed(error)

    # Routing

    def _route(self, delta: Delta, events: list[Event]) -> None:
        if isinstance(self._open, CallItem):
            if self._waiting or self._is_unfinished() or self._open.is_hosted:
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
            self._open.take(delta, events)
        elif delta.text.isspace():
            self._blanks.append(delta)
        elif delta.text:
            if self._open is not None:
                self._close("completed", events)
            self._open_content(delta, events)

    def _open_content(self, delta: Delta, events: list[Event]) -> None:
        is_reasoning = type(delta) is ReasoningDelta
        self._open = item = self._new_content(self._reasoning if is_reasoning else MESSAGE)
        events.append(item.added())
        if self._blanks:
            for blank in self._take_blanks(type(delta)):
                item.take(blank, events)
        item.take(delta, events)

    def _new_content(self, kind: ContentKind) -> ContentItem:
        id = self._new_id(kind.id_prefix)
        return ContentItem(kind, id, len(self._output), self._number, self._sources)

    def _take_blanks(self, kind: type) -> Sequence[Delta]:
        taken = [blank for blank in self._blanks if type(blank) is kind]
        self._blanks = [blank for blank in self._blanks if type(blank) is not kind]
        return taken

    def _new_call(self, slot: int) -> CallItem:
        approved = self._approved.get(slot)
        return CallItem(
            slot,
            len(self._output),
            self._number,
            find_tool=partial(self._find_tool, slot),
            new_id=self._new_id,
            unique_call_id=self._unique_call_id,
            approval_request_id=approved.approval_request_id if approved else None,
        )

    def _find_tool(self, slot: int, name: str) -> OfferedTool:
        approved = self._approved.get(slot)
        return approved.tool if approved else find_tool(name, self._tools)

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

    def _hosted(self) -> CallItem | None:
        """Return the open item if it is a call that is made here."""
        item = self._open
        return item if isinstance(item, CallItem) and item.is_hosted else None

    # Closing

    def _close(self, status: ItemStatus, events: list[Event]) -> None:
        item, self._open = self._open, None
        if item is None:
            return
        done = item.close(status, events)
        if done is not None:
            self._output.append(done)
        if isinstance(item, CallItem):
            if done is not None:
                self.client_calls += 1
            else:
                self.notes.append(_UNASKED if item.is_announced else _NAMELESS)

    def _flush(self, events: list[Event]) -> None:
        """Close the open item, and then each that waited behind an unfinished call."""
        if self._waiting:
            if self._incomplete is not None and self._is_unfinished():
                # The last item is the one that was cut off; what waits behind it has to go.
                self.notes.append("what came behind a call that was cut off")
            else:
                self._behind += in_turn(self._waiting)
            self._waiting = []
        self._go_on(events)

    def _go_on(self, events: list[Event]) -> None:
        """Say what waits, up to the next call that is made here."""
        while self._behind and self._hosted() is None:
            self._close("completed", events)
            events += self.feed(self._behind.pop(0))
        call = self._hosted()
        if call is not None and self._incomplete is None:
            call.run(events)
            return
        # Only the last item of an incomplete response is incomplete, so what is behind has to go.
        self._behind.clear()
        self._close("completed" if self._incomplete is None else "incomplete", events)

    def _say_nothing(self, events: list[Event]) -> None:
        """Give an answer without content the one empty message that clients expect.

        Raises:
            UpstreamError: there was a call, but without a name.
        """
        if self.notes:
            raise UpstreamError("The upstream called a tool without naming it.")
        item = self._new_content(MESSAGE)
        events.append(item.added())
        blanks = self._take_blanks(TextDelta)
        if not blanks:
            item.open_empty(events)
        for blank in blanks:
            item.take(blank, events)
        status: ItemStatus = "completed" if self._incomplete is None else "incomplete"
        self._output.append(item.close(status, events))
