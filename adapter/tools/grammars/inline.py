"""A grammar with as few rules as can be: those that lead back to themselves, and the first.

The others stand where they were referred to.
"""

from collections.abc import Iterable, Mapping

from adapter.tools.grammars.nodes import (
    MAX_SIZE,
    Choice,
    Grammar,
    GrammarError,
    Node,
    Reference,
    Repeat,
    Sequence,
    choice,
    references,
    repeat,
    sequence,
    size,
)


def inline(grammar: Grammar) -> Grammar:
    """Return the grammar so.

    Raises:
        GrammarError: it would be too large.
    """
    kept = _recursive(grammar)
    inliner = _Inliner(grammar.rules, kept)
    names = sorted(kept | {grammar.start})
    rules = {name: inliner.body(name) for name in names}
    if sum(map(size, rules.values())) > MAX_SIZE:
        raise GrammarError("it is too large")
    return Grammar(rules, grammar.start)


def _recursive(grammar: Grammar) -> frozenset[str]:
    """Return the rules that lead back to themselves."""
    # Sets as the bits of a number: a search from each rule takes half a second of hostile ones.
    bits = {name: 1 << number for number, name in enumerate(grammar.rules)}
    reached = {name: _sum(bits, references(node)) for name, node in grammar.rules.items()}
    for middle, bit in bits.items():  # Warshall's transitive closure
        for name, found in reached.items():
            if found & bit:
                reached[name] = found | reached[middle]
    return frozenset(name for name, bit in bits.items() if reached[name] & bit)


def _sum(bits: Mapping[str, int], names: Iterable[str]) -> int:
    return sum(bits[name] for name in frozenset(names))


class _Inliner:
    def __init__(self, rules: Mapping[str, Node], kept: frozenset[str]) -> None:
        self._rules = rules
        self._kept = kept
        self._done: dict[str, Node] = {}

    def body(self, name: str) -> Node:
        if name not in self._done:
            node = self._node(self._rules[name])
            if size(node) > MAX_SIZE:
                raise GrammarError("it is too large")
            self._done[name] = node
        return self._done[name]

    def _node(self, node: Node) -> Node:
        match node:
            case Reference(name):
                return node if name in self._kept else self.body(name)
            case Sequence(parts):
                return sequence(*map(self._node, parts))
            case Choice(options):
                return choice(*map(self._node, options))
            case Repeat(inner, least, most):
                return repeat(self._node(inner), least, most)
            case _:
                return node
