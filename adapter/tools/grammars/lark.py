"""Grammars in Lark's notation.

Terminals are matched character by character, like everything else: the longest match of a lexer,
priorities and the difference between `rule` and `?rule` do not decide whether a text fits, or only
for texts that a parser behind it can still refuse. What `%ignore` names may stand before and behind
every terminal of a rule.

Read are rules, terminals, templates, strings, ranges, regular expressions, groups, repetitions,
`%ignore`, and `%import` from `common`; anything else is refused.
"""

from collections.abc import Mapping

import msgspec

from adapter.tools.grammars.common import COMMON
from adapter.tools.grammars.lark_tokens import END, Token, tokenize, unquote
from adapter.tools.grammars.nodes import (
    MAX_DEPTH,
    MAX_SIZE,
    Chars,
    Grammar,
    GrammarError,
    Node,
    Reference,
    choice,
    depth,
    repeat,
    sequence,
    size,
)
from adapter.tools.grammars.regex import literal, parse_regex

START = "start"
MAX_INSTANCES = 100  # of templates
_IGNORED = Reference("%ignore")  # no name can be written so
_COUNTS: Mapping[str, tuple[int, int | None]] = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_ATOMS = frozenset({"string", "regex", "name"})
_OPENINGS = (Token("mark", "("), Token("mark", "["))
_STOPS = frozenset({"definition", "directive", "end"})


class _Definition(msgspec.Struct, frozen=True):
    """Where a definition's right side begins."""

    place: int
    parameters: tuple[str, ...]


def parse_lark(text: str) -> Grammar:
    """Return a grammar in Lark's notation.

    Raises:
        GrammarError: it is outside of the subset, or none.
    """
    return _Reader(tokenize(text)).read()


class _Reader:
    """Reads the definitions, and templates once for every use of other arguments.

    Attributes:
        ignores: there is something to ignore between terminals.
    """

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._definitions: dict[str, _Definition] = {}
        self._ignored: list[Node] = []
        self.ignores = Token("directive", "ignore") in tokens
        self._rules: dict[str, Node] = {}
        self._instances: dict[tuple[str, tuple[Node, ...]], str] = {}

    def read(self) -> Grammar:
        place = 0
        while self._tokens[place] is not END:
            place = self._statement(place)
        for name, definition in self._definitions.items():
            if not definition.parameters:
                self._rules[name] = self._body(name, {})
        self._read_instances()
        if START not in self._rules:
            raise GrammarError(f"no rule {START!r}")
        if self._ignored:
            self._rules[_IGNORED.name] = repeat(choice(*self._ignored), 0, None)
            self._rules["%whole"] = sequence(_IGNORED, Reference(START))
            return Grammar(self._rules, "%whole")
        return Grammar(self._rules, START)

    def instance(self, name: str, arguments: tuple[Node, ...]) -> Reference:
        """Return the rule that a template is with some arguments."""
        wanted = len(self._definitions[name].parameters) if name in self._definitions else 0
        if wanted != len(arguments):
            raise GrammarError(f"{name!r} with {len(arguments)} arguments")
        is_large = sum(map(size, arguments)) > MAX_SIZE or max(map(depth, arguments)) > MAX_DEPTH
        if is_large or len(self._instances) > MAX_INSTANCES:
            raise GrammarError("templates that grow too large")
        key = (name, arguments)
        if key not in self._instances:
            self._instances[key] = f"{name}%{len(self._instances)}"
        return Reference(self._instances[key])

    def _read_instances(self) -> None:
        done = 0
        while done < len(self._instances):
            (name, arguments), instance = list(self._instances.items())[done]
            parameters = self._definitions[name].parameters
            self._rules[instance] = self._body(name, dict(zip(parameters, arguments, strict=True)))
            done += 1

    def _body(self, name: str, arguments: Mapping[str, Node]) -> Node:
        is_rule = not name.lstrip("_")[:1].isupper()
        return self._parser(self._definitions[name].place, arguments, is_rule=is_rule).whole()

    def _parser(self, place: int, arguments: Mapping[str, Node], *, is_rule: bool) -> "_Parser":
        return _Parser(self, self._tokens, place, arguments, is_rule=is_rule)

    def _statement(self, place: int) -> int:
        token = self._tokens[place]
        match token:
            case Token("definition", name, parameters):
                if name in self._definitions or name in self._rules:
                    raise GrammarError(f"{name!r} is defined twice")
                self._definitions[name] = _Definition(place + 1, parameters)
                return self._next_statement(place + 1)
            case Token("directive", "import"):
                return self._import(place + 1)
            case Token("directive", "ignore"):
                self._ignored.append(self._parser(place + 1, {}, is_rule=False).whole())
                return self._next_statement(place + 1)
            case Token("directive", name):
                raise GrammarError(f"the directive '%{name}'")
            case _:
                raise GrammarError(f"{token.text[:32]!r} outside of a definition")

    def _next_statement(self, place: int) -> int:
        while self._tokens[place].kind not in _STOPS:
            place += 1
        return place

    def _import(self, place: int) -> int:
        """Read `common.NAME`, `common.NAME -> OTHER`, or `common (NAME, OTHER)`."""
        end = self._next_statement(place)
        match [token.text for token in self._tokens[place:end]]:
            case ["common", ".", name]:
                self._add_common(name, name)
            case ["common", ".", name, "->", alias]:
                self._add_common(name, alias)
            case ["common", "(", *names, ")"]:
                for name in names:
                    if name != ",":
                        self._add_common(name, name)
            case words:
                raise GrammarError(f"%import {' '.join(words)[:32]}")
        return end

    def _add_common(self, name: str, alias: str) -> None:
        if name not in COMMON:
            raise GrammarError(f"%import common.{name[:32]}")
        self._rules[alias] = parse_regex(COMMON[name])


class _Parser:
    """Parses the right side of one definition."""

    def __init__(
        self,
        reader: _Reader,
        tokens: list[Token],
        place: int,
        arguments: Mapping[str, Node],
        *,
        is_rule: bool,
    ) -> None:
        self._reader = reader
        self._tokens = tokens
        self._place = place
        self._arguments = arguments
        self._is_rule = is_rule
        self._depth = 0

    def whole(self) -> Node:
        node = self._expansions()
        if self._token.kind not in _STOPS:
            raise GrammarError(f"{self._token.text[:32]!r} where a definition ends")
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._place]

    def _take(self, mark: str) -> bool:
        if self._token.kind != "mark" or self._token.text != mark:
            return False
        self._place += 1
        return True

    def _expect(self, mark: str) -> None:
        if not self._take(mark):
            raise GrammarError(f"{self._token.text[:32]!r} instead of {mark!r}")

    def _expansions(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise GrammarError("a grammar that is nested too deeply")
        options = [self._expansion()]
        while self._take("|"):
            options.append(self._expansion())
        self._depth -= 1
        return choice(*options)

    def _expansion(self) -> Node:
        parts: list[Node] = []
        while self._token.kind in _ATOMS or self._token in _OPENINGS:
            parts.append(self._expression())
        if self._take("->"):
            self._take_name()
        return sequence(*parts)

    def _expression(self) -> Node:
        node = self._atom()
        token = self._token
        if token.kind != "mark" or token.text not in ("?", "*", "+", "~", "{"):
            return node
        self._place += 1
        counts = _COUNTS.get(token.text) or self._counts(token.text)
        if self._token.kind == "mark" and self._token.text in ("?", "*", "+", "~"):
            raise GrammarError("a repetition of a repetition")
        return repeat(node, *counts)

    def _counts(self, mark: str) -> tuple[int, int | None]:
        """Read what follows `~` (Lark) or `{` (llguidance)."""
        if mark == "~":
            least = self._take_number()
            return least, self._take_number() if self._take("..") else least
        least = self._take_number() if self._token.kind == "number" else 0
        most: int | None = least
        if self._take(","):
            most = self._take_number() if self._token.kind == "number" else None
        self._expect("}")
        return least, most

    def _atom(self) -> Node:
        token = self._token
        self._place += 1
        if token.text in ("(", "[") and token.kind == "mark":
            node = self._expansions()
            self._expect(")" if token.text == "(" else "]")
            return node if token.text == "(" else repeat(node, 0, 1)
        if token.kind == "string":
            return self._terminal(self._string(token.text))
        if token.kind == "regex":
            body, _, flags = token.text[1:].rpartition("/")
            return self._terminal(parse_regex(body, flags))
        return self._named(token.text)

    def _string(self, written: str) -> Node:
        text = unquote(written)
        if not self._take(".."):
            return literal(text, ignores_case=written.endswith("i"))
        last = unquote(self._token.text) if self._token.kind == "string" else ""
        self._place += 1
        if len(text) != 1 or len(last) != 1 or text > last:
            raise GrammarError("a range between anything but two characters")
        return Chars(((ord(text), ord(last)),))

    def _named(self, name: str) -> Node:
        if name in self._arguments:
            return self._arguments[name]
        if self._token.text == "{" and not _is_count(self._tokens[self._place + 1]):
            self._place += 1
            return self._reader.instance(name, self._template_arguments())
        node = Reference(name)
        return self._terminal(node) if name.lstrip("_")[:1].isupper() else node

    def _template_arguments(self) -> tuple[Node, ...]:
        arguments = [self._expansions()]
        while self._take(","):
            arguments.append(self._expansions())
        self._expect("}")
        return tuple(arguments)

    def _terminal(self, node: Node) -> Node:
        return sequence(node, _IGNORED) if self._is_rule and self._reader.ignores else node

    def _take_name(self) -> None:
        if self._token.kind != "name":
            raise GrammarError("'->' without a name")
        self._place += 1

    def _take_number(self) -> int:
        if self._token.kind != "number":
            raise GrammarError(f"{self._token.text[:32]!r} instead of a number")
        self._place += 1
        return int(self._tokens[self._place - 1].text)


def _is_count(token: Token) -> bool:
    return token.kind == "number" or token.text == ","
