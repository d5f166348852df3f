"""Truncation: the oldest of a conversation is left out, so that the rest fits into the context.

What goes first are whole turns, each a message of the user and all that follows until the next.
Then go the steps of the last turn: what the model said and called in one go, and what came of it.
Never left out: system and developer messages, the last message of the user, the newest step. A call
and its output go together or stay together.

Sizes are counted in bytes of JSON, and compared with each other only: which share of a request has
to go is what an upstream's refusal tells, in its own tokens.

Source: sheet §3; OpenAI SDK 3.51, `truncation` ("dropping items from the beginning of the
conversation").
"""

from collections.abc import Hashable, Sequence

import msgspec

from adapter.translate.items import PlacedItem
from adapter.translate.overflow import overflow_counts
from adapter.types.input import (
    Call,
    CallOutput,
    Content,
    InputItem,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    MessageItem,
)
from adapter.types.parts import InputText as InputTextPart
from adapter.types.parts import OutputTextPart, RefusalPart, TextPart

# Of the context, kept free for the answer where the client sets no limit for it.
ANSWER_SHARE = 1 / 8
# And where it sets one that would leave no room for the conversation.
MAX_ANSWER_SHARE = 1 / 2
# Bytes and tokens are not in the same proportion everywhere in a text.
MARGIN = 0.05
# An image or a file, in bytes of text: some 1,000 tokens. Its own bytes say nothing of its tokens.
MEDIA_BYTES = 4000
# Around the content of a message, for its role and the marks of a template: some 5 tokens.
MESSAGE_BYTES = 20

_encode = msgspec.json.Encoder().encode
_TEXTS = (InputTextPart, OutputTextPart, TextPart, RefusalPart)


class Shortened(msgspec.Struct, frozen=True):
    """A conversation without its oldest part.

    Attributes:
        items: what is left.
        dropped: what is not.
        share: how much of the request that is, which may be more than was asked for.
    """

    items: tuple[PlacedItem, ...]
    dropped: tuple[PlacedItem, ...]
    share: float


def drop_oldest(
    items: Sequence[PlacedItem],
    share: float,
    *,
    other_bytes: int = 0,
    keeps_question: bool = True,
) -> Shortened:
    """Leave out the oldest of a conversation; less than was asked for if the rest has to stay.

    Args:
        items: the conversation.
        share: of the request, how much is to go: from 0 to 1.
        other_bytes: of the request besides the conversation, such as its tools.
        keeps_question: the last message of the user stays, whatever is asked for.
    """
    if not share:
        return Shortened(tuple(items), (), 0.0)
    all_bytes = other_bytes + sum(map(_size, items))
    gone: set[int] = set()
    dropped_bytes = 0
    for step in _steps_that_may_go(items, keeps_question):
        if dropped_bytes >= share * all_bytes:
            break
        gone.update(step)
        dropped_bytes += sum(_size(items[index]) for index in step)
    return Shortened(
        tuple(placed for index, placed in enumerate(items) if index not in gone),
        tuple(placed for index, placed in enumerate(items) if index in gone),
        dropped_bytes / all_bytes if gone else 0.0,
    )


def next_share(share: float, message: str, max_output_tokens: int | None) -> float:
    """Return how much of a request is to go, after one without `share` of it did not fit.

    Args:
        share: what was left out.
        message: the upstream's refusal; what it tells of tokens is enough to do it at once.
            Otherwise half of what was sent goes.
        max_output_tokens: the longest answer that the client asked for.
    """
    kept = 1 / 2
    if counts := overflow_counts(message):
        asked, allowed = counts
        answer = max_output_tokens or allowed * ANSWER_SHARE
        room = allowed - min(answer, allowed * MAX_ANSWER_SHARE)
        kept = min(room / asked, 1.0) * (1 - MARGIN)
    return 1 - (1 - share) * kept


def _steps_that_may_go(items: Sequence[PlacedItem], keeps_question: bool) -> list[list[int]]:
    """Return the positions of each step that may be left out, the oldest first."""
    question = max((index for index in range(len(items)) if _is_from_user(items[index])), default=0)
    steps = [
        [index for index in step if not _is_operator(items[index].item)]
        for step in _steps(items, question)
    ]
    steps = [step for step in steps if step]
    return [step for step in steps[:-1] if not (keeps_question and _asks(items, question, step))]


def _asks(items: Sequence[PlacedItem], question: int, step: Sequence[int]) -> bool:
    return question in step and _is_from_user(items[question])


def _steps(items: Sequence[PlacedItem], question: int) -> list[range]:
    """Divide a conversation: into turns before the last question, and steps from there on."""
    ends = _last_of_its_kin(items)
    steps: list[range] = []
    start = reach = 0
    for index, placed in enumerate(items):
        is_new = _is_from_user(placed) or index == question + 1
        if index > question:
            follows = isinstance(items[index - 1].item, CallOutput | McpCallItem)
            is_new = is_new or (follows and not isinstance(placed.item, CallOutput))
        if is_new and index > reach:
            steps.append(range(start, index))
            start = index
        reach = max(reach, ends.get(index, index))
    steps.append(range(start, len(items)))
    return steps


def _last_of_its_kin(items: Sequence[PlacedItem]) -> dict[int, int]:
    """Return where the last item stands that belongs to each one that begins something."""
    first: dict[Hashable, int] = {}
    names: dict[str, str] = {}
    ends: dict[int, int] = {}
    for index, placed in enumerate(items):
        match placed.item:
            case Call(call_id=call_id, name=name):
                first[call_id] = index
                names[name] = call_id
            case CallOutput(call_id=call_id, name=name):
                begun = first.get(call_id or names.get(name))
                if begun is not None:
                    ends[begun] = index
            case McpApprovalRequestItem(id=id):
                first[("approval", id)] = index
            case McpApprovalResponseItem(approval_request_id=id):
                begun = first.get(("approval", id))
                if begun is not None:
                    ends[begun] = index
            case _:
                pass
    return ends


def _is_operator(item: InputItem) -> bool:
    return isinstance(item, MessageItem) and item.role in ("system", "developer")


def _is_from_user(placed: PlacedItem) -> bool:
    return isinstance(placed.item, MessageItem) and placed.item.role == "user"


def _size(placed: PlacedItem) -> int:
    match placed.item:
        case MessageItem(content=content) | CallOutput(content=content):
            return MESSAGE_BYTES + _content_size(content)
        case item:
            return len(_encode(item))


def _content_size(content: Content | None) -> int:
    if not isinstance(content, list):
        return len(_encode(content))
    return sum(len(_encode(part)) if isinstance(part, _TEXTS) else MEDIA_BYTES for part in content)
