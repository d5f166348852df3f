"""A grammar as states: what `match` walks through.

Every rule is a small automaton. A state leads on over a character, over nothing, or over another
rule.
"""

from bisect import bisect_right
from collections.abc import Mapping
from contextlib import suppress

import msgspec

from adapter.tools.grammars.charset import Ranges
from adapter.tools.grammars.inline import inline
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
)


class CharSet:
    """Characters, for one question."""

    def __init__(self, ranges: Ranges) -> None:
        self.ranges = ranges
        self._lows = [low for low, _ in ranges]

    def __contains__(self, code: int) -> bool:
        place = bisect_right(self._lows, code) - 1
        return place >= 0 and code <= self.ranges[place][1]


class State(msgspec.Struct, frozen=True):
    """A state.

    Attributes:
        chars: what leads on over one character, and where to.
        after: the state behind the character, or behind the rule.
        rule: the rule that leads on.
        over_nothing: the states that are as good as this one; grows while states are made.
        ends: the rule that is over here.
    """

    chars: CharSet | None = None
    after: int = -1
    rule: int = -1
    over_nothing: list[int] = []
    ends: int = -1


class Automaton:
    """The states of a grammar.

    Attributes:
        states: all of them.
        entries: the first state of each rule; the first rule is the grammar's start.
        is_regular: no rule is ever entered.
    """

    def __init__(self, grammar: Grammar) -> None:
        with suppress(GrammarError, RecursionError):  # then every rule has its own states
            grammar = inline(grammar)
        names = [grammar.start, *(name for name in grammar.rules if name != grammar.start)]
        self.states: list[State] = []
        self._numbers: Mapping[str, int] = {name: number for number, name in enumerate(names)}
        self.entries = tuple(
            self._build(grammar.rules[name], self._add(State(ends=number)))
            for number, name in enumerate(names)
        )
        self.is_regular = all(state.rule < 0 for state in self.states)

    def _add(self, state: State) -> int:
        self.states.append(state)
        return len(self.states) - 1

    def _build(self, node: Node, after: int) -> int:
        """Return the state from which a node leads to another state."""
        match node:
            case Text(text):
                for char in reversed(text):
                    after = self._add(State(CharSet(((ord(char), ord(char)),)), after))
                return after
            case Chars(ranges):
                return self._add(State(CharSet(ranges), after))
            case Reference(name):
                return self._add(State(rule=self._numbers[name], after=after))
            case Sequence(parts):
                for part in reversed(parts):
                    after = self._build(part, after)
                return after
            case Choice(options):
                return self._add(State(over_nothing=[self._build(o, after) for o in options]))
            case _:
                return self._repeat(node, after)

    def _repeat(self, node: Repeat, after: int) -> int:
        if node.most is None:
            again = self._add(State(over_nothing=[after]))
            self.states[again].over_nothing.append(self._build(node.node, again))
            after = again
        else:
            end = after
            for _ in range(node.most - node.least):
                after = self._add(State(over_nothing=[end, self._build(node.node, after)]))
        for _ in range(node.least):
            after = self._build(node.node, after)
        return after
