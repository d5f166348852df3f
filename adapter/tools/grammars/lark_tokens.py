"""Lark's notation, cut into tokens.

Lines mean nothing but that a definition begins one: `name:` there is a token of its own.

Source: Lark's own grammar (lark/grammars/lark.lark, 1.3) and llguidance's docs/syntax.md, which is
what OpenAI reads grammars with.
"""

import re
from typing import Literal

import msgspec

from adapter.tools.grammars.charset import LAST
from adapter.tools.grammars.nodes import MAX_DEFINITION_CHARS, GrammarError

Kind = Literal["definition", "directive", "string", "regex", "name", "number", "mark", "end"]

_BLANK = re.compile(r"(?:\s+|//[^\n]*|#[^\n]*|%llguidance\b[^\n]*)+")
_DEFINITION = re.compile(
    r"[?!]{0,2}(?P<name>[A-Za-z_]\w*)(?:\{(?P<parameters>[^{}\n]*)\})?"
    r"(?:\[(?P<attributes>[^\[\]\n]*)\])?(?:\.-?\d+)?\s*:(?!:)"
)
_TOKEN = re.compile(
    r"%(?P<directive>[A-Za-z_]\w*)"
    r'|(?P<string>"(?:\\.|[^"\\\n])*"i?)'
    r"|(?P<regex>/(?![/*])(?:\\.|[^/\\])*/[A-Za-z]*)"
    r"|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<number>\d{1,9})"
    r"|(?P<mark>\.\.|->|[()\[\]{}|?*+~,.:])",
    re.DOTALL,
)

_ESCAPE = re.compile(
    r"\\(?:(?P<code>x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})|(?P<mark>.))", re.DOTALL
)
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Token(msgspec.Struct, frozen=True):
    """A piece of a grammar.

    Attributes:
        kind: what it is.
        text: of it; the name of a definition or directive.
        parameters: names of a template's parameters.
    """

    kind: Kind
    text: str
    parameters: tuple[str, ...] = ()


END = Token("end", "")


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a grammar, with an end behind them.

    Raises:
        GrammarError: it is too long, or holds what is no token.
    """
    if len(text) > MAX_DEFINITION_CHARS:
        raise GrammarError("a grammar that is too long")
    tokens: list[Token] = []
    place, begins_line = 0, True
    while place < len(text):
        if blank := _BLANK.match(text, place):
            begins_line = begins_line or "\n" in blank[0]
            place = blank.end()
            continue
        token, place = _read(text, place, begins_line=begins_line)
        tokens.append(token)
        begins_line = False
    return [*tokens, END]


def _read(text: str, place: int, *, begins_line: bool) -> tuple[Token, int]:
    if begins_line and (found := _DEFINITION.match(text, place)):
        _check_attributes(found["attributes"] or "")
        names = (name.strip() for name in (found["parameters"] or "").split(","))
        return Token("definition", found["name"], tuple(filter(None, names))), found.end()
    token = _TOKEN.match(text, place)
    if token is None:
        line = text.count("\n", 0, place) + 1
        raise GrammarError(f"the character {text[place]!r} in line {line}")
    kind: Kind = token.lastgroup  # type: ignore[assignment]  # the groups are named so
    return Token(kind, token[kind]), token.end()


def _check_attributes(attributes: str) -> None:
    """Refuse attributes of llguidance that change what fits; `capture` and `lazy` do not."""
    for attribute in attributes.split(","):
        name = attribute.partition("=")[0].strip()
        if name not in ("", "capture", "lazy"):
            raise GrammarError(f"the attribute {name!r}")


def unquote(written: str) -> str:
    """Return what a string stands for, by the escapes that Lark and JSON have in common."""
    return _ESCAPE.sub(_escaped, written.removesuffix("i")[1:-1])


def _escaped(found: re.Match[str]) -> str:
    mark, code = found["mark"], found["code"]
    if code is not None:
        return _character(int(code[1:], 16))
    if mark not in _ESCAPES:
        raise GrammarError(f"the escape '\\{mark}' in a string")
    return _ESCAPES[mark]


def _character(code: int) -> str:
    if code > LAST or 0xD800 <= code < 0xE000:
        raise GrammarError("an escape for a character that there is not")
    return chr(code)
