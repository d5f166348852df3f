"""GBNF, read by somebody else: written from the description of the notation, not from our writer.

It tries everything, and remembers what it tried; good enough for short texts.

Source: llama.cpp, grammars/README.md.
"""

import re
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[a-zA-Z][a-zA-Z0-9-]*)"
    r'|(?P<string>"(?:\\.|[^"\\])*")'
    r"|(?P<set>\[(?:\\.|[^\]\\])*\])"
    r"|(?P<count>\{\d+(?:,\d*)?\})"
    r"|(?P<mark>[()|*+?]))"
)
_CHAR = re.compile(
    r"\\x([0-9A-Fa-f]{2})|\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})|\\(.)|(.)", re.DOTALL
)
_CONTROLS = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "[": "[", "]": "]"}


class GbnfReader:
    """Reads a grammar, and says which texts fit it."""

    def __init__(self, text: str) -> None:
        self._rules: dict[str, Any] = {}
        for line in text.splitlines():
            name, _, body = line.partition(" ::= ")
            self._rules[name] = _Body(body).parse()

    def accepts(self, text: str) -> bool:
        return len(text) in _Try(self._rules, text).rule("root", 0)


class _Try:
    """Where the parts of a grammar can end in one text, by where they begin."""

    def __init__(self, rules: dict[str, Any], text: str) -> None:
        self._rules = rules
        self._text = text
        self._known: dict[tuple[str, int], set[int]] = {}

    def rule(self, name: str, place: int) -> set[int]:
        if (name, place) not in self._known:
            self._known[name, place] = self._ends(self._rules[name], {place})
        return self._known[name, place]

    def _ends(self, node: Any, places: set[int]) -> set[int]:
        match node:
            case ("rule", name):
                return {end for place in places for end in self.rule(name, place)}
            case ("set", negated, members):
                return {place + 1 for place in places if self._has(place, members) is (not negated)}
            case ("any", options):
                return {end for option in options for end in self._ends(option, places)}
            case ("all", parts):
                for part in parts:
                    places = self._ends(part, places)
                return places
            case _:
                return self._times(*node[1:], places)

    def _has(self, place: int, members: list[tuple[str, str]]) -> bool | None:
        if place == len(self._text):
            return None
        return any(low <= self._text[place] <= high for low, high in members)

    def _times(self, inner: Any, least: int, most: int | None, places: set[int]) -> set[int]:
        for _ in range(least):
            places = self._ends(inner, places)
        ends, count = set(places), least
        while places and (most is None or count < most):
            places = self._ends(inner, places) - ends
            ends |= places
            count += 1
        return ends


class _Body:
    def __init__(self, text: str) -> None:
        self._text = text.rstrip()
        self._place = 0
        self._kind, self._token = "", ""
        self._step()

    def parse(self) -> Any:
        node = self._options()
        assert not self._kind, f"{self._token!r} in {self._text!r}"
        return node

    def _step(self) -> None:
        found = _TOKEN.match(self._text, self._place)
        if found is None:
            assert self._place == len(self._text), self._text[self._place :]
            self._kind = self._token = ""
            return
        self._place = found.end()
        self._kind = found.lastgroup or ""
        self._token = found[self._kind]

    def _options(self) -> Any:
        options = [self._sequence()]
        while self._token == "|":
            self._step()
            options.append(self._sequence())
        return ("any", options)

    def _sequence(self) -> Any:
        parts: list[Any] = []
        while self._kind and self._token not in ("|", ")"):
            kind, token = self._kind, self._token
            self._step()
            if kind == "name":
                parts.append(("rule", token))
            elif kind == "string":
                chars = [("set", False, [(char, char)]) for char in _chars(token[1:-1])]
                parts.append(("all", chars))
            elif kind == "set":
                parts.append(_set(token[1:-1]))
            elif token == "(":
                parts.append(self._options())
                assert self._token == ")"
                self._step()
            else:
                parts[-1] = ("times", parts[-1], *_counts(token))
        return ("all", parts)


def _counts(token: str) -> tuple[int, int | None]:
    if token in "*+?":
        return {"*": (0, None), "+": (1, None), "?": (0, 1)}[token]
    least, comma, most = token[1:-1].partition(",")
    return int(least), (int(most) if most else None) if comma else int(least)


def _set(text: str) -> Any:
    negated = text.startswith("^")
    marks = [found[0] for found in _CHAR.finditer(text, int(negated))]
    members: list[tuple[str, str]] = []
    while marks:
        low = _chars(marks.pop(0))[0]
        if len(marks) > 1 and marks[0] == "-":
            marks.pop(0)
            members.append((low, _chars(marks.pop(0))[0]))
        else:
            members.append((low, low))
    return ("set", negated, members)


def _chars(text: str) -> list[str]:
    return [
        chr(int(code, 16)) if (code := x or u or big) else _CONTROLS[mark] if mark else char
        for x, u, big, mark, char in (found.groups() for found in _CHAR.finditer(text))
    ]
