"""What is left out of a conversation that does not fit, and how much of it.

Source: sheet §3, `truncation`; issue 6.
"""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as generated
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.json import encode

from adapter.translate.items import PlacedItem, read_input
from adapter.translate.truncation import MEDIA_BYTES, drop_oldest, next_share
from adapter.types.input import (
    Call,
    CallOutput,
    McpApprovalRequestItem,
    McpApprovalResponseItem,
    McpCallItem,
    MessageItem,
)

IMAGE = {"type": "input_image", "image_url": "data:image/png;base64," + "A" * 100_000}


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def call(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id: str, text: str = "1") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": text}


def reasoning(text: str) -> dict[str, Any]:
    content = [{"type": "reasoning_text", "text": text}]
    return {"type": "reasoning", "summary": [], "content": content}


SYSTEM = {"role": "system", "content": "S"}
DEVELOPER = {"role": "developer", "content": "D"}
TWO_TURNS = [SYSTEM, user("1"), call("a"), output("a"), assistant("2"), user("3"), assistant("4")]
STEPS = [
    SYSTEM,
    user("q"),
    *(reasoning("x"), call("a"), call("b"), output("a"), output("b")),
    *(assistant("y"), call("c"), output("c")),
    *(call("d"), output("d")),
]


def items_of(given: list[dict[str, Any]]) -> list[PlacedItem]:
    return read_input(Raw(encode(given)), "input").items


def places(dropped: tuple[PlacedItem, ...]) -> list[int]:
    return [int(placed.at.removeprefix("input[").removesuffix("]")) for placed in dropped]


@pytest.mark.parametrize(
    ("given", "share", "dropped"),
    [
        pytest.param(TWO_TURNS, 0.0, [], id="nothing is asked for"),
        pytest.param(TWO_TURNS, 0.01, [1, 2, 3, 4], id="a whole turn"),
        pytest.param(TWO_TURNS, 1.0, [1, 2, 3, 4], id="not the last question and what follows"),
        pytest.param(
            [user("1"), DEVELOPER, user("2"), SYSTEM, user("3")],
            1.0,
            [0, 2],
            id="no operator, wherever it stands",
        ),
        pytest.param([assistant("0"), *TWO_TURNS], 0.01, [0], id="what came before any question"),
        pytest.param(
            [user("1"), user("2"), user("3")], 0.4, [0, 1], id="as many turns as it takes"
        ),
        pytest.param([*TWO_TURNS, *STEPS], 0.2, [1, 2, 3, 4, 5, 6], id="turns before steps"),
        pytest.param(STEPS, 0.01, [2, 3, 4, 5, 6], id="a step, with all of its calls"),
        pytest.param(STEPS, 0.7, [2, 3, 4, 5, 6, 7, 8, 9], id="two steps"),
        pytest.param(STEPS, 1.0, [2, 3, 4, 5, 6, 7, 8, 9], id="not the newest step"),
        pytest.param(
            [user("q"), call("a"), call("b"), output("a"), call("c"), output("b"), output("c")],
            1.0,
            [],
            id="no step whose output comes in the newest",
        ),
        pytest.param(
            [user("1"), call("a"), user("2"), output("a"), user("3"), assistant("4")],
            0.01,
            [0, 1, 2, 3],
            id="a call goes with its output, turns later",
        ),
        pytest.param(
            [user("1"), call("a"), user("2"), output("a")],
            1.0,
            [],
            id="no call whose output follows the last question",
        ),
        pytest.param(
            [user("1"), call("a"), {**output("a"), "call_id": None, "name": "f"}, user("2")],
            1.0,
            [0, 1, 2],
            id="an output that knows its call by name",
        ),
        pytest.param(
            [call("a"), output("a"), call("b"), output("b")],
            1.0,
            [0, 1],
            id="steps, where there is no question",
        ),
        pytest.param([user("1")], 1.0, [], id="not all that there is"),
        pytest.param([], 1.0, [], id="nothing of nothing"),
    ],
)
def test_oldest_goes_first(given: list[dict[str, Any]], share: float, dropped: list[int]) -> None:
    shortened = drop_oldest(items_of(given), share)

    assert places(shortened.dropped) == dropped
    assert len(shortened.items) + len(shortened.dropped) == len(given)


def test_question_may_go_where_another_one_follows() -> None:
    given = [SYSTEM, user("1"), call("a"), output("a"), assistant("2")]

    assert places(drop_oldest(items_of(given), 1.0, keeps_question=False).dropped) == [1, 2, 3]


def test_pair_of_an_approval_stays_together() -> None:
    request = PlacedItem(McpApprovalRequestItem("mcpr_1", "s", "f"))
    response = PlacedItem(McpApprovalResponseItem("mcpr_1", approve=True))
    first, second = items_of([user("1"), user("2")])

    assert drop_oldest([first, request, second, response], 1.0).dropped == ()
    assert drop_oldest([first, second, response], 1.0).dropped == (first,)


def test_call_of_a_hosted_tool_is_a_step() -> None:
    calls = [PlacedItem(McpCallItem(f"mcp_{number}", "s", "f")) for number in range(3)]

    assert drop_oldest([*items_of([user("1")]), *calls], 0.2).dropped == (calls[0],)


def test_rest_of_the_request_counts() -> None:
    given = items_of([user("1" * 100), user("2" * 100), user("3")])

    assert len(drop_oldest(given, 0.3).dropped) == 1
    assert len(drop_oldest(given, 0.3, other_bytes=300).dropped) == 2


def test_picture_counts_for_what_it_shows_not_for_its_bytes() -> None:
    given = items_of([user([IMAGE]), user("2" * MEDIA_BYTES), user("3")])

    assert len(drop_oldest(given, 0.6).dropped) == 2


ITEMS = st.one_of(
    st.sampled_from([SYSTEM, DEVELOPER, user("u"), assistant("a"), reasoning("r")]),
    st.sampled_from(["a", "b", "c"]).map(call),
    st.sampled_from(["a", "b", "c"]).map(output),
)


@generated(st.lists(ITEMS, max_size=20), st.floats(0, 1))
def test_what_may_not_go_stays_and_order_is_kept(given: list[Any], share: float) -> None:
    items = items_of(given)

    left = drop_oldest(items, share).items

    positions = [items.index(placed) for placed in left]
    assert all(one < other for one, other in pairwise(positions))
    messages = [placed for placed in items if isinstance(placed.item, MessageItem)]
    for placed in messages:
        if placed.item.role in ("system", "developer"):  # type: ignore[union-attr]
            assert placed in left
    questions = [placed for placed in messages if placed.item.role == "user"]  # type: ignore[union-attr]
    assert questions[-1:] == [placed for placed in left if placed in questions][-1:]


@generated(st.permutations([call("a"), call("b"), user("1"), user("2"), assistant("3")]))
def test_call_and_output_are_never_split(order: list[Any]) -> None:
    given = [*order, output("b"), user("4"), output("a"), user("5")]

    left = drop_oldest(items_of(given), 1.0).items

    calls = {placed.item.call_id for placed in left if isinstance(placed.item, Call)}
    outputs = {placed.item.call_id for placed in left if isinstance(placed.item, CallOutput)}
    assert calls == outputs


@pytest.mark.parametrize(
    ("share", "message", "limit", "expected"),
    [
        pytest.param(0.0, "Prompt too long", None, 0.5, id="half, where nothing is told"),
        pytest.param(0.5, "Prompt too long", None, 0.75, id="half of what was left"),
        pytest.param(
            0.0,
            "request (16000 tokens) exceeds the available context size (8000 tokens)",
            None,
            1 - 0.95 * 7000 / 16000,
            id="what is too much, and room for an answer",
        ),
        pytest.param(
            0.0,
            "request (16000 tokens) exceeds the available context size (8000 tokens)",
            2000,
            1 - 0.95 * 6000 / 16000,
            id="room for the answer that was asked for",
        ),
        pytest.param(
            0.0,
            "request (16000 tokens) exceeds the available context size (8000 tokens)",
            100_000,
            1 - 0.95 * 4000 / 16000,
            id="room for the conversation",
        ),
        pytest.param(
            0.5,
            "request (10000 tokens) exceeds the available context size (8000 tokens)",
            None,
            1 - 0.5 * 0.95 * 7000 / 10000,
            id="of what was left",
        ),
        pytest.param(
            0.0,
            "request (8001 tokens) exceeds the available context size (8000 tokens)",
            1,
            1 - 0.95 * 7999 / 8001,
            id="a little, where little is too much",
        ),
    ],
)
def test_share_that_has_to_go(
    share: float, message: str, limit: int | None, expected: float
) -> None:
    assert next_share(share, message, limit) == pytest.approx(expected)
