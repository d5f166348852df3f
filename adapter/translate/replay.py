"""Earlier responses as history: their input and output, as a client would have sent them back.

Both are kept as JSON, which is small and says nothing of its keeper: the memory of a WebSocket
connection and a store of responses go through the same door. What a model is not shown again (log
probabilities, annotations) is left out.
"""

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Raw

from adapter.translate.items import PlacedItem, read_input
from adapter.types.items import Message, OutputItem, OutputText
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

# Where errors and reports say that something of the history stands.
_AT = "previous_response_id"

_encode = msgspec.json.Encoder().encode


class History(msgspec.Struct, frozen=True):
    """What was said before a request.

    Attributes:
        items: the conversation.
        tools: raw tools that its items brought, with their paths: they are still offered.
    """

    items: tuple[PlacedItem, ...] = ()
    tools: tuple[tuple[str, Raw], ...] = ()


def own_input(request: ResponseRequest) -> bytes:
    """Return the JSON of what a request says itself, under whichever name; empty for nothing."""
    if is_given(request.input_items) and not read_input(request.input, "input").items:
        return bytes(request.input_items)
    return bytes(request.input)


def own_output(items: Sequence[OutputItem]) -> bytes:
    """Return the JSON of what a response says."""
    return _encode([_bare(item) for item in items])


def read_history(parts: Iterable[bytes]) -> History:
    """Return the history of a conversation.

    Args:
        parts: what `own_input` and `own_output` gave for its responses, in order.

    Raises:
        InvalidRequestError: a part is no input.
    """
    items: list[PlacedItem] = []
    tools: list[tuple[str, Raw]] = []
    for part in parts:
        read = read_input(Raw(part), _AT)
        items += (PlacedItem(placed.item) for placed in read.items)
        tools += read.tools
    return History(tuple(items), tuple(tools))


def _bare(item: OutputItem) -> OutputItem:
    if not isinstance(item, Message):
        return item
    content = tuple(
        OutputText(part.text) if isinstance(part, OutputText) else part for part in item.content
    )
    return msgspec.structs.replace(item, content=content)
