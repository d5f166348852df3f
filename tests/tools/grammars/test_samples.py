"""Whole grammars: what fits them, however they are written."""

import re

import lark
import pytest

from adapter.tools.grammars.gbnf import to_gbnf
from adapter.tools.grammars.match import find_grammar_misfit
from adapter.tools.grammars.nodes import GrammarError
from adapter.tools.grammars.pattern import to_regex
from adapter.tools.grammars.read import read_grammar
from tests.tools.grammars.gbnf_reader import GbnfReader
from tests.tools.grammars.samples import SAMPLES

REGULAR = ("apply-patch", "code-mode", "arithmetic", "notation")
CASES = [
    pytest.param(name, text, fits, id=f"{name}-{number}")
    for name, sample in SAMPLES.items()
    for fits in (True, False)
    for number, text in enumerate(sample.fits if fits else sample.unfit)
]


@pytest.mark.parametrize(("name", "text", "fits"), CASES)
def test_texts_are_told_apart(name: str, text: str, fits: bool) -> None:
    misfit = find_grammar_misfit(read_grammar("lark", SAMPLES[name].lark), text)

    assert (misfit is None) is fits


@pytest.mark.parametrize(("name", "text", "fits"), CASES)
def test_gbnf_tells_them_apart_as_well(name: str, text: str, fits: bool) -> None:
    reader = GbnfReader(to_gbnf(read_grammar("lark", SAMPLES[name].lark)))

    assert reader.accepts(text) is fits


@pytest.mark.parametrize(
    ("name", "text", "fits"), [case for case in CASES if case.values[0] in REGULAR]
)
def test_the_regular_expression_tells_them_apart_as_well(name: str, text: str, fits: bool) -> None:
    pattern = to_regex(read_grammar("lark", SAMPLES[name].lark))

    assert bool(re.fullmatch(pattern, text)) is fits


@pytest.mark.parametrize(
    ("name", "text", "fits"),
    # The others are for llguidance: Lark takes no terminal that may be empty, no repetition that
    # may be left out beside the same without it, and no braces.
    [case for case in CASES if case.values[0] in ("code-mode", "calculator", "json")],
)
def test_lark_itself_tells_them_apart_so(name: str, text: str, fits: bool) -> None:
    """With its scanner that tries all lengths of a terminal, as ours does."""
    parser = lark.Lark(SAMPLES[name].lark, parser="earley", lexer="dynamic_complete")
    try:
        parser.parse(text)
        accepts = True
    except lark.exceptions.UnexpectedInput:
        accepts = False

    assert accepts is fits


@pytest.mark.parametrize("name", sorted(SAMPLES.keys() - set(REGULAR)))
def test_what_leads_back_to_itself_is_no_regular_expression(name: str) -> None:
    with pytest.raises(GrammarError, match="leads back to itself"):
        to_regex(read_grammar("lark", SAMPLES[name].lark))


@pytest.mark.parametrize("name", SAMPLES)
def test_rules_of_gbnf_have_names_that_all_readers_take(name: str) -> None:
    text = to_gbnf(read_grammar("lark", SAMPLES[name].lark))

    names = re.findall(r"^(\S+) ::=", text, re.MULTILINE)

    assert names[0] == "root"
    assert len(set(names)) == len(names) == text.count("\n")
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", found) for found in names)
    assert "start" not in names  # llguidance calls the root so
