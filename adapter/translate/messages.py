"""Items of the conversation to chat messages.

One assistant message holds what the model did in one go: reasoning, then text, then calls. Tool
outputs stand right behind the message with their calls, in the order of the calls, wherever they
stood in the input. What tool messages cannot hold (images, files) follows in a user message.

Source: sheet §4; `observed.md` §4 for what all servers take; `clients.md` §7 for the hazards.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.translate.content import SplitContent, split_content
from adapter.translate.items import PlacedItem
from adapter.types.chat import ChatFunction, ChatMessage, ChatPart, ChatToolCall
from adapter.types.decoding import check_depth, missing_parameter, unsupported
from adapter.types.input import (
    Call,
    CallOutput,
    CompactionItem,
    ItemReference,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    McpListToolsItem,
    MessageItem,
    ReasoningItem,
)
from adapter.types.raw import is_given

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode


class _Draft(msgspec.Struct):
    """An assistant message in the making."""

    reasoning: list[str] = []
    text: list[str] = []
    refusal: list[str] = []
    calls: list[ChatToolCall] = []
    outputs: list[SplitContent] = []


class Conversation:
    """Builds the messages of one request.

    Args:
        dialect: what the upstream takes.
        open_sealed: (encrypted content) to the reasoning that we sealed, or None if it is not ours.

    Attributes:
        adapted: paths of what was changed to be acceptable upstream.
        dropped: paths, or call ids of stored items, of what could not be sent.
    """

    def __init__(
        self, dialect: Dialect, open_sealed: Callable[[str], str | None] | None = None
    ) -> None:
        self.adapted: list[str] = []
        self.dropped: list[str] = []
        self._dialect = dialect
        self._open_sealed = open_sealed or _open_nothing
        self._messages: list[ChatMessage] = []
        self._draft = _Draft()

    def build(self, items: Sequence[PlacedItem]) -> list[ChatMessage]:
        """Return the messages for the items, in order.

        Raises:
            InvalidRequestError: a part that cannot be sent, an output without its call, or a call
                of the request itself without its output.
        """
        outputs = self._outputs_by_call(items)
        for position, placed in enumerate(items):
            match placed.item:
                case MessageItem(role="assistant"):
                    self._add_text(placed.item, placed.at)
                case MessageItem():
                    self._add_message(placed.item, placed.at)
                case ReasoningItem():
                    self._add_reasoning(placed.item)
                case Call():
                    self._add_call(placed, outputs.get(position))
                case CallOutput():
                    pass  # it stands behind its call
                case CompactionItem():
                    self.dropped.append(placed.at or "compaction")  # sealed by somebody else
                case ItemReference():
                    raise _no_item(placed.item.id, placed.at)
                case (
                    McpListToolsItem()
                    | McpCallItem()
                    | McpApprovalRequestItem()
                    | McpApprovalResponseItem()
                ):
                    raise AssertionError("items of MCP servers are settled before")
                case _:
                    assert_never(placed.item)
        self._close_draft()
        return self._messages

    def _outputs_by_call(self, items: Sequence[PlacedItem]) -> Mapping[int, PlacedItem]:
        """Pair positions of calls with outputs: the n-th of an id answers its n-th call."""
        waiting: defaultdict[str, deque[int]] = defaultdict(deque)
        named: defaultdict[str, deque[str]] = defaultdict(deque)
        for position, placed in enumerate(items):
            if isinstance(placed.item, Call):
                waiting[placed.item.call_id].append(position)
                named[placed.item.name].append(placed.item.call_id)
        outputs: dict[int, PlacedItem] = {}
        for placed in items:
            if not isinstance(placed.item, CallOutput):
                continue
            call_id = placed.item.call_id or _first(named[placed.item.name], waiting)
            if calls := waiting[call_id]:
                outputs[calls.popleft()] = placed
            elif placed.at:
                raise _no_call(call_id, placed.at)
            else:
                self.dropped.append(call_id)
        return outputs

    def _add_message(self, item: MessageItem, at: str) -> None:
        self._close_draft()
        if item.content is None:
            raise missing_parameter(f"{at}.content")
        content = split_content(item.content, f"{at}.content", self._dialect)
        if item.role == "user":
            self._messages.append(ChatMessage("user", content.for_chat()))
        else:
            self._messages.append(ChatMessage(item.role, _only_text(content, item.role, at)))

    def _add_reasoning(self, item: ReasoningItem) -> None:
        if self._draft.text or self._draft.calls:
            self._close_draft()
        if item.content:
            self._draft.reasoning.extend(part.text for part in item.content)
        elif opened := self._open_sealed(item.encrypted_content or ""):
            self._draft.reasoning.append(opened)
        else:
            self._draft.reasoning.extend(part.text for part in item.summary or ())

    def _add_text(self, item: MessageItem, at: str) -> None:
        if self._draft.text or self._draft.calls:
            self._close_draft()
        content = split_content(item.content, f"{at}.content", self._dialect)
        self._draft.text.append(_only_text(content, item.role, at))
        if content.refusal:
            self._draft.refusal.append(content.refusal)

    def _add_call(self, placed: PlacedItem, output: PlacedItem | None) -> None:
        call = placed.item
        assert isinstance(call, Call)
        if output is None:
            if placed.at:
                raise _no_output(call.call_id, placed.at)
            self.dropped.append(call.call_id)  # a stored response that was cut short
            return
        assert isinstance(output.item, CallOutput)
        arguments = self._arguments(call.arguments, f"{placed.at}.arguments")
        self._draft.calls.append(
            ChatToolCall(
                call.call_id,
                ChatFunction(call.name, arguments),
                extra_content=call.extra_content if is_given(call.extra_content) else UNSET,
            )
        )
        self._draft.outputs.append(
            split_content(output.item.content, f"{output.at}.output", self._dialect)
        )

    def _arguments(self, given: str | dict[str, object] | None, at: str) -> str:
        """Return arguments that every template can read: a JSON object.

        llama.cpp, SGLang and transformers refuse anything else, and a broken call that a client
        sends back would poison every later turn (`observed.md` §4).
        """
        if isinstance(given, dict):
            check_depth(given, at)
            return _encode(given).decode()
        text = given or ""
        if not text.strip():
            return "{}"
        try:
            _object.decode(text)
        except (msgspec.DecodeError, RecursionError):
            self.adapted.append(at)
            return _encode({"invalid_arguments": text}).decode()
        return text

    def _close_draft(self) -> None:
        draft, self._draft = self._draft, _Draft()
        text, refusal = "".join(draft.text), "".join(draft.refusal)
        if not (draft.text or draft.refusal or draft.calls):
            return  # nothing, or reasoning that nothing follows
        self._messages.append(
            ChatMessage(
                "assistant",
                text,  # empty beside calls: the one shape that all servers accept
                refusal=refusal or UNSET,
                tool_calls=tuple(draft.calls),
                reasoning_content="\n".join(draft.reasoning) or UNSET,
            )
        )
        self._add_outputs(draft)

    def _add_outputs(self, draft: _Draft) -> None:
        media: list[ChatPart] = []
        for call, output in zip(draft.calls, draft.outputs, strict=True):
            text = output.as_output()
            if output.media:
                media.append({"type": "text", "text": f"(output of call {call.id})"})
                media.extend(output.media)
                text = text or "(see the next message)"
            self._messages.append(ChatMessage("tool", text, tool_call_id=call.id))
        if media:
            self._messages.append(ChatMessage("user", media))


def _first(call_ids: deque[str], waiting: Mapping[str, deque[int]]) -> str:
    """Return the id of the first of the calls that has no output yet, or empty."""
    while call_ids and not waiting[call_ids[0]]:
        call_ids.popleft()
    return call_ids[0] if call_ids else ""


def _open_nothing(sealed: str) -> None:
    return None


def _only_text(content: SplitContent, role: str, at: str) -> str:
    if content.media:
        kind = content.media[0]["type"]
        raise unsupported(f"{at}.content", f"holds {kind!r}, which a {role} message cannot")
    return content.text


def _no_call(call_id: str, at: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"No tool call found for function call output with call_id {call_id[:128]}.",
        code="invalid_value",
        param=f"{at}.call_id",
    )


def _no_output(call_id: str, at: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"No tool output found for function call {call_id[:128]}.",
        code="invalid_value",
        param=f"{at}.call_id",
    )


def _no_item(item_id: str, at: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Item with id '{item_id[:128]}' not found. "
        "Items are not stored here: send them whole, as clients do with `store: false`.",
        code="invalid_value",
        param=f"{at}.id",
    )
