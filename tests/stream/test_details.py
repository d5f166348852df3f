"""`reasoning_details` are read as pieces, or as everything so far."""

from typing import Any

import pytest

from adapter.stream.details import ReasoningDetails


def text(*pieces: str) -> list[Any]:
    return [{"type": "reasoning.text", "text": piece} for piece in pieces]


# (name, each list repeats what came before, lists, what is new in each)
LISTS: list[tuple[str, bool, list[list[Any]], list[str]]] = [
    ("pieces", False, [text("Hm"), text(".")], ["Hm", "."]),
    ("several in one list", False, [text("H", "m")], ["Hm"]),
    ("a piece that is said twice", False, [text("ha"), text("ha")], ["ha", "ha"]),
    ("everything so far", True, [text("Hm"), text("Hm."), text("Hm.")], ["Hm", ".", ""]),
    ("pieces after all", True, [text("Hm"), text("."), text("Hm. So")], ["Hm", ".", " So"]),
    ("a summary", False, [[{"type": "reasoning.summary", "summary": "Hm."}]], ["Hm."]),
    ("no text", False, [[{"type": "reasoning.encrypted", "data": "x"}, 7, {"text": None}]], [""]),
    ("nothing", False, [[]], [""]),
]


@pytest.mark.parametrize(
    ("cumulative", "lists", "expected"),
    [pytest.param(*case, id=name) for name, *case in LISTS],
)
def test_the_text_that_is_new_is_returned(
    cumulative: bool, lists: list[list[Any]], expected: list[str]
) -> None:
    details = ReasoningDetails(cumulative=cumulative)

    assert [details.read(each) for each in lists] == expected
