"""A grammar as the client sent it to the tree, or the reason why not."""

from typing import Literal

from adapter.tools.grammars.lark import START, parse_lark
from adapter.tools.grammars.nodes import Grammar, GrammarError, check_size
from adapter.tools.grammars.regex import parse_regex
from adapter.tools.grammars.simplify import simplify

Syntax = Literal["lark", "regex"]


def read_grammar(syntax: Syntax, definition: str) -> Grammar:
    """Return the tree of a grammar, of which all rules are needed and lead to an end.

    Args:
        syntax: how it is written.
        definition: the grammar.

    Raises:
        GrammarError: it is none, beyond the bounds, or outside of the subset that is read.
    """
    try:
        if syntax == "lark":
            grammar = parse_lark(definition)
        else:
            grammar = Grammar({START: parse_regex(definition)}, START)
        check_size(grammar)
        grammar = simplify(grammar)
        check_size(grammar)
    except RecursionError as exc:
        raise GrammarError("it is nested too deeply") from exc
    return grammar
