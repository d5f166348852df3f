"""Grammars and texts that are made to cost much: each is refused, or done with in a few steps."""

from itertools import pairwise

import pytest

from adapter.tools.grammars.forms import grammar_form, input_misfit
from adapter.tools.grammars.match import MAX_STEPS, find_grammar_misfit
from adapter.tools.grammars.nodes import MAX_DEFINITION_CHARS, GrammarError
from adapter.tools.grammars.read import Syntax, read_grammar

pytestmark = pytest.mark.timeout(5)

LONG = MAX_DEFINITION_CHARS

# Which of them end is only seen one by one, whichever way they are looked at.
_ZIGZAG = [number for pair in zip(range(1, 50), range(99, 50, -1), strict=True) for number in pair]
# Ninety rules, of which each leads to the next from fifty groups.
DEEP = "".join(
    f"a{n}: {'{opening}' * 50} a{n + 1} '' {'{closing}' * 50}\n".replace("''", '""')
    for n in range(90)
)
ENTANGLED = "\n".join(
    [
        "start: " + " ".join(f"a{number}" for number in range(1, 100)),
        *(f"a{one}: a{other}" for one, other in pairwise(_ZIGZAG)),
        f'a{_ZIGZAG[-1]}: "x"',
        'a50: "x"',
    ]
)


@pytest.mark.parametrize(
    ("syntax", "definition"),
    [
        pytest.param("regex", "a" * (LONG + 1), id="long"),
        pytest.param("regex", "(" * 10_000 + ")" * 10_000, id="groups"),
        pytest.param("regex", "(?:" * 65 + ")" * 65, id="groups-that-capture-nothing"),
        pytest.param("regex", "((a{1000}){1000}){1000}", id="repetitions-of-repetitions"),
        pytest.param("regex", "a{1001}", id="count"),
        pytest.param("regex", "a{999999999}", id="large-count"),
        pytest.param("regex", "a{99999999999999999999}{2}", id="larger-count"),
        pytest.param("regex", "(a{0,1000}){0,1000}", id="optional-repetitions"),
        pytest.param("lark", "x" * (LONG + 1), id="long-lark"),
        pytest.param("lark", "start: " + "(" * 10_000, id="groups-of-rules"),
        pytest.param("lark", "start: " + "[" * 65 + '"a"' + "]" * 65, id="optional-groups"),
        pytest.param("lark", 'start: ("a"~1000)~1000', id="counts-of-counts"),
        pytest.param("lark", 'start: t{"a"}\nt{x}: t{(x x)} | x', id="template-that-grows"),
        pytest.param("lark", 'start: t{"a"}\nt{x}: t{x?} | x', id="template-that-deepens"),
        pytest.param("lark", 'start: t{"a"}\nt{x}: t{"b" x} | x', id="template-without-end"),
        pytest.param("lark", "start: " + "/a{1000}/ " * 1000, id="terminals"),
        pytest.param("lark", "start: a0\n" + "".join(f"a{n}: a{n + 1}\n" for n in range(3000)), id="many-rules"),
        pytest.param("lark", ENTANGLED, id="entangled"),
        pytest.param("lark", "start: a0*\n" + DEEP.format(opening="[", closing="]") + "a90: [/x/]", id="deep-and-empty"),
        pytest.param("lark", "%import common (" + "DIGIT, " * 5000 + ")", id="imports"),
        pytest.param("lark", "start: a0*\n" + "".join(f"a{n}: a{n + 1}? a{n + 1}?\n" for n in range(60)) + 'a60: "x"?', id="doubling-empty-rules"),
    ],
)  # fmt: skip
def test_it_is_refused(syntax: Syntax, definition: str) -> None:
    with pytest.raises(GrammarError):
        read_grammar(syntax, definition)


@pytest.mark.parametrize(
    ("syntax", "definition", "text"),
    [
        pytest.param("regex", "(a*)*b", "a" * 5_000, id="star-of-star"),
        pytest.param("regex", "(a|a)*b", "a" * 5_000, id="the-same-twice"),
        pytest.param("regex", "(a?){1000}a{1000}b", "a" * 1_000, id="optional-many"),
        pytest.param("regex", "(.*a){20}b", "a" * 5_000, id="twenty-of-any"),
        pytest.param("regex", "(a|b)*a(a|b){200}c", "ab" * 2_000, id="many-sets-of-states"),
        pytest.param("regex", "^" * LONG, "x", id="anchors"),
        pytest.param("lark", "start: a0\n" + "".join(f'a{n}: "x" ({"|".join(f"a{(n * 7 + m * 11) % 480}" for m in range(20))})?\n' for n in range(480)), "x" * 2_000, id="rules-that-all-lead-to-each-other"),
        pytest.param("lark", 'start: start start | "a" |', "a" * 5_000, id="ambiguous"),
        pytest.param("lark", 'start: a\na: a a a | "x" | b\nb: a b | ', "x" * 5_000, id="more-so"),
        pytest.param("lark", "start: " + 'a' * 9 + "\n" + "aaaaaaaaa: " + "b? " * 2_000 + '\nb: "b"', "b" * 2_000, id="many-options"),
        pytest.param("lark", "start: a0\n" + "".join(f"a{n}: a{n + 1} a{n + 1}\n" for n in range(40)) + 'a40: "x"', "x" * 5_000, id="doubling-rules"),
        pytest.param("lark", "start: a0\n" + DEEP.format(opening="(/x/ ", closing=")") + "a90: /x/", "x", id="deep"),
        pytest.param("lark", 'start: a b\na: "(" a? ")" c\nb: "[" b? "]" c\nc: ' + "/x{1000}/ " * 12, "()", id="large-in-two-places"),
        pytest.param("lark", "start: a0\n" + "".join(f"a{n}: a{n + 1}\n" for n in range(490)) + 'a490: "x"', "y", id="a-chain-of-rules"),
    ],
)  # fmt: skip
def test_it_is_done_with(syntax: Syntax, definition: str, text: str) -> None:
    """Whatever the verdict: what takes too long counts as fitting."""
    input_misfit(syntax, definition, text)
    for form in ("gbnf", "regex", "json_pattern"):
        grammar_form(syntax, definition, form)  # type: ignore[arg-type]  # it is one of them


def test_what_takes_too_many_steps_counts_as_fitting() -> None:
    grammar = read_grammar("lark", 'start: a\na: "x" a "x" | "x"')
    text = "x" * 1_000  # an even number does not fit

    assert (
        find_grammar_misfit(grammar, text[:100])
        == "line 1, column 101: it ends too early; expected 'x'"
    )
    assert len(text) ** 2 > MAX_STEPS
    assert find_grammar_misfit(grammar, text) is None


def test_a_grammar_that_cannot_be_read_checks_nothing() -> None:
    assert input_misfit("regex", "(?=a)", "b") is None
    assert grammar_form("regex", "(?=a)", "gbnf") is None
