"""The tree of a grammar, and how large it may become."""

from collections.abc import Iterator

import msgspec

from adapter.tools.grammars.charset import Ranges

MAX_DEFINITION_CHARS = 65_536  # ten times the longest grammar that a known client sends
MAX_DEPTH = 64  # of groups in each other
MAX_COUNT = 1_000  # of one repetition
MAX_RULES = 500
MAX_SIZE = 20_000  # characters and references, each repetition written out


class GrammarError(ValueError):
    """A grammar that is none, that is beyond the bounds, or that is outside of the subset."""


class Text(msgspec.Struct, frozen=True):
    text: str


class Chars(msgspec.Struct, frozen=True):
    """One character out of ranges of code points, which are sorted and apart."""

    ranges: Ranges


class Sequence(msgspec.Struct, frozen=True):
    parts: tuple["Node", ...]


class Choice(msgspec.Struct, frozen=True):
    options: tuple["Node", ...]


class Repeat(msgspec.Struct, frozen=True):
    node: "Node"
    least: int
    most: int | None


class Reference(msgspec.Struct, frozen=True):
    name: str


Node = Text | Chars | Sequence | Choice | Repeat | Reference

EMPTY = Sequence(())


class Grammar(msgspec.Struct, frozen=True):
    """A grammar whose references all lead somewhere.

    Attributes:
        rules: by name.
        start: name of the first.
    """

    rules: dict[str, Node]
    start: str


def sequence(*parts: Node) -> Node:
    """Return the parts in order, as flat as can be."""
    flat: list[Node] = []
    for part in parts:
        inner = part.parts if isinstance(part, Sequence) else (part,)
        for node in inner:
            last = flat[-1] if flat else None
            if isinstance(node, Text) and isinstance(last, Text):
                flat[-1] = Text(last.text + node.text)
            elif node != Text(""):
                flat.append(node)
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat))


def choice(*options: Node) -> Node:
    """Return one of the options, as flat as can be."""
    flat: dict[Node, None] = {}
    for option in options:
        inner = option.options if isinstance(option, Choice) else (option,)
        flat.update(dict.fromkeys(inner))
    kept = tuple(flat)
    return kept[0] if len(kept) == 1 else Choice(kept)


def repeat(node: Node, least: int, most: int | None) -> Node:
    """Return a repetition.

    Raises:
        GrammarError: of a count that is too large, or upside down.
    """
    if max(least, most or 0) > MAX_COUNT:
        raise GrammarError(f"a repetition of more than {MAX_COUNT}")
    if most is not None and most < least:
        raise GrammarError("a repetition whose end is before its beginning")
    if (least, most) == (1, 1):
        return node
    if most == 0 or node == EMPTY:
        return EMPTY
    return Repeat(node, least, most)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Sequence(parts):
            return parts
        case Choice(options):
            return options
        case Repeat(inner):
            return (inner,)
        case _:
            return ()


def references(node: Node) -> Iterator[str]:
    """Yield the names that a node refers to, in order."""
    if isinstance(node, Reference):
        yield node.name
    for child in children(node):
        yield from references(child)


def size(node: Node) -> int:
    """Return how many characters and references there are once repetitions are written out."""
    match node:
        case Text(text):
            return len(text)
        case Chars(ranges):
            return 1 + len(ranges) // 8
        case Repeat(inner, least, most):
            return size(inner) * max(least + 1 if most is None else most, 1)
        case _:
            return 1 + sum(map(size, children(node)))


def depth(node: Node) -> int:
    return 1 + max(map(depth, children(node)), default=0)


def check_size(grammar: Grammar) -> None:
    """Refuse a grammar that is too large.

    Raises:
        GrammarError: it is.
    """
    if len(grammar.rules) > MAX_RULES or sum(map(size, grammar.rules.values())) > MAX_SIZE:
        raise GrammarError("it is too large")
