"""Items of the conversation to chat messages.

One assistant message holds what the model did in one go: reasoning, then text, then calls. A call
behind an output is of another go: calls that came one after the other must not look as if they were
made together, and what a server has cached of a conversation stays its beginning. Tool outputs stand
right behind the message with their calls, in the order of the calls, wherever they stood in the
input. What tool messages cannot hold (images, files) follows in a user message.

Source: sheet §4; `observed.md` §4 for what all servers take; `clients.md` §7 for the hazards.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

import msgspec
from msgspec import UNSET

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.translate.content import SplitContent, plain_text, split_content
from adapter.translate.items import PlacedItem
from adapter.translate.pairs import PlacedOutput, pair_outputs
from adapter.types.chat import ChatFunction, ChatMessage, ChatPart, ChatToolCall
from adapter.types.decoding import UNREADABLE, check_depth, missing_parameter, unsupported
from adapter.types.input import (
    Call,
    CallOutput,
    CompactionItem,
    Content,
    ItemReference,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    McpListToolsItem,
    MessageItem,
    ReasoningItem,
)
from adapter.types.raw import is_given


class _Object(msgspec.Struct, frozen=True):
    """Any object: that it is one is all that matters."""


_object = msgspec.json.Decoder(_Object)
_encode = msgspec.json.Encoder().encode


class _Draft(msgspec.Struct):
    """An assistant message in the making, and what follows it."""

    reasoning: list[str] = []
    text: str | None = None
    refusal: str = ""
    calls: list[ChatToolCall] = []
    outputs: list[ChatMessage] = []
    media: list[ChatPart] = []  # of the outputs
    is_answered: bool = (
        False  # an output of its calls has come: further calls are another message's
    )


class Conversation:
    """Builds the messages of one request.

    Args:
        dialect: what the upstream takes.
        open_sealed: (encrypted content) to the reasoning that we sealed, or None if it is not ours.

    Attributes:
        adapted: paths of what was changed to be acceptable upstream.
        dropped: paths, or call ids of stored items, of what could not be sent.
        call_ids: of the calls.
    """

    def __init__(
        self, dialect: Dialect, open_sealed: Callable[[str], str | None] | None = None
    ) -> None:
        self.adapted: list[str] = []
        self.dropped: list[str] = []
        self.call_ids: Sequence[str] = ()
        self._dialect = dialect
        self._open_sealed = open_sealed or _open_nothing
        self._messages: list[ChatMessage] = []
        self._draft = _Draft()
        self._outputs: Mapping[str, deque[PlacedOutput]] = {}

    def build(self, items: Sequence[PlacedItem]) -> list[ChatMessage]:
        """Return the messages for the items, in order.

        Raises:
            InvalidRequestError: a part that cannot be sent, an output without its call, or a call
                of the request itself without its output.
        """
        pairs = pair_outputs(items)
        self.call_ids, self._outputs = pairs.call_ids, pairs.outputs
        self.dropped += pairs.orphans
        for placed in items:
            item = placed.item
            match item:  # the usual ones first: each that does not match takes its time
                case MessageItem():
                    if item.role == "assistant":
                        self._add_text(item, placed.at)
                    else:
                        self._add_message(item, placed.at)
                case Call():
                    self._add_call(item, placed.at)
                case CallOutput():  # it stands behind its call
                    self._draft.is_answered = bool(self._draft.calls)
                case ReasoningItem():
                    self._add_reasoning(item)
                case CompactionItem():
                    self.dropped.append(placed.at or "compaction")  # sealed by somebody else
                case ItemReference():
                    raise _no_item(item.id, placed.at)
                case (
                    McpListToolsItem()
                    | McpCallItem()
                    | McpApprovalRequestItem()
                    | McpApprovalResponseItem()
                ):
                    raise AssertionError("items of MCP servers are settled before")
                case _:
                    assert_never(item)
        self._close_draft()
        return self._messages

    def _add_message(self, item: MessageItem, at: str) -> None:
        self._close_draft()
        if item.content is None:
            raise missing_parameter(f"{at}.content")
        text = plain_text(item.content)
        if text is not None:
            self._messages.append(ChatMessage(item.role, text))
            return
        content = split_content(item.content, f"{at}.content", self._dialect)
        if item.role == "user":
            self._messages.append(ChatMessage("user", content.for_chat()))
        else:
            self._messages.append(ChatMessage(item.role, _only_text(content, item.role, at)))

    def _add_reasoning(self, item: ReasoningItem) -> None:
        if self._draft.text is not None or self._draft.calls:
            self._close_draft()
        if item.content:
            self._draft.reasoning.extend(part.text for part in item.content)
        elif opened := self._open_sealed(item.encrypted_content or ""):
            self._draft.reasoning.append(opened)
        else:
            self._draft.reasoning.extend(part.text for part in item.summary or ())

    def _add_text(self, item: MessageItem, at: str) -> None:
        if self._draft.text is not None or self._draft.calls:
            self._close_draft()
        self._draft.text = plain_text(item.content or "")
        if self._draft.text is None:
            content = split_content(item.content, f"{at}.content", self._dialect)
            self._draft.text = _only_text(content, item.role, at)
            self._draft.refusal = content.refusal

    def _add_call(self, call: Call, at: str) -> None:
        call_id = call.call_id
        answers = self._outputs.get(call_id)
        if not answers:
            if at:
                raise _no_output(call_id, at)
            self.dropped.append(call_id)  # a stored response that was cut short
            return
        if self._draft.is_answered:
            self._close_draft()
        draft, extra = self._draft, call.extra_content
        draft.calls.append(
            ChatToolCall(
                call_id,
                ChatFunction(call.name, self._arguments(call.arguments, at)),
                extra_content=extra if extra and is_given(extra) else UNSET,
            )
        )
        output, output_at = answers.popleft()
        text = output.content
        if not isinstance(text, str):
            text = self._output_text(call_id, text, f"{output_at}.output")
        draft.outputs.append(ChatMessage("tool", text, tool_call_id=call_id))

    def _output_text(self, call_id: str, content: Content | None, at: str) -> str:
        """Return the text of an output; its media go behind all outputs."""
        split = split_content(content, at, self._dialect)
        text = split.as_output()
        if not split.media:
            return text
        self._draft.media.append({"type": "text", "text": f"(output of call {call_id})"})
        self._draft.media.extend(split.media)
        return text or "(see the next message)"

    def _arguments(self, given: str | dict[str, object] | None, at: str) -> str:
        """Return arguments that every template can read: a JSON object.

        llama.cpp, SGLang and transformers refuse anything else, and a broken call that a client
        sends back would poison every later turn (`observed.md` §4).
        """
        if isinstance(given, dict):
            check_depth(given, f"{at}.arguments")
            return _encode(given).decode()
        if not given:
            return "{}"
        try:
            _object.decode(given)
        except UNREADABLE:
            if given.isspace():
                return "{}"
            self.adapted.append(f"{at}.arguments")
            return _encode({"invalid_arguments": given}).decode()
        return given

    def _close_draft(self) -> None:
        draft = self._draft
        if draft.text is not None or draft.calls:
            self._messages.append(
                ChatMessage(
                    "assistant",
                    draft.text or "",  # empty beside calls: the one shape all servers accept
                    refusal=draft.refusal or UNSET,
                    tool_calls=tuple(draft.calls),
                    reasoning_content="\n".join(draft.reasoning) or UNSET,
                )
            )
            self._messages += draft.outputs
            if draft.media:
                self._messages.append(ChatMessage("user", draft.media))
        elif not draft.reasoning:
            return
        self._draft = _Draft()  # also for reasoning that nothing follows


def _open_nothing(sealed: str) -> None:
    return None


def _only_text(content: SplitContent, role: str, at: str) -> str:
    if content.media:
        kind = content.media[0]["type"]
        raise unsupported(f"{at}.content", f"holds {kind!r}, which a {role} message cannot")
    return content.text


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
