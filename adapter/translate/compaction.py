"""Compaction: a long conversation gives way to a summary that the chat model writes of it.

A request for it ends in a `compaction_trigger`, or goes to `/responses/compact`. The model is asked
for a summary in one more user message, without tools. The client carries the summary, sealed, in a
`compaction` item. On its way back the item becomes a user message: not a system message, because
what it tells came from users and tools and must not gain in rank. What stands before it and is no
message of a user or an operator is superseded, and left out.

Source: sheet §1 and §4; OpenAI's compaction guide ("you can drop items that came before the most
recent compaction item"); openai/codex `compact_remote_v2.rs` (one item, and 64,000 tokens of kept
messages, as OpenAI's own service keeps).
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Raw

from adapter.translate.items import TRIGGER, PlacedItem, read_input
from adapter.translate.replay import History
from adapter.translate.truncation import drop_oldest
from adapter.types.input import Call, CallOutput, CompactionItem, InputItem, MessageItem
from adapter.types.items import Compaction, Message, OutputText, Reasoning
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest
from adapter.types.response import CompactedResponse, Response, Usage

MAX_SUMMARY_CHARS = 200_000  # some 50,000 tokens: a model that does not stop
MAX_KEPT_BYTES = 256 * 1024  # of user messages that are kept word for word: some 64,000 tokens
_TRIGGER_BYTES = 1024  # at the end of the input: more than a trigger has
# It has an end, because some dialects join messages of the user.
_SHOWN = "Summary of the conversation so far:\n<summary>\n{}\n</summary>"

_PROMPT = """\
The conversation above is about to be replaced by a summary of it. Write that summary now.

Whoever goes on with the work will have nothing but your summary and what the user said. So tell, \
as far as it applies:
- what the user wants, with every requirement and preference;
- what was done and found out, with the exact names of files, functions, commands, values and errors;
- what was decided, and why; what was tried and did not work;
- what is still to be done, and the very next step.

Leave out nothing that is needed to go on, and all else. Answer with the summary alone. Do not go \
on with the work, and call no tools."""

# Fields of a request that shape how the model thinks, not what it answers.
_KEPT_FIELDS = (
    "model",
    "instructions",
    "temperature",
    "top_p",
    "reasoning",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "service_tier",
)
_KEPT_EXTRAS = ("chat_template_kwargs", "enable_thinking", "thinking", "thinking_budget")

_raws = msgspec.json.Decoder(list[Raw])
_encode = msgspec.json.Encoder().encode


class Compacted(msgspec.Struct, frozen=True):
    """A compaction, and what it cost.

    Attributes:
        item: what the client gets.
        usage: of the calls that wrote the summary.
        service_tier: the one that the upstream says it used.
    """

    item: Compaction
    usage: Usage | None = None
    service_tier: str | None = None


class _Tagged(msgspec.Struct, frozen=True):
    type: str | None = None


class _UserMessage(msgspec.Struct, frozen=True):
    """An item, as far as it matters if it is a message; its parts are passed on as they are."""

    role: str | None = None
    content: str | list[dict[str, Raw]] | None = None
    id: str | None = None


_tagged = msgspec.json.Decoder(_Tagged)
_input = msgspec.json.Decoder(str | list[_UserMessage] | _UserMessage)


def without_trigger(request: ResponseRequest) -> ResponseRequest | None:
    """Return a request without the trigger that it ends in, or None if it does not."""
    # It is the last item, and short: a long input is not searched.
    if TRIGGER.encode() not in bytes(memoryview(request.input)[-_TRIGGER_BYTES:]):
        return None
    try:
        items = _raws.decode(request.input)
        is_asked = bool(items) and _tagged.decode(items[-1]).type == TRIGGER
    except (msgspec.DecodeError, RecursionError):
        return None  # whatever is wrong with it is said where it is read
    return msgspec.structs.replace(request, input=Raw(_encode(items[:-1]))) if is_asked else None


def compact_threshold(request: ResponseRequest) -> int | None:
    """Return how many tokens a conversation may have before it is compacted; None for any."""
    thresholds = [entry.compact_threshold for entry in request.context_management or ()]
    return min((threshold for threshold in thresholds if threshold is not None), default=None)


def whole_conversation(request: ResponseRequest, history: History | None) -> tuple[PlacedItem, ...]:
    """Return what is to be summarised: what was said before, and what the request says.

    Raises:
        InvalidRequestError: an item of unknown type, or one that does not fit its type.
    """
    given = read_input(request.input, "input").items
    if not given and is_given(request.input_items):
        given = read_input(request.input_items, "input_items").items
    return (*(history.items if history is not None else ()), *given)


def to_summary_request(request: ResponseRequest, max_tokens: int | None) -> ResponseRequest:
    """Return the request for a summary, to be translated with the conversation as its history.

    Args:
        request: the request for compaction.
        max_tokens: the longest answer to ask for, or None for as long as the upstream likes.
    """
    kept = {name: getattr(request, name) for name in _KEPT_FIELDS}
    extras = {name: request.extras[name] for name in _KEPT_EXTRAS if name in request.extras}
    return ResponseRequest(
        **kept, input=Raw(_encode(_PROMPT)), max_output_tokens=max_tokens, extras=extras
    )


def without_oldest(items: Sequence[PlacedItem]) -> tuple[PlacedItem, ...] | None:
    """Return a conversation without its older half, or None if there is nothing to leave out."""
    shortened = drop_oldest(items, 0.5, keeps_question=False)
    return shortened.items if shortened.dropped else None


def summary_of(response: Response) -> str:
    """Return the summary that the model wrote; empty if it wrote none."""
    texts = (
        part.text
        for item in response.output
        if isinstance(item, Message)
        for part in item.content
        if isinstance(part, OutputText)
    )
    return "\n".join(texts).strip()[:MAX_SUMMARY_CHARS]


def thoughts_of(response: Response) -> str:
    """Return what the model thought of it: the next best thing, if it wrote nothing else."""
    texts = (
        part.text
        for item in response.output
        if isinstance(item, Reasoning) and item.content is not UNSET
        for part in item.content
    )
    return "\n".join(texts).strip()[:MAX_SUMMARY_CHARS]


def expand(
    items: Sequence[PlacedItem], open_sealed: Callable[[str], str | None]
) -> tuple[list[PlacedItem], list[str]]:
    """Return the items with a summary in place of what seals it, and the paths of what is gone.

    The last one that can be opened counts. Before it only messages of users and operators do, and
    calls whose output comes after it.

    Args:
        items: the conversation.
        open_sealed: (encrypted content) to the summary, or None if it is not ours.
    """
    summaries = {
        index: opened
        for index, placed in enumerate(items)
        if isinstance(placed.item, CompactionItem)
        and (opened := open_sealed(placed.item.encrypted_content or ""))
    }
    if not summaries:
        return list(items), []
    last = max(summaries)
    after = [placed.item for placed in items[last:]]
    waiting = {item.call_id or item.name for item in after if isinstance(item, CallOutput)}
    before = [(placed, _outlives(placed.item, waiting)) for placed in items[:last]]
    summary = MessageItem("user", _SHOWN.format(summaries[last]))
    shown = [placed for placed, stays in before if stays]
    shown += [PlacedItem(summary, items[last].at), *items[last + 1 :]]
    return shown, [placed.at for placed, stays in before if placed.at and not stays]


def to_compacted_response(
    request: ResponseRequest, response: Response, new_id: Callable[[str], str]
) -> CompactedResponse:
    """Return the answer of `/responses/compact`: what to go on with in place of the conversation.

    Args:
        request: the request for compaction.
        response: the response that holds the compaction.
        new_id: (prefix) to a new id.
    """
    compaction = next(item for item in response.output if isinstance(item, Compaction))
    raw = request.input if is_given(request.input) else request.input_items
    return CompactedResponse(
        id=response.id,
        created_at=response.created_at,
        output=(*_kept_messages(raw, new_id), compaction),
        usage=response.usage or Usage(),
    )


def _outlives(item: InputItem, waiting: set[str]) -> bool:
    """Tell whether an item counts although a summary comes after it."""
    if isinstance(item, MessageItem):
        return item.role != "assistant"
    return isinstance(item, Call) and not waiting.isdisjoint((item.call_id, item.name))


def _kept_messages(raw: Raw, new_id: Callable[[str], str]) -> list[dict[str, Any]]:
    """Return the user's messages, the newest that fit, as items of an output."""
    given = _input.decode(raw)
    if isinstance(given, str):
        given = [_UserMessage(role="user", content=given)]
    kept: list[dict[str, Any]] = []
    size = 0
    for item in reversed(given if isinstance(given, list) else [given]):
        if item.role != "user":
            continue
        message = _as_output(item, new_id)
        size += len(_encode(message["content"]))
        if kept and size > MAX_KEPT_BYTES:
            break
        kept.append(message)
    return kept[::-1]


def _as_output(message: _UserMessage, new_id: Callable[[str], str]) -> dict[str, Any]:
    content = message.content
    if isinstance(content, str):
        content = [{"type": _raw("input_text"), "text": _raw(content)}]
    return {
        "id": message.id or new_id("msg"),
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [
            {"detail": _raw("auto"), **part} if part.get("type") == _raw("input_image") else part
            for part in content or ()
        ],
    }


def _raw(text: str) -> Raw:
    return Raw(_encode(text))
