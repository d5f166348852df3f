r"""Escapes and classes of regular expressions: `\n`, `\d`, `[^a-z\s]`.

Source: Python's `re` and Rust's `regex` syntax; where they differ, the expression is refused, but
for a `[` in a class, which stands for itself as in Python.
"""

import re

from adapter.tools.grammars.charset import (
    BLANKS,
    DIGITS,
    LAST,
    WORD,
    Ranges,
    chars,
    either_case,
    negate,
    ranges_of,
)
from adapter.tools.grammars.nodes import GrammarError

_CLASSES = {
    "d": DIGITS,
    "D": negate(DIGITS),
    "s": BLANKS,
    "S": negate(BLANKS),
    "w": WORD,
    "W": negate(WORD),
}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CODE = re.compile(
    r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[xuU]\{([0-9A-Fa-f]{1,6})\}"
)
_SET_OPERATORS = ("&&", "--", "~~", "||")


def read_escape(text: str, place: int) -> tuple[Ranges, int]:
    r"""Return the characters that an escape stands for, and where it ends.

    Args:
        text: the expression.
        place: of the backslash.

    Raises:
        GrammarError: it is unknown, or does not stand for a character.
    """
    kind = text[place + 1 : place + 2]
    if kind in _CLASSES:
        return _CLASSES[kind], place + 2
    if kind in _CONTROLS:
        return chars(_CONTROLS[kind]), place + 2
    if code := _CODE.match(text, place + 1):
        number = int(next(filter(None, code.groups())), 16)
        ranges = ranges_of([(number, number)]) if number <= LAST else ()
        if not ranges:
            raise GrammarError("an escape for a character that there is not")
        return ranges, code.end()
    if not kind or kind.isalnum():  # \b, \1, \p{…}, \Q and whatever else may come to mean something
        raise GrammarError(f"the escape '\\{kind}'")
    return chars(kind), place + 2


def read_class(text: str, place: int, *, ignores_case: bool) -> tuple[Ranges, int]:
    """Return the characters of a class, and where it ends.

    Args:
        text: the expression.
        place: of the `[`.
        ignores_case: take the letters in both cases.

    Raises:
        GrammarError: it has no end, or is outside of the subset.
    """
    place += 1
    is_negated = text.startswith("^", place)
    first = place = place + is_negated
    found: list[tuple[int, int]] = []
    while place == first or not text.startswith("]", place):
        if text.startswith(("[:", "[=", "[."), place) or text.startswith(_SET_OPERATORS, place):
            raise GrammarError(f"{text[place : place + 2]!r} in a class")
        low, place = _member(text, place)
        if not text.startswith("-", place) or text.startswith("]", place + 1):
            found += low
            continue
        high, place = _member(text, place + 1)
        found.append(_range(low, high))
    ranges = ranges_of(found)
    ranges = either_case(ranges) if ignores_case else ranges
    return (negate(ranges) if is_negated else ranges), place + 1


def _member(text: str, place: int) -> tuple[Ranges, int]:
    if place >= len(text):
        raise GrammarError("a class without its ']'")
    if text[place] == "\\":
        if text.startswith("b", place + 1):
            return chars("\b"), place + 2
        return read_escape(text, place)
    return chars(text[place]), place + 1


def _range(low: Ranges, high: Ranges) -> tuple[int, int]:
    """Return the range between two single characters."""
    if any(len(end) != 1 or end[0][0] != end[0][1] for end in (low, high)):
        raise GrammarError("a range between more than two characters")
    if low > high:
        raise GrammarError("a range that is upside down")
    return low[0][0], high[0][1]
