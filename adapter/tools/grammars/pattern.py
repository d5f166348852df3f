r"""A grammar as one regular expression, where it is one: no rule leads back to itself.

Written is what all dialects read in the same way: groups that capture, classes without `\d` and its
like, no anchors, no flags.
"""

from adapter.tools.grammars.charset import ANYTHING, Ranges, chars, overlaps, ranges_of, write_class
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
    children,
    references,
)

MAX_REGEX_CHARS = 16_384
# What JSON writes otherwise in a string than it is.
_NOT_IN_JSON: Ranges = ranges_of([(0, 0x1F), *chars('"\\')])
# No more than these: llama.cpp knows no escape of a dash or a slash (its issue 27397).
_SPECIAL = frozenset("\\^$.|?*+()[]{}")
_SPECIAL_IN_CLASS = frozenset("\\[]")
_ESCAPES = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\f": r"\f", "\v": r"\v"}


def to_regex(grammar: Grammar) -> str:
    """Return a regular expression that the whole text has to match.

    Raises:
        GrammarError: there is none, or it is too long.
    """
    text = _write(_one_node(grammar))
    if len(text) > MAX_REGEX_CHARS:
        raise GrammarError("a regular expression that is too long")
    return text


def to_json_pattern(grammar: Grammar) -> str:
    """Return the `pattern` of a JSON schema for a string of the grammar.

    Servers apply a pattern to the string as it is written in JSON, not to what it says. So there is
    none where the two differ: where a text may have a quote, a backslash, or more than one line.

    Raises:
        GrammarError: there is none.
    """
    node = _one_node(grammar)
    if _may_have(node, _NOT_IN_JSON):
        raise GrammarError("a text that JSON writes in another way")
    text = f"^({_write(node)})$"
    if len(text) > MAX_REGEX_CHARS:
        raise GrammarError("a regular expression that is too long")
    return text


def _one_node(grammar: Grammar) -> Node:
    inlined = inline(grammar)
    if any(True for rule in inlined.rules.values() for _ in references(rule)):
        raise GrammarError("a rule leads back to itself")
    return inlined.rules[inlined.start]


def _may_have(node: Node, ranges: Ranges) -> bool:
    match node:
        case Text(text):
            return overlaps(chars(text), ranges)
        case Chars(own):
            return overlaps(own, ranges)
        case _:
            return any(_may_have(child, ranges) for child in children(node))


def _write(node: Node) -> str:
    match node:
        case Choice(options):
            return "|".join(map(_write, options))
        case Sequence(parts):
            return "".join(
                f"({_write(part)})" if isinstance(part, Choice) else _write(part) for part in parts
            )
        case Repeat(inner, least, most):
            # llama.cpp takes all of `a\.` for what `\.+` repeats: only a class stands alone.
            written = _write(inner)
            is_one = isinstance(inner, Chars) or (isinstance(inner, Text) and len(written) == 1)
            return (written if is_one else f"({written})") + _counts(least, most)
        case Chars(ranges):
            return r"[\s\S]" if ranges == ANYTHING else write_class(ranges, _escape_in_class)
        case Text(text):
            return "".join(map(_escape, text))
        case Reference():  # pragma: no cover  # inlined
            raise AssertionError


def _counts(least: int, most: int | None) -> str:
    match least, most:
        case 0, None:
            return "*"
        case 1, None:
            return "+"
        case 0, 1:
            return "?"
        case _ if least == most:
            return f"{{{least}}}"
        case _:
            return f"{{{least},{'' if most is None else most}}}"


def _escape(char: str, special: frozenset[str] = _SPECIAL) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char in special:
        return f"\\{char}"
    code = ord(char)
    if char.isprintable() or code > 0xFFFF:
        return char
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"


def _escape_in_class(char: str) -> str:
    return _escape(char, _SPECIAL_IN_CLASS)
