"""What a connection remembers is bounded, and what conversations share is counted once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.asgi.connection_limits import ConnectionLimits
from adapter.asgi.connection_memory import ConnectionMemory


def memory(**limits: int) -> ConnectionMemory:
    return ConnectionMemory(ConnectionLimits(**limits))


def found(memory: ConnectionMemory, *response_ids: str) -> list[str]:
    """Return those of the ids that are found, which makes them the last used ones."""
    return [each for each in response_ids if memory.find(each) is not None]


def test_conversation_is_all_that_was_said_in_order() -> None:
    memory_ = memory()
    memory_.keep("1", None, None, b"a", b"A")
    memory_.keep("2", memory_.find("1"), None, b"b", b"B")

    last = memory_.find("2")

    assert last is not None
    assert last.parts() == [b"a", b"A", b"b", b"B"]
    assert last.chain_bytes == 4


def test_what_was_not_used_for_longest_goes_first() -> None:
    memory_ = memory(remembered=2)
    memory_.keep("1", None, None)
    memory_.keep("2", None, None)
    memory_.find("1")
    memory_.keep("3", None, None)

    assert found(memory_, "1", "2", "3") == ["1", "3"]


def test_older_responses_make_room_for_newer_ones() -> None:
    memory_ = memory(remembered_bytes=10)
    memory_.keep("1", None, None, b"x" * 6)
    memory_.keep("2", None, None, b"x" * 6)

    assert found(memory_, "1", "2") == ["2"]


def test_what_conversations_share_counts_once() -> None:
    memory_ = memory(remembered_bytes=10)
    memory_.keep("1", None, None, b"x" * 7)
    memory_.keep("2", memory_.find("1"), None, b"y")
    memory_.keep("3", memory_.find("1"), None, b"z")

    assert found(memory_, "1", "2", "3") == ["1", "2", "3"]


def test_beginning_that_is_forgotten_counts_as_long_as_it_is_continued() -> None:
    memory_ = memory(remembered_bytes=10)
    memory_.keep("1", None, None, b"x" * 7)
    memory_.keep("2", memory_.find("1"), None, b"y")
    memory_.forget("1", None)
    memory_.keep("3", None, None, b"z" * 3)

    assert found(memory_, "1", "2", "3") == ["3"]


def test_conversation_that_is_too_long_leaves_the_others() -> None:
    memory_ = memory(remembered_bytes=10)
    memory_.keep("1", None, None, b"x" * 6)
    memory_.keep("2", memory_.find("1"), None, b"y" * 6)

    assert found(memory_, "1", "2") == ["1"]


def test_response_that_is_forgotten_while_it_is_continued_counts_again() -> None:
    memory_ = memory(remembered_bytes=10)
    memory_.keep("1", None, None, b"x" * 6)
    parent = memory_.find("1")
    memory_.forget("1", None)
    memory_.keep("2", parent, None, b"y")
    memory_.keep("3", None, None, b"z" * 4)

    assert found(memory_, "2", "3") == ["3"]


@pytest.mark.parametrize(
    ("response_id", "lane", "expected"),
    [("1", "a", []), ("1", "b", ["1"]), ("1", None, ["1"]), ("9", "a", ["1"]), (None, "a", ["1"])],
)
def test_only_the_lane_of_a_response_can_forget_it(
    response_id: str | None, lane: str | None, expected: list[str]
) -> None:
    memory_ = memory()
    memory_.keep("1", None, "a")

    memory_.forget(response_id, lane)

    assert found(memory_, "1") == expected


def test_long_conversation_can_be_forgotten() -> None:
    memory_ = memory()
    for number in range(20_000):
        memory_.keep(str(number), memory_.find(str(number - 1)), None, b"x")

    memory_.keep("other", None, None, b"x" * ConnectionLimits().remembered_bytes)

    assert found(memory_, "19999", "other") == ["other"]


STEPS = st.lists(
    st.tuples(st.sampled_from(["keep", "forget"]), st.integers(0, 9), st.integers(0, 9)),
    max_size=40,
)


@given(STEPS, st.integers(1, 5), st.integers(0, 30))
def test_bounds_hold_whatever_is_done(
    steps: list[tuple[str, int, int]], remembered: int, remembered_bytes: int
) -> None:
    memory_ = memory(remembered=remembered, remembered_bytes=remembered_bytes)
    for number, (step, one, two) in enumerate(steps):
        if step == "keep":
            memory_.keep(f"{number}", memory_.find(f"{number - one}"), None, b"x" * two)
        else:
            memory_.forget(f"{one}", None)

        left = [response for key in range(number + 1) if (response := memory_.find(f"{key}"))]
        links = {id(link): link.size for response in left for link in response.links()}
        assert len(left) <= remembered
        assert sum(links.values()) <= remembered_bytes
