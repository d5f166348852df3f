"""Patterns of JSON schemas: only where JSON writes the text as it is."""

import json

import pytest

from adapter.tools.grammars.nodes import GrammarError
from adapter.tools.grammars.pattern import MAX_REGEX_CHARS, to_json_pattern, to_regex
from adapter.tools.grammars.read import Syntax, read_grammar


@pytest.mark.parametrize(
    ("syntax", "definition", "pattern"),
    [
        ("regex", r"\d{4}-\d{2}", r"^([0-9]{4}-[0-9]{2})$"),
        ("regex", "SELECT [a-z]+|DROP", "^(SELECT [a-z]+|DROP)$"),
        ("regex", r"[^\x00-\x1f\\\"]+", r'^([^\x00-\x1f"\\]+)$'),
        ("regex", r"a\.b(\.)+\(\[x/-", r"^(a\.b(\.)+\(\[x/-)$"),
        ("lark", 'start: A ("," A)*\nA: "é"', "^(é(,é)*)$"),
        ("lark", 'start: ("ab")~2 "c"?', "^((ab){2}c?)$"),
    ],
)
def test_it_is_the_pattern_of_a_string(syntax: Syntax, definition: str, pattern: str) -> None:
    """With nothing that llama.cpp does not read in one (its issues 27397 and 27580)."""
    assert to_json_pattern(read_grammar(syntax, definition)) == pattern


@pytest.mark.parametrize(
    "definition", [".", "a\nb", '"', r"\\", r"\s", "[^a]", r"[\s\S]*", "\x7f\x1f"]
)
def test_there_is_none_for_what_json_writes_otherwise(definition: str) -> None:
    """Servers apply it to the text with its escapes: the one would not be what was meant."""
    with pytest.raises(GrammarError, match="a text that JSON writes in another way"):
        to_json_pattern(read_grammar("regex", definition))


def test_all_that_it_lets_through_is_itself_in_json() -> None:
    for code in (*range(0x250), 0x2028, 0xFFFF, 0x1F600):
        try:
            to_json_pattern(read_grammar("regex", f"\\U{code:08X}"))
        except GrammarError:
            continue
        assert json.dumps(chr(code), ensure_ascii=False) == f'"{chr(code)}"'


@pytest.mark.parametrize("write", [to_regex, to_json_pattern])
def test_it_has_an_end(write: object) -> None:
    grammar = read_grammar("regex", "[acegikmoq]{1,3}" * 1_500)

    with pytest.raises(GrammarError, match=r"too long|too large"):
        write(grammar)  # type: ignore[operator]  # both are functions
    assert MAX_REGEX_CHARS < 1_500 * 15
