"""What is wrong with a text, as a model can be told."""

import pytest

from adapter.tools.grammars.match import find_grammar_misfit
from adapter.tools.grammars.read import read_grammar


@pytest.mark.parametrize(
    ("definition", "text", "misfit"),
    [
        pytest.param("abc", "abd", "line 1, column 3: 'd' does not fit; expected 'c'", id="char"),
        pytest.param("abc", "ab", "line 1, column 3: it ends too early; expected 'c'", id="end"),
        pytest.param("abc", "abcd", "line 1, column 4: 'd' does not fit", id="more"),
        pytest.param("a\n[bc]", "a\nd", "line 2, column 1: 'd' does not fit; expected 'b' or 'c'", id="line"),
        pytest.param("[a-z]+", "aB", "line 1, column 2: 'B' does not fit", id="too-many-to-tell"),
        pytest.param("[a-e][f-i][j-m]|[n-q]", "x", "line 1, column 1: 'x' does not fit", id="nine-are-too-many"),
        pytest.param("\n+", "a", "line 1, column 1: 'a' does not fit; expected '\\n'", id="blank"),
    ],
)  # fmt: skip
def test_it_says_where_a_text_stops_fitting(definition: str, text: str, misfit: str) -> None:
    assert find_grammar_misfit(read_grammar("regex", definition), text) == misfit


def test_it_says_so_of_rules_that_lead_back_to_themselves() -> None:
    grammar = read_grammar("lark", 'start: "(" start? ")"')

    assert find_grammar_misfit(grammar, "(())") is None
    assert find_grammar_misfit(grammar, "(()") == (
        "line 1, column 4: it ends too early; expected ')'"
    )
    assert find_grammar_misfit(grammar, "(]") == (
        "line 1, column 2: ']' does not fit; expected '(' or ')'"
    )
