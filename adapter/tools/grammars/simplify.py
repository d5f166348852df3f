"""The same grammar in a form that its readers can bear.

Left out are rules that nothing refers to. A rule that refers to itself where it begins or ends
becomes a repetition, because a parser that goes from left to right (llama.cpp's) never leaves the
one, and only so can a list be a regular expression. What is repeated is never empty, for the same
reason.
"""

from collections.abc import Callable, Collection, Mapping

from adapter.tools.grammars.nodes import (
    EMPTY,
    Choice,
    Grammar,
    GrammarError,
    Node,
    Reference,
    Repeat,
    Sequence,
    Text,
    children,
    choice,
    references,
    repeat,
    sequence,
)

MAX_PASSES = 20  # through all rules
# Of empty nodes that are looked into for what of them is not empty: a rule stands there anew
# wherever it is referred to, so that rules of rules of rules grow by powers.
MAX_FILLED = 20_000


def simplify(grammar: Grammar) -> Grammar:
    """Return the grammar so.

    Raises:
        GrammarError: a reference leads nowhere, or a rule never ends.
    """
    rules = _reachable(grammar)
    _check_ends(rules)
    rules = {
        name: _without_self_at_end(name, _without_self_at_start(name, node))
        for name, node in rules.items()
    }
    tidy = _Tidy(rules)
    return Grammar({name: tidy.node(node) for name, node in rules.items()}, grammar.start)


def nullable(rules: Mapping[str, Node]) -> frozenset[str]:
    """Return the names of the rules that fit the empty text.

    Raises:
        GrammarError: the rules are too entangled to tell.
    """
    return _settled(rules, is_nullable)


def _settled(
    rules: Mapping[str, Node], holds: Callable[[Node, Collection[str]], bool]
) -> frozenset[str]:
    """Return the rules for which something holds, once that of others has been looked at.

    Chains of rules lead to the end or to the beginning, so passes go either way in turn.
    """
    found: set[str] = set()
    order = list(rules.items())
    for _ in range(MAX_PASSES):
        before = len(found)
        order.reverse()
        for name, node in order:
            if name not in found and holds(node, found):
                found.add(name)
        if len(found) == before:
            return frozenset(found)
    raise GrammarError("rules that are too entangled")


def is_nullable(node: Node, empty: Collection[str]) -> bool:
    """Tell whether a node fits the empty text.

    Args:
        node: to look at.
        empty: the rules that do.
    """
    match node:
        case Text(text):
            return not text
        case Reference(name):
            return name in empty
        case Choice(options):
            return any(is_nullable(option, empty) for option in options)
        case Sequence(parts):
            return all(is_nullable(part, empty) for part in parts)
        case Repeat(inner, least):
            return least == 0 or is_nullable(inner, empty)
        case _:
            return False


def _reachable(grammar: Grammar) -> dict[str, Node]:
    rules: dict[str, Node] = {}
    found = [grammar.start]
    for name in found:
        if name in rules:
            continue
        if name not in grammar.rules:
            raise GrammarError(f"{name[:64]!r} is not defined")
        rules[name] = grammar.rules[name]
        found += references(rules[name])
    return rules


def _check_ends(rules: Mapping[str, Node]) -> None:
    """Refuse a rule that no text fits, because it always comes back to itself."""
    ending = _settled(rules, _can_end)
    if endless := sorted(rules.keys() - ending):
        raise GrammarError(f"{endless[0][:64]!r} never ends")


def _can_end(node: Node, ending: Collection[str]) -> bool:
    match node:
        case Reference(name):
            return name in ending
        case Repeat(_, 0, _):
            return True
        case Choice(options):
            return any(_can_end(option, ending) for option in options)
        case _:
            return all(_can_end(child, ending) for child in children(node))


def _without_self_at_start(name: str, node: Node) -> Node:
    """Return `X = X a | b` as `X = b a*`."""
    itself = Reference(name)
    behind: list[Node] = []
    others: list[Node] = []
    for option in node.options if isinstance(node, Choice) else (node,):
        if isinstance(option, Sequence) and option.parts[:1] == (itself,):
            behind.append(sequence(*option.parts[1:]))
        elif option != itself:
            others.append(option)
    rest = choice(*others)
    return sequence(rest, repeat(choice(*behind), 0, None)) if behind else rest


def _without_self_at_end(name: str, node: Node) -> Node:
    """Return `X = a X | b` as `X = a* b`, if it refers to itself nowhere else."""
    itself = Reference(name)
    before: list[Node] = []
    others: list[Node] = []
    for option in node.options if isinstance(node, Choice) else (node,):
        if isinstance(option, Sequence) and option.parts[-1:] == (itself,):
            before.append(sequence(*option.parts[:-1]))
        else:
            others.append(option)
    if not before or name in references(choice(*before, *others)):
        return node
    return sequence(repeat(choice(*before), 0, None), choice(*others))


class _Tidy:
    """Repeats nothing that is empty."""

    def __init__(self, rules: Mapping[str, Node]) -> None:
        self._rules = rules
        self._empty = nullable(rules)
        self._filled_count = 0

    def node(self, node: Node) -> Node:
        match node:
            case Sequence(parts):
                return sequence(*map(self.node, parts))
            case Choice(options):
                return choice(*map(self.node, options))
            case Repeat(inner, least, most):
                inner = self.node(inner)
                if not is_nullable(inner, self._empty):
                    return repeat(inner, least, most)
                return repeat(inner if most is not None else self._filled(inner), 0, most)
            case _:
                return node

    def _filled(self, node: Node, opened: tuple[str, ...] = ()) -> Node:
        """Return a node that is not empty, and says the same when it is repeated for ever."""
        if not is_nullable(node, self._empty):
            return node
        self._filled_count += 1 + len(children(node))
        if self._filled_count > MAX_FILLED:
            raise GrammarError("rules that are too entangled")
        match node:
            case Choice(options):
                return choice(*(self._filled(o, opened) for o in options if o != EMPTY))
            case Sequence(parts):
                return choice(*(self._filled(part, opened) for part in parts))
            case Repeat(inner):
                return self._filled(inner, opened)
            case Reference(name) if name not in opened:
                return self._filled(self._rules[name], (*opened, name))
            case _:
                return node
