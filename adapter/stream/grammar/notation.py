"""Turns a grammar into a table: which symbol may follow which.

A grammar is a regular expression over symbols, in the notation of the specification sheets:
`added delta* done`, with `( | )`, `*` and `?`. A symbol is the type of an event without
`response.`; events of a part also carry the type of the part: `content_part.done{refusal}`.
Every symbol occurs once, so the last symbol alone says what may come next, and a checker needs no
more state than that.
"""

import re
from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import Final, NamedTuple


class _Span(NamedTuple):
    """A piece of a grammar: can it be empty, and which symbols may begin and end it?"""

    empty: bool
    first: frozenset[str]
    last: frozenset[str]


_NOTHING: Final = _Span(True, frozenset(), frozenset())


@cache
def follow_table(grammar: str) -> Mapping[str, frozenset[str]]:
    """Return which symbols may come after each symbol of a grammar.

    >>> follow_table("added delta* done")["added"] == {"delta", "done"}
    True
    """
    follow: dict[str, set[str]] = {}
    _alternatives(deque(re.findall(r"[\w.{}]+|[()|*?]", grammar)), follow)
    return {symbol: frozenset(after) for symbol, after in follow.items()}


def _alternatives(tokens: deque[str], follow: dict[str, set[str]]) -> _Span:
    span = _sequence(tokens, follow)
    while tokens and tokens[0] == "|":
        tokens.popleft()
        other = _sequence(tokens, follow)
        span = _Span(span.empty or other.empty, span.first | other.first, span.last | other.last)
    return span


def _sequence(tokens: deque[str], follow: dict[str, set[str]]) -> _Span:
    span = _NOTHING
    while tokens and tokens[0] not in {"|", ")"}:
        after = _repetition(tokens, follow)
        for symbol in span.last:
            follow[symbol] |= after.first
        span = _Span(
            span.empty and after.empty,
            span.first | after.first if span.empty else span.first,
            span.last | after.last if after.empty else after.last,
        )
    return span


def _repetition(tokens: deque[str], follow: dict[str, set[str]]) -> _Span:
    symbol = tokens.popleft()
    if symbol == "(":
        span = _alternatives(tokens, follow)
        tokens.popleft()
    else:
        assert symbol not in follow, f"{symbol} occurs twice in one grammar"
        follow[symbol] = set()
        span = _Span(False, frozenset({symbol}), frozenset({symbol}))
    if tokens and tokens[0] in {"*", "?"}:
        if tokens.popleft() == "*":
            for last in span.last:
                follow[last] |= span.first
        span = span._replace(empty=True)
    return span
