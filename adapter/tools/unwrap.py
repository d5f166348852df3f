"""The input of a custom tool out of the arguments of the function that stands for it.

The function has one string, `input`. What a model writes comes in pieces, and clients want it as it
comes: the JSON string is decoded piece by piece. Models also write other things; what does not
begin as it should is looked at when it is whole (`clients.md` §7). The input of a tool with a
grammar may have something around it besides: see `adapter.tools.wrappings`.
"""

import re
from typing import Any

import msgspec

from adapter.tools.wrappings import is_wrapped, unfence, unwrap_text

FIELD = "input"

_BEGINNING = re.compile(r'\s*\{\s*"input"\s*:\s*"')
_MAX_BEGINNING_CHARS = 256  # blanks and all; what begins later is looked at when it is whole
_COMPACT_BEGINNING = '{"input":"'
_ESCAPES = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_json = msgspec.json.Decoder()
_HEX_DIGITS = 4
_HEX = re.compile(r"[0-9A-Fa-f]*")


class InputReader:
    """Decodes the input while the arguments come in.

    Args:
        tool: name of a tool that has a grammar.
    """

    def __init__(self, tool: str | None = None) -> None:
        self._tool = tool
        self._beginning = ""  # until it is clear whether something is around the input
        self._is_judged = tool is None
        self._is_wrapped = False
        self._held = ""
        self._is_inside = False
        self._is_over = False
        self._said: list[str] = []

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self._said)

    def feed(self, piece: str) -> str:
        """Return what the piece adds to the input, as far as it is clear."""
        if self._is_over:
            return ""
        self._held += piece
        if not self._is_inside and not self._begin():
            return ""
        return self._say(self._judge(self._decode()))

    def rest(self, arguments: str) -> str:
        """Return what is still to be said, now that the arguments are whole."""
        return self._say(unwrap_input(arguments, self._tool)[len(self.text) :])

    def _say(self, text: str) -> str:
        self._said.append(text)
        return text

    def _judge(self, text: str) -> str:
        """Return the text, unless something may be around the input: then `rest` has it."""
        if self._is_judged or self._tool is None:
            return "" if self._is_wrapped else text
        self._beginning += text
        verdict = is_wrapped(self._beginning, self._tool)
        if verdict is None:
            return ""
        self._is_judged, self._is_wrapped = True, verdict
        return "" if verdict else self._beginning

    def _begin(self) -> bool:
        if begun := _BEGINNING.match(self._held):
            self._held = self._held[begun.end() :]
            self._is_inside = True
        elif len(self._held) > _MAX_BEGINNING_CHARS or not _COMPACT_BEGINNING.startswith(
            "".join(self._held.split())
        ):
            self._is_over = True  # it is something else: see `rest`
        return self._is_inside

    def _decode(self) -> str:
        """Take the decoded text up to what is not clear yet: an escape that is not whole."""
        taken: list[str] = []
        held, place = self._held, 0
        while place < len(held):
            plain = _plain_end(held, place)
            taken.append(held[place:plain])
            place = plain
            if place == len(held):
                break
            if held[place] == '"':
                self._is_over = True
                break
            decoded, length = _escape(held, place)
            if not length:
                break
            taken.append(decoded)
            place += length
        self._held = held[place:]
        return "".join(taken)


def _plain_end(text: str, start: int) -> int:
    """Return where the next quote or backslash stands, or the end."""
    quote, backslash = text.find('"', start), text.find("\\", start)
    return min((place for place in (quote, backslash) if place >= 0), default=len(text))


def _escape(text: str, place: int) -> tuple[str, int]:
    """Return the character of an escape and its length; length 0 if it is not whole."""
    if place + 1 >= len(text):
        return "", 0
    kind = text[place + 1]
    if kind != "u":
        return _ESCAPES.get(kind, kind), 2
    code = _code(text, place)
    if code is None:
        return "", 0
    if not 0xD800 <= code < 0xDC00:
        return _character(code), 6
    if len(text) < place + 12:
        return "", 0  # the other half of the pair
    low = _code(text, place + 6) if text.startswith("\\u", place + 6) else None
    if low is None or not 0xDC00 <= low < 0xE000:
        return "\ufffd", 6
    return chr(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)), 12


def _code(text: str, place: int) -> int | None:
    digits = text[place + 2 : place + 2 + _HEX_DIGITS]
    if len(digits) < _HEX_DIGITS:
        return None
    return int(digits, 16) if _HEX.fullmatch(digits) else 0xFFFD


def _character(code: int) -> str:
    return "\ufffd" if 0xDC00 <= code < 0xE000 else chr(code)


def unwrap_input(arguments: str, tool: str | None = None) -> str:
    """Return the input that whole arguments stand for, whatever a model made of them.

    `{"input": "…"}` as it should be; another single field (`patch`, `code`, …); a command line with
    the text as its last word; lines of text; a bare JSON string; plain text, perhaps in a code fence.

    Args:
        arguments: all of them.
        tool: name of a tool that has a grammar.
    """
    try:
        text = _text_of(_json.decode(arguments), arguments)
    except (msgspec.DecodeError, RecursionError):
        text = _cut_off(arguments)
    return text if tool is None else unwrap_text(text, tool)


def _text_of(value: Any, arguments: str) -> str:
    match value:
        case str():
            return unfence(value)
        case {"input": str(text)}:
            return text
        case {"input": inner}:
            return _text_of(inner, arguments)
        case dict() if len(value) == 1:
            return _text_of(next(iter(value.values())), arguments)
        case [str(first), *_, str(last)] if all(isinstance(word, str) for word in value):
            return last if _is_program(first) else "\n".join(value)
        case [str(only)]:
            return only
        case _:
            return arguments


def _cut_off(arguments: str) -> str:
    """Return the text in arguments that are no JSON: cut short, or plain text from the start."""
    if begun := _BEGINNING.match(arguments):
        reader = InputReader()
        return reader.feed(begun[0] + arguments[begun.end() :])
    return unfence(arguments)


def _is_program(word: str) -> bool:
    """Tell the first word of a command line from the first line of a text."""
    return len(word.split()) == 1
