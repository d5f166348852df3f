"""When a conversation is compacted or truncated, and what becomes of it if that fails.

The whole of it is tested in `tests/asgi/test_truncation.py` and `test_context_management.py`.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import Raw

from adapter.errors import UpstreamError
from adapter.room import Room
from adapter.translate.compaction import Compacted
from adapter.translate.items import PlacedItem
from adapter.types.input import CompactionItem, MessageItem
from adapter.types.items import Compaction
from adapter.types.request import ContextManagement, ResponseRequest
from adapter.types.response import Usage

pytestmark = pytest.mark.anyio

COMPACTED = Compacted(Compaction("cmp_1", "sealed"))
SAID = [PlacedItem(MessageItem("assistant", "Well."))]


def request(*thresholds: int | None, **fields: Any) -> ResponseRequest:
    management = [ContextManagement("compaction", threshold) for threshold in thresholds]
    return ResponseRequest(
        model="m", input=Raw(b'"Hi"'), context_management=management or None, **fields
    )


async def compact(said: Sequence[PlacedItem]) -> Compacted:
    return COMPACTED


async def fail(said: Sequence[PlacedItem]) -> Compacted:
    raise UpstreamError("No.")


@pytest.mark.parametrize(
    ("thresholds", "tokens", "is_short"),
    [
        ([100], 101, True),
        ([100], 100, False),
        ([200, 100], 101, True),
        ([None, 100], 101, True),
        ([None], 101, False),
        ([], 101, False),
    ],
)
def test_room_is_short_beyond_the_least_threshold(
    thresholds: list[int | None], tokens: int, is_short: bool
) -> None:
    room = Room(request(*thresholds), compact)

    assert room.is_short(Usage(total_tokens=tokens)) is is_short
    assert not room.is_short(None)


def test_room_is_never_short_where_nothing_compacts() -> None:
    assert not Room(request(100), None).is_short(Usage(total_tokens=101))


async def test_compaction_is_what_the_compactor_makes() -> None:
    assert await Room(request(100), compact).compact(SAID) is COMPACTED
    assert await Room(request(None), compact).compact([]) is COMPACTED


@pytest.mark.parametrize(
    ("room", "said"),
    [
        pytest.param(Room(request(), compact), SAID, id="not asked for"),
        pytest.param(Room(request(100), None), SAID, id="nothing to seal it with"),
        pytest.param(Room(request(100), fail), SAID, id="a failure"),
        pytest.param(
            Room(request(100), compact),
            [*SAID, PlacedItem(CompactionItem("sealed"))],
            id="nothing new since the last one",
        ),
    ],
)
async def test_without_a_compaction_the_response_goes_on(
    room: Room, said: list[PlacedItem]
) -> None:
    assert await room.compact(said) is None


@pytest.mark.parametrize("field", ["max_output_tokens", "max_completion_tokens", "max_tokens"])
def test_truncation_leaves_room_for_the_answer_that_is_asked_for(field: str) -> None:
    room = Room(request(truncation="auto", **{field: 300}), None)

    assert room.drop("request (1000 tokens) exceeds the available context size (800 tokens)", 0.0)
    assert room.drop_share == pytest.approx(1 - 0.95 * 0.5)


@pytest.mark.parametrize("truncation", ["disabled", None])
def test_nothing_is_left_out_unless_the_client_allows_it(truncation: Any) -> None:
    room = Room(request(truncation=truncation), None)

    assert not room.drop("Prompt too long", 0.0)
    assert room.drop_share == 0.0
