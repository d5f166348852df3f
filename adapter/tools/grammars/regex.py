r"""Regular expressions: what Python's `re` and Rust's `regex` have in common.

The whole text has to match, so `^` and `$` say nothing at the ends; anywhere else, and for
lookaround, back references, word boundaries and possessive quantifiers, the expression is refused.
A lazy quantifier is as good as a greedy one: only the text as a whole counts.
"""

import re

from adapter.tools.grammars.charset import ANYTHING, NO_NEWLINE, Ranges, chars, either_case
from adapter.tools.grammars.classes import read_class, read_escape
from adapter.tools.grammars.nodes import (
    EMPTY,
    MAX_DEFINITION_CHARS,
    MAX_DEPTH,
    Chars,
    Choice,
    GrammarError,
    Node,
    Reference,
    Repeat,
    Sequence,
    Text,
    choice,
    repeat,
    sequence,
)

_FLAGS = frozenset("imsuxU")  # `u` is how it is anyway, `U` swaps greedy and lazy
_COUNTS = re.compile(r"\{(?P<least>\d*)(?P<comma>,)?(?P<most>\d*)\}")
_GROUP = re.compile(
    r"\?(?:P?<[A-Za-z_]\w*>|(?P<on>[A-Za-z]*)(?:-(?P<off>[A-Za-z]+))?(?P<end>[:)]))"
)
MAX_COUNT_DIGITS = 9  # more are too many in any case
_VERBOSE = re.compile(r"(?:\s|#[^\n]*)+")
_QUANTIFIERS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
_START, _END = Reference("^"), Reference("$")  # nothing else in an expression refers to anything
_ANCHORS = {"^": _START, "$": _END, "\\A": _START, "\\Z": _END, "\\z": _END}


def parse_regex(text: str, flags: str = "") -> Node:
    """Return the tree of a regular expression.

    Args:
        text: the expression.
        flags: letters of `imsux`.

    Raises:
        GrammarError: it is outside of the subset, or none.
    """
    if len(text) > MAX_DEFINITION_CHARS:
        raise GrammarError("a regular expression that is too long")
    return _without_anchors(_Parser(text, _known(flags)).parse(), first=True, last=True)


def literal(text: str, *, ignores_case: bool = False) -> Node:
    """Return the tree of a text that stands for itself."""
    if not ignores_case:
        return Text(text)
    return sequence(*(_one(either_case(chars(char))) for char in text))


class _Parser:
    def __init__(self, text: str, flags: frozenset[str]) -> None:
        self._text = text
        self._place = 0
        self._depth = 0
        self._flags = flags

    def parse(self) -> Node:
        node = self._alternatives()
        if self._place < len(self._text):
            raise GrammarError("a ')' without its '('")
        return node

    def _alternatives(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise GrammarError("a regular expression that is nested too deeply")
        options = [self._concatenation()]
        while self._take("|"):
            options.append(self._concatenation())
        self._depth -= 1
        return choice(*options)

    def _concatenation(self) -> Node:
        parts: list[Node] = []
        while True:
            self._skip_blanks()
            if self._next() in ("", "|", ")"):
                return sequence(*parts)
            parts.append(self._quantified(self._atom()))

    def _atom(self) -> Node:
        mark = self._next()
        anchor = self._text[self._place : self._place + 2] if mark == "\\" else mark
        if anchor in _ANCHORS:
            self._place += len(anchor)
            return _ANCHORS[anchor]
        if mark in _QUANTIFIERS:
            raise GrammarError("a quantifier with nothing before it")
        if mark == "\\":
            ranges, self._place = read_escape(self._text, self._place)
            return self._one(ranges)
        if mark == "[":
            ranges, self._place = read_class(
                self._text, self._place, ignores_case="i" in self._flags
            )
            return _one(ranges)
        self._place += 1
        if mark == "(":
            return self._group()
        if mark == ".":
            return Chars(ANYTHING if "s" in self._flags else NO_NEWLINE)
        return self._one(chars(mark))

    def _group(self) -> Node:
        outside = self._flags
        if self._text.startswith("?#", self._place):
            return self._comment()
        if self._next() == "?":
            head = _GROUP.match(self._text, self._place)
            if head is None:
                raise GrammarError(f"the group '({self._text[self._place : self._place + 3]}'")
            self._place = head.end()
            self._flags = (self._flags | _known(head["on"] or "")) - _known(head["off"] or "")
            if head["end"] == ")":
                return EMPTY  # flags for what follows in this group
        node = self._alternatives()
        if not self._take(")"):
            raise GrammarError("a '(' without its ')'")
        self._flags = outside
        return node

    def _comment(self) -> Node:
        end = self._text.find(")", self._place)
        if end < 0:
            raise GrammarError("a comment without its end")
        self._place = end + 1
        return EMPTY

    def _quantified(self, node: Node) -> Node:
        self._skip_blanks()
        counts = self._counts()
        if counts is None:
            return node
        if not self._take("?") and self._next() == "+":
            raise GrammarError("a possessive quantifier")
        self._skip_blanks()
        if self._next() in _QUANTIFIERS or _is_counts(self._text, self._place):
            raise GrammarError("a quantifier behind a quantifier")
        return repeat(node, *counts)

    def _counts(self) -> tuple[int, int | None] | None:
        mark = self._next()
        if mark in _QUANTIFIERS:
            self._place += 1
            return _QUANTIFIERS[mark]
        if not _is_counts(self._text, self._place):
            return None  # Python takes the brace as it is
        found = _COUNTS.match(self._text, self._place)
        assert found is not None, "it was looked at"
        self._place = found.end()
        least = _number(found["least"] or "0")
        if not found["comma"]:
            return least, least
        return least, _number(found["most"]) if found["most"] else None

    def _one(self, ranges: Ranges) -> Node:
        return _one(either_case(ranges) if "i" in self._flags else ranges)

    def _next(self) -> str:
        return self._text[self._place : self._place + 1]

    def _take(self, mark: str) -> bool:
        if not self._text.startswith(mark, self._place):
            return False
        self._place += len(mark)
        return True

    def _skip_blanks(self) -> None:
        if "x" in self._flags and (blanks := _VERBOSE.match(self._text, self._place)):
            self._place = blanks.end()


def _known(flags: str) -> frozenset[str]:
    if unknown := set(flags) - _FLAGS:
        raise GrammarError(f"the regex flag {min(unknown)!r}")
    return frozenset(flags)


def _is_counts(text: str, place: int) -> bool:
    found = _COUNTS.match(text, place)
    return found is not None and bool(found["least"] or found["most"])


def _number(digits: str) -> int:
    return int(digits[:MAX_COUNT_DIGITS])


def _one(ranges: Ranges) -> Node:
    """Return one character of some."""
    if not ranges:
        raise GrammarError("a class without a character")
    (low, high), *others = ranges
    return Text(chr(low)) if low == high and not others else Chars(ranges)


def _without_anchors(node: Node, *, first: bool, last: bool) -> Node:
    """Return the tree without anchors where they say nothing: where the whole text begins or ends.

    Raises:
        GrammarError: there are others.
    """
    match node:
        case Reference(name):
            if not (first if name == "^" else last):
                raise GrammarError(f"the anchor {name!r} in the middle of a regular expression")
            return EMPTY
        case Sequence(parts):
            return _sequence_without_anchors(parts, first=first, last=last)
        case Choice(options):
            return choice(*(_without_anchors(option, first=first, last=last) for option in options))
        case Repeat(inner, least, most):
            once = most == 1
            inner = _without_anchors(inner, first=first and once, last=last and once)
            return repeat(inner, least, most)
        case _:
            return node


def _sequence_without_anchors(parts: tuple[Node, ...], *, first: bool, last: bool) -> Node:
    kept: list[Node] = []
    behind = len(parts)
    while behind and parts[behind - 1] in (_START, _END):
        behind -= 1
    for place, part in enumerate(parts):
        is_last = last and place >= behind - 1
        kept.append(_without_anchors(part, first=first, last=is_last))
        first = first and kept[-1] == EMPTY
    return sequence(*kept)
