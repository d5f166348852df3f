"""Random grammars: the check, GBNF, the regular expression and Python agree on every text."""

import re
from contextlib import suppress
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.tools.grammars.charset import LAST, contains, either_case, negate, ranges_of
from adapter.tools.grammars.gbnf import to_gbnf
from adapter.tools.grammars.match import find_grammar_misfit
from adapter.tools.grammars.nodes import Grammar, GrammarError
from adapter.tools.grammars.pattern import to_json_pattern, to_regex
from adapter.tools.grammars.read import read_grammar
from tests.tools.grammars.gbnf_reader import GbnfReader

_CHARS = st.sampled_from([*'ab-^]\\"[é\n .{|/', "\t", "\x01", "\U0001f600"])
_RULES = ("start", "one", "two")


def _escape(char: str) -> str:
    return f"\\U{ord(char):08X}"


@st.composite
def _classes(draw: st.DrawFn) -> str:
    members = draw(st.lists(st.tuples(_CHARS, _CHARS), min_size=1, max_size=3))
    inside = "".join(
        f"{_escape(min(pair))}-{_escape(max(pair))}" if draw(st.booleans()) else _escape(pair[0])
        for pair in members
    )
    return f"[{'^' if draw(st.booleans()) else ''}{inside}]"


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{0,1}", "{1,}"])
    return st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, counts).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


REGEXES = st.recursive(st.one_of(_CHARS.map(_escape), _classes()), _more, max_leaves=8)


def _more_lark(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    counts = st.sampled_from(["*", "+", "?", "~2", "~1..2"])
    return st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(" ".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({' | '.join(parts)})"),
        st.tuples(inner, counts).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


_LEAVES = st.sampled_from([*_RULES, '"a"', '"b"', '"ab"', "/[ab]/", "/-/", "/b?/"])
BODIES = st.recursive(_LEAVES, _more_lark, max_leaves=6)
LARKS = st.tuples(BODIES, BODIES, BODIES, st.sampled_from(["", '%ignore "-"'])).map(
    lambda drawn: "\n".join(
        [*(f"{name}: {body}" for name, body in zip(_RULES, drawn, strict=False)), drawn[3]]
    )
)


# Slow to draw, the more so on a busy machine.
@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(REGEXES, st.data())
def test_an_expression_means_in_every_form_what_it_means_in_python(
    expression: str, data: st.DataObject
) -> None:
    grammar = read_grammar("regex", expression)
    reader, again = GbnfReader(to_gbnf(grammar)), re.compile(to_regex(grammar))
    fitting = st.from_regex(re.compile(expression), fullmatch=True).filter(
        lambda text: len(text) < 40
    )
    for text in (data.draw(st.text(_CHARS, max_size=5)), data.draw(fitting)):
        if any(0xD800 <= ord(char) < 0xE000 for char in text):
            continue  # no text
        fits = re.fullmatch(expression, text) is not None

        assert (find_grammar_misfit(grammar, text) is None) is fits
        assert reader.accepts(text) is fits
        assert (again.fullmatch(text) is not None) is fits


@given(REGEXES, st.data())
def test_a_pattern_says_of_a_text_in_json_what_the_expression_says_of_it(
    expression: str, data: st.DataObject
) -> None:
    try:
        pattern = to_json_pattern(read_grammar("regex", expression))
    except GrammarError:
        return
    text = data.draw(st.from_regex(re.compile(expression), fullmatch=True))

    assert re.search(pattern, text)
    assert not set(text) & set('"\\\n')


@settings(max_examples=200)
@given(LARKS, st.lists(st.text("ab-", max_size=5), min_size=1, max_size=4))
def test_rules_mean_the_same_in_every_form(definition: str, texts: list[str]) -> None:
    try:
        grammar = read_grammar("lark", definition)
    except GrammarError:
        return  # a rule never ends
    forms: list[Any] = []
    for write in (lambda found: GbnfReader(to_gbnf(found)).accepts, _by_regex):
        with suppress(GrammarError):  # a rule leads back to itself
            forms.append(write(grammar))
    for text in texts:
        fits = find_grammar_misfit(grammar, text) is None

        assert [accepts(text) for accepts in forms] == [fits] * len(forms)


def _by_regex(grammar: Grammar) -> Any:
    compiled = re.compile(to_regex(grammar))
    return lambda text: compiled.fullmatch(text) is not None


@given(st.lists(st.tuples(st.integers(0, LAST), st.integers(0, LAST)).map(sorted), max_size=4))
def test_sets_of_characters_are_sets(pairs: list[list[int]]) -> None:
    ranges = ranges_of((low, high) for low, high in pairs)

    assert all(low <= high for low, high in ranges)
    assert all(before[1] + 1 < after[0] for before, after in pairwise(ranges))
    assert negate(negate(ranges)) == ranges
    for code in {code for pair in pairs for low in pair for code in (low - 1, low, low + 1)}:
        if 0 <= code <= LAST and not 0xD800 <= code < 0xE000:
            assert contains(ranges, code) is any(low <= code <= high for low, high in pairs)
            assert contains(negate(ranges), code) is not contains(ranges, code)


def test_either_case_of_a_range_is_that_of_its_letters() -> None:
    assert either_case(((0x30, 0x42),)) == ((0x30, 0x42), (0x61, 0x62))
    assert either_case(((0x61, 0x63),)) == ((0x41, 0x43), (0x61, 0x63))
    assert either_case(((0xE9, 0xE9), (0xDF, 0xDF))) == ((0xC9, 0xC9), (0xDF, 0xDF), (0xE9, 0xE9))
