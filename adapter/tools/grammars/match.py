"""Whether a text fits a grammar, in a bounded number of steps.

All ways through the grammar are walked at once, character by character, so nothing is tried twice:
an expression that would keep a backtracking engine busy for years is as fast as any other. Rules
that lead back to themselves are followed as Earley's parser does. A grammar without any becomes a
table while it is used, as a regular expression would.
"""

from collections.abc import Iterable

from adapter.tools.grammars.nodes import Grammar
from adapter.tools.grammars.states import Automaton

MAX_STEPS = 300_000  # states looked at; 0.15 s (CPython 3.11, November 2026)
_MAX_EXPECTED = 8

_Item = tuple[int, int]  # a state, and where its rule began


class _TooManyStepsError(Exception):
    """The check takes more steps than it may."""


def find_grammar_misfit(grammar: Grammar, text: str) -> str | None:
    """Return what is wrong with a text, or None if it fits.

    What takes too many steps is not checked, and counts as fitting.

    Args:
        grammar: the grammar.
        text: the whole text.
    """
    try:
        return _find_misfit(Automaton(grammar), text)
    except (_TooManyStepsError, RecursionError):
        return None


def _find_misfit(automaton: Automaton, text: str) -> str | None:
    walk = _TableWalk(automaton) if automaton.is_regular else _EarleyWalk(automaton)
    for place, char in enumerate(text):
        if not walk.step(ord(char)):
            return _misfit(text, place, walk.expected())
    return None if walk.is_complete() else _misfit(text, len(text), walk.expected())


class _Walk:
    """What both ways of walking share."""

    def __init__(self, automaton: Automaton) -> None:
        self._states = automaton.states
        self._entries = automaton.entries
        self._steps = 0

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise _TooManyStepsError

    def _describe(self, states: Iterable[int]) -> list[str]:
        """Return the few single characters that lead on, or nothing if there are many."""
        expected: set[str] = set()
        for state in states:
            chars = self._states[state].chars
            for low, high in chars.ranges if chars is not None else ():
                if high - low >= _MAX_EXPECTED:
                    return []
                expected.update(map(chr, range(low, high + 1)))
        return sorted(expected) if len(expected) <= _MAX_EXPECTED else []


class _TableWalk(_Walk):
    """Through a grammar without recursion: the sets of states are kept, and what follows them."""

    def __init__(self, automaton: Automaton) -> None:
        super().__init__(automaton)
        self._table: dict[frozenset[int], dict[int, frozenset[int]]] = {}
        self._now = self._closed([self._entries[0]])

    def step(self, code: int) -> bool:
        row = self._table.setdefault(self._now, {})
        found = row.get(code)
        if found is None:
            found = row[code] = self._closed(
                state.after
                for state in map(self._states.__getitem__, self._now)
                if state.chars is not None and code in state.chars
            )
            self._count(len(self._now))
        if found:
            self._now = found
        return bool(found)

    def is_complete(self) -> bool:
        return any(self._states[state].ends == 0 for state in self._now)

    def expected(self) -> list[str]:
        return self._describe(self._now)

    def _closed(self, seeds: Iterable[int]) -> frozenset[int]:
        """Return the states and all that are as good."""
        found = dict.fromkeys(seeds)
        queue = list(found)
        for state in queue:
            for other in self._states[state].over_nothing:
                if other not in found:
                    found[other] = None
                    queue.append(other)
        self._count(len(queue))
        return frozenset(found)


class _EarleyWalk(_Walk):
    """Through a grammar with recursion."""

    def __init__(self, automaton: Automaton) -> None:
        super().__init__(automaton)
        self._place = 0
        # By place and rule: who waits for a rule that began there.
        self._waiting: list[dict[int, list[_Item]]] = []
        self._now: dict[_Item, None] = {}
        self._close([(self._entries[0], 0)])

    def step(self, code: int) -> bool:
        seeds = [
            (state.after, origin)
            for state, origin in ((self._states[number], origin) for number, origin in self._now)
            if state.chars is not None and code in state.chars
        ]
        if seeds:
            self._place += 1
            self._close(seeds)
        return bool(seeds)

    def is_complete(self) -> bool:
        return any(origin == 0 and self._states[number].ends == 0 for number, origin in self._now)

    def expected(self) -> list[str]:
        return self._describe(number for number, _ in self._now)

    def _close(self, seeds: Iterable[_Item]) -> None:
        found = dict.fromkeys(seeds)
        queue = list(found)
        waiting: dict[int, list[_Item]] = {}
        self._waiting.append(waiting)
        empty: set[int] = set()  # rules that began here and are over
        for number, origin in queue:
            state = self._states[number]
            more = [(other, origin) for other in state.over_nothing]
            if state.rule >= 0:
                waiting.setdefault(state.rule, []).append((state.after, origin))
                more.append((self._entries[state.rule], self._place))
                if state.rule in empty:
                    more.append((state.after, origin))
            if state.ends >= 0:
                more += self._waiting[origin].get(state.ends, ())
                if origin == self._place:
                    empty.add(state.ends)
            self._count(1 + len(more))
            for item in more:
                if item not in found:
                    found[item] = None
                    queue.append(item)
        self._now = found


def _misfit(text: str, place: int, expected: list[str]) -> str:
    """Say where the text stops fitting."""
    line = text.count("\n", 0, place) + 1
    column = place - (text.rfind("\n", 0, place) + 1) + 1
    found = f"{text[place]!r} does not fit" if place < len(text) else "it ends too early"
    wanted = f"; expected {' or '.join(map(repr, expected))}" if expected else ""
    return f"line {line}, column {column}: {found}{wanted}"
