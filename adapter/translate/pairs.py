"""Which output answers which call: the n-th output of an id its n-th call, wherever both stand."""

from collections import Counter, defaultdict, deque
from collections.abc import Mapping, Sequence

import msgspec

from adapter.errors import InvalidRequestError
from adapter.translate.items import PlacedItem
from adapter.types.input import Call, CallOutput

PlacedOutput = tuple[CallOutput, str]  # and its path


class Pairs(msgspec.Struct, frozen=True):
    """The calls of a conversation.

    Attributes:
        call_ids: of the calls.
        outputs: by call id, each in the order of its calls.
        orphans: call ids of stored outputs whose call is gone.
    """

    call_ids: Sequence[str] = ()
    outputs: Mapping[str, deque[PlacedOutput]] = {}
    orphans: Sequence[str] = ()


_NO_CALLS = Pairs()


def pair_outputs(items: Sequence[PlacedItem]) -> Pairs:
    """Return the calls of a conversation with their outputs.

    Raises:
        InvalidRequestError: an output of the request itself without its call.
    """
    calls: list[Call] = []
    outputs: list[PlacedOutput] = []
    for placed in items:
        item = placed.item
        if isinstance(item, Call):
            calls.append(item)
        elif isinstance(item, CallOutput):
            outputs.append((item, placed.at))
    if not calls and not outputs:
        return _NO_CALLS
    call_ids = [call.call_id for call in calls]
    waiting = Counter(call_ids)
    named: Mapping[str, deque[str]] | None = None
    answers: defaultdict[str, deque[PlacedOutput]] = defaultdict(deque)
    orphans: list[str] = []
    for output, at in outputs:
        call_id = output.call_id
        if not call_id:
            named = _ids_by_name(calls) if named is None else named
            call_id = _first(named.get(output.name), waiting)
        if waiting[call_id]:
            waiting[call_id] -= 1
            answers[call_id].append((output, at))
        elif at:
            raise _no_call(call_id, at)
        else:
            orphans.append(call_id)
    return Pairs(call_ids, answers, orphans)


def _ids_by_name(calls: Sequence[Call]) -> Mapping[str, deque[str]]:
    named: defaultdict[str, deque[str]] = defaultdict(deque)
    for call in calls:
        named[call.name].append(call.call_id)
    return named


def _first(call_ids: deque[str] | None, waiting: Mapping[str, int]) -> str:
    """Return the id of the first of the calls that has no output yet, or empty."""
    while call_ids and not waiting[call_ids[0]]:
        call_ids.popleft()
    return call_ids[0] if call_ids else ""


def _no_call(call_id: str, at: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"No tool call found for function call output with call_id {call_id[:128]}.",
        code="invalid_value",
        param=f"{at}.call_id",
    )
