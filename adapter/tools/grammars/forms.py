"""The forms of a grammar, each made once: the same few tools come with every request."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

from adapter.tools.grammars.gbnf import to_gbnf
from adapter.tools.grammars.match import find_grammar_misfit
from adapter.tools.grammars.nodes import Grammar, GrammarError
from adapter.tools.grammars.pattern import to_json_pattern, to_regex
from adapter.tools.grammars.read import Syntax, read_grammar

Form = Literal["gbnf", "regex", "json_pattern"]

MAX_KEPT = 32  # of each kind; a definition has at most 64 KB
_WRITERS: Mapping[Form, Callable[[Grammar], str]] = {
    "gbnf": to_gbnf,
    "regex": to_regex,
    "json_pattern": to_json_pattern,
}


@lru_cache(maxsize=MAX_KEPT)
def grammar_form(syntax: Syntax, definition: str, form: Form) -> str | None:
    """Return a grammar in a form, or None if it has none."""
    grammar = _read(syntax, definition)
    try:
        return None if grammar is None else _WRITERS[form](grammar)
    except (GrammarError, RecursionError):  # a chain of a thousand rules is as deep
        return None


def input_misfit(syntax: Syntax, definition: str, text: str) -> str | None:
    """Return what is wrong with an input, or None: it fits, or cannot be checked."""
    grammar = _read(syntax, definition)
    return None if grammar is None else find_grammar_misfit(grammar, text)


@lru_cache(maxsize=MAX_KEPT)
def _read(syntax: Syntax, definition: str) -> Grammar | None:
    try:
        return read_grammar(syntax, definition)
    except GrammarError:
        return None
