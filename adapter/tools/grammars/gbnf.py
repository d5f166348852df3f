"""GBNF, the notation of llama.cpp, which xgrammar (vLLM, SGLang) and llguidance read as well.

What is written here is what all of them have in common: names of letters, digits and dashes,
strings and classes with the escapes of C, counts in braces.

Source: llama.cpp's grammars/README.md and src/llama-grammar.cpp (b11434), xgrammar 0.2.8,
llguidance 1.7.6's gbnf_to_lark.
"""

import re
from collections.abc import Iterator, Mapping

from adapter.tools.grammars.charset import ANYTHING, write_class
from adapter.tools.grammars.nodes import (
    Chars,
    Choice,
    Grammar,
    GrammarError,
    Node,
    Reference,
    Repeat,
    Sequence,
    Text,
    children,
)
from adapter.tools.grammars.simplify import is_nullable, nullable

ROOT = "root"
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", '"': r"\""}
# xgrammar reads no escape of a bracket outside of a class.
_ESCAPES_IN_CLASS = {**_ESCAPES, "[": r"\[", "]": r"\]"}
_COUNTS: Mapping[tuple[int, int | None], str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}
_NO_NAME = re.compile(r"[^a-z0-9]+")


def to_gbnf(grammar: Grammar) -> str:
    """Return the grammar as GBNF, whose first rule is `root`.

    Raises:
        GrammarError: a rule begins with itself, by way of others: llama.cpp would not come back.
    """
    _check_left_recursion(grammar)
    names = _names(grammar)
    order = [grammar.start, *(name for name in grammar.rules if name != grammar.start)]
    return "".join(
        f"{names[name]} ::= {_Writer(names).write(grammar.rules[name])}\n" for name in order
    )


def _names(grammar: Grammar) -> dict[str, str]:
    names: dict[str, str] = {grammar.start: ROOT}
    taken = {ROOT, "start"}  # llguidance calls the root so
    for name in grammar.rules:
        if name in names:
            continue
        plain = _NO_NAME.sub("-", name.lower()).strip("-")
        plain = f"r-{plain}" if not plain[:1].isalpha() else plain
        names[name] = plain if plain not in taken else f"{plain}-{len(names)}"
        while names[name] in taken:
            names[name] += "-x"
        taken.add(names[name])
    return names


class _Writer:
    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def write(self, node: Node) -> str:
        match node:
            case Choice(options):
                return " | ".join(map(self.write, options))
            case Sequence(parts) if parts:
                return " ".join(map(self._in_sequence, parts))
            case Repeat(inner, least, most):
                return self._repeated(inner) + _counts(least, most)
            case Reference(name):
                return self._names[name]
            case Chars(ranges):
                # llguidance does not read an escape for the first of all characters.
                return (
                    r"([^\n] | [\n])"
                    if ranges == ANYTHING
                    else write_class(ranges, _escape_in_class)
                )
            case Text(text):
                return f'"{"".join(map(_escape, text))}"'
            case _:
                return '""'

    def _in_sequence(self, node: Node) -> str:
        return f"({self.write(node)})" if isinstance(node, Choice) else self.write(node)

    def _repeated(self, node: Node) -> str:
        is_one = isinstance(node, Reference | Chars)
        return self.write(node) if is_one else f"({self.write(node)})"


def _counts(least: int, most: int | None) -> str:
    if least == most:
        return f"{{{least}}}"
    return _COUNTS.get((least, most)) or f"{{{least},{'' if most is None else most}}}"


def _escape(char: str, escapes: Mapping[str, str] = _ESCAPES) -> str:
    if char in escapes:
        return escapes[char]
    code = ord(char)
    if char.isprintable():
        return char
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"


def _escape_in_class(char: str) -> str:
    return _escape(char, _ESCAPES_IN_CLASS)


def _check_left_recursion(grammar: Grammar) -> None:
    empty = nullable(grammar.rules)
    begins = {name: frozenset(_beginnings(node, empty)) for name, node in grammar.rules.items()}
    done: set[str] = set()
    for name in begins:
        _follow(name, begins, (), done)


def _follow(
    name: str, begins: Mapping[str, frozenset[str]], path: tuple[str, ...], done: set[str]
) -> None:
    if name in path:
        raise GrammarError(f"{name[:64]!r} begins with itself")
    if name not in done:
        for first in begins[name]:
            _follow(first, begins, (*path, name), done)
        done.add(name)


def _beginnings(node: Node, empty: frozenset[str]) -> Iterator[str]:
    """Yield the rules that a node may begin with."""
    match node:
        case Reference(name):
            yield name
        case Sequence(parts):
            for part in parts:
                yield from _beginnings(part, empty)
                if not is_nullable(part, empty):
                    break
        case _:
            for child in children(node):
                yield from _beginnings(child, empty)
