"""What is known of an upstream: told beforehand, by its answers, and by its refusals."""

from typing import Any

import msgspec
import pytest

from adapter.dialects import DIALECTS, GENERIC, Dialect
from adapter.dialects.base import ModelFacts
from adapter.habits import MAX_MODELS, Habits, find_change

BIG = Dialect(
    name="big",
    source="a test",
    models=(ModelFacts(("big-*",), {"strict_tools": False, "refuses": frozenset({"stop"})}),),
)
SEEN = b'data: {"choices":[],"system_fingerprint":"fp_ollama"}\n\n'
PLAIN = b'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n'


def changed(dialect: Dialect, **facts: Any) -> Dialect:
    return msgspec.structs.replace(dialect, **facts)


def test_named_dialect_is_known() -> None:
    habits = Habits(BIG)

    assert (habits.is_known, habits.of("small")) == (True, changed(BIG, models=()))
    assert habits.of("big-1").refuses == {"stop"}


def test_upstream_that_nobody_named_is_treated_as_one_that_nobody_knows() -> None:
    habits = Habits()

    assert (habits.is_known, habits.of("m")) == (False, GENERIC)


@pytest.mark.parametrize(
    ("headers", "beginning", "name"),
    [
        ({}, SEEN, "ollama"),
        ({}, b": hello\n\n" + SEEN, "ollama"),
        ({}, SEEN.removeprefix(b"data: ").strip(), "ollama"),
        ({"server": "llama.cpp"}, PLAIN, "llama.cpp"),
        ({"server": "llama.cpp"}, b"", "llama.cpp"),
    ],
)
def test_first_answer_tells_the_dialect(
    headers: dict[str, str], beginning: bytes, name: str
) -> None:
    habits = Habits(dialects=DIALECTS)

    habits.observe(headers, beginning)

    assert (habits.is_known, habits.dialect) == (True, DIALECTS[name])


def test_answer_that_tells_nothing_is_enough() -> None:
    habits = Habits(dialects=DIALECTS)

    habits.observe({}, PLAIN)

    assert (habits.is_known, habits.dialect) == (True, GENERIC)


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b": OPENROUTER PROCESSING\n\n", id="comment"),
        pytest.param(SEEN[:40], id="half-a-chunk"),
        pytest.param(b'data: {"error": {"message": "No."}}\n\n', id="error"),
        pytest.param(b"data: 1\n\n", id="number"),
        pytest.param(b"\xff", id="no-text"),
        pytest.param(b"[" * 100_000, id="nested"),
    ],
)
def test_what_is_no_chunk_tells_nothing_yet(beginning: bytes) -> None:
    habits = Habits(dialects=DIALECTS)

    habits.observe({}, beginning)
    assert habits.is_known is False

    habits.observe({}, SEEN)
    assert habits.dialect.name == "ollama"


def test_lesson_holds_for_its_model_alone() -> None:
    habits = Habits(BIG)
    before = habits.of("a")

    habits.learn("a", before, changed(before, refuses=frozenset({"seed"})))

    assert habits.of("a").refuses == {"seed"}
    assert habits.of("b").refuses == frozenset()
    assert habits.of("big-1").refuses == {"stop"}


def test_lesson_holds_beside_what_is_found_out_later() -> None:
    habits = Habits()
    before = habits.of("big-1")
    habits.learn("big-1", before, changed(before, refuses=frozenset({"seed"}), system_role="user"))

    habits.settle(BIG)

    assert habits.of("big-1") == changed(
        BIG, models=(), strict_tools=False, refuses=frozenset({"seed", "stop"}), system_role="user"
    )


def test_lessons_of_requests_at_the_same_time_add_up() -> None:
    habits = Habits()
    before = habits.of("m")

    first = {"refuses": frozenset({"seed"}), "late_system": "system", "ranges": {"top_p": (0, 1)}}
    second = {"refuses": frozenset({"top_k"}), "call_id_length": 9, "ranges": {"min_p": (0, 1)}}

    habits.learn("m", before, changed(before, **first))
    habits.learn("m", before, changed(before, **second))

    after = habits.of("m")
    assert (after.refuses, after.late_system, after.call_id_length) == (
        {"seed", "top_k"},
        "system",
        9,
    )
    assert after.ranges == {"top_p": (0, 1), "min_p": (0, 1)}


def test_later_lesson_takes_back_an_earlier_one() -> None:
    habits = Habits()
    first = habits.of("m")
    second = changed(first, formats=frozenset({"json_object"}), parts=first.parts | {"file"})

    habits.learn("m", first, second)
    habits.learn("m", second, changed(second, formats=first.formats, parts=first.parts))

    assert habits.of("m") == first


def test_change_makes_one_dialect_of_another() -> None:
    rows = list(DIALECTS.values())
    for before, after in zip(rows, [*rows[1:], rows[0]], strict=True):
        assert find_change(before, after).apply(before) == after
        assert find_change(before, before).apply(after) == after
        there_and_back = find_change(before, after).then(find_change(after, before))
        assert there_and_back.apply(before) == before


def test_models_that_are_remembered_are_limited() -> None:
    """Names are the clients' words."""
    habits = Habits()
    lesson = changed(GENERIC, refuses=frozenset({"seed"}))

    for number in range(MAX_MODELS + 1):
        habits.learn(f"m{number}", GENERIC, lesson)

    assert habits.of("m0") == GENERIC
    assert habits.of("m1") == habits.of(f"m{MAX_MODELS}") == lesson
