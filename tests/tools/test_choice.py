"""`tool_choice` says which tools are offered, and what the upstream is told of it."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.tools.choice import ChosenTools, choose_tools
from adapter.tools.toolbox import MAX_TOOLS, Toolbox, open_toolbox
from adapter.types.raw import ABSENT, NULL
from adapter.types.tools import AllowedToolsChoice

F, G = {"type": "function", "name": "f"}, {"type": "function", "name": "g"}
CUSTOM = {"type": "custom", "name": "c"}
NAMESPACE = {"type": "namespace", "name": "n", "tools": [F, {"type": "function", "name": "h"}]}


def raw(given: Any) -> Raw:
    return Raw(msgspec.json.encode(given))


def box(*tools: Any) -> Toolbox:
    return open_toolbox([raw(tool) for tool in tools])


BOX = box(F, G, CUSTOM, {"type": "shell"}, NAMESPACE, {"type": "web_search"})
ALL = ["f", "g", "c", "shell", "n__f", "n__h"]


def named(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def names(chosen: ChosenTools) -> list[str]:
    return [tool.definition.name for tool in chosen.tools]


@pytest.mark.parametrize("given", [ABSENT, NULL])
def test_no_choice_is_auto_and_nothing_is_sent(given: Raw) -> None:
    chosen = choose_tools(given, BOX)

    assert (names(chosen), chosen.choice, chosen.echo) == (ALL, None, "auto")


@pytest.mark.parametrize("mode", ["auto", "none", "required"])
def test_a_mode_is_sent(mode: str) -> None:
    chosen = choose_tools(raw(mode), BOX)

    assert (names(chosen), chosen.choice, chosen.echo) == (ALL, mode, mode)


@pytest.mark.parametrize("mode", ["auto", "none"])
def test_a_mode_is_not_sent_without_tools(mode: str) -> None:
    chosen = choose_tools(raw(mode), box({"type": "web_search"}))

    assert (chosen.tools, chosen.choice, chosen.echo) == ((), None, mode)


# (name, choice, the function that has to be called, what is echoed)
NAMED: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("a function", F, "f", F),
    ("a chat-style function", named("g"), "g", G),
    ("a custom tool", CUSTOM, "c", CUSTOM),
    ("a shell", {"type": "shell"}, "shell", {"type": "shell"}),
    ("a function of a namespace", {**F, "namespace": "n"}, "n__f", {**F, "namespace": "n"}),
    (
        "a function of a namespace, by its name alone",
        {"type": "function", "name": "h"},
        "n__h",
        {"type": "function", "name": "h"},
    ),
    ("other keys", {**F, "x": [1]}, "f", {**F, "x": [1]}),
]


@pytest.mark.parametrize(
    ("given", "name", "echo"), [pytest.param(*case, id=name) for name, *case in NAMED]
)
def test_a_named_tool_is_named_to_the_upstream(
    given: dict[str, Any], name: str, echo: dict[str, Any]
) -> None:
    chosen = choose_tools(raw(given), BOX)

    assert (names(chosen), chosen.choice, chosen.echo) == (ALL, named(name), echo)


# (name, allowed tools, mode, tools that are offered, what is sent)
ALLOWED: list[tuple[str, list[Any], str, list[str], str | None]] = [
    ("one", [F], "auto", ["f"], "auto"),
    ("in another order", [G, F], "required", ["g", "f"], "required"),
    ("one twice", [F, F], "auto", ["f"], "auto"),
    ("of other types", [{"type": "shell"}, CUSTOM], "auto", ["shell", "c"], "auto"),
    ("of a namespace", [{**F, "namespace": "n"}], "auto", ["n__f"], "auto"),
    ("none", [], "auto", [], None),
]


@pytest.mark.parametrize(
    ("allowed", "mode", "expected", "sent"),
    [pytest.param(*case, id=name) for name, *case in ALLOWED],
)
def test_only_allowed_tools_are_offered(
    allowed: list[Any], mode: str, expected: list[str], sent: str | None
) -> None:
    chosen = choose_tools(raw({"type": "allowed_tools", "mode": mode, "tools": allowed}), BOX)

    assert (names(chosen), chosen.choice) == (expected, sent)
    assert chosen.echo == AllowedToolsChoice(allowed, mode)  # type: ignore[arg-type]


def test_the_mode_of_allowed_tools_is_auto_by_default() -> None:
    assert choose_tools(raw({"type": "allowed_tools", "tools": [F]}), BOX).choice == "auto"


def allowed(*tools: Any, mode: str = "auto") -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": list(tools)}


# (name, choice, code, param)
REFUSED: list[tuple[str, Any, str | None, str]] = [
    ("a number", 7, "invalid_type", "tool_choice"),
    ("an unknown mode", "always", "invalid_value", "tool_choice"),
    ("no type", {"name": "f"}, "missing_required_parameter", "tool_choice.type"),
    ("an unknown type", {"type": "x"}, "unsupported_value", "tool_choice.type"),
    ("a hosted tool", {"type": "web_search"}, "unsupported_value", "tool_choice.type"),
    ("a type that is not in tools", {"type": "local_shell"}, "unsupported_value", "tool_choice.type"),
    ("a function without a name", {"type": "function"}, "missing_required_parameter", "tool_choice.name"),
    ("a function that is not there", {"type": "function", "name": "x"}, None, "tool_choice"),
    ("a function of another namespace", {**G, "namespace": "n"}, None, "tool_choice"),
    ("a custom tool of the name of a function", {"type": "custom", "name": "f"}, None, "tool_choice"),
    ("allowed tools without tools", {"type": "allowed_tools"}, "missing_required_parameter", "tool_choice.tools"),
    ("an allowed tool without a name", allowed(F, {"type": "function"}), "missing_required_parameter", "tool_choice.tools[1].name"),
    ("an allowed tool that is not there", allowed({"type": "function", "name": "x"}), None, "tool_choice"),
    ("an allowed tool of an unknown type", allowed(F, {"type": "x"}), "unsupported_value", "tool_choice.tools[1].type"),
    ("no allowed tool, and one is required", allowed(mode="required"), None, "tool_choice"),
    ("too many allowed tools", allowed(*[F] * (MAX_TOOLS + 1)), "array_above_max_length", "tool_choice.tools"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "code", "param"), [pytest.param(*case, id=name) for name, *case in REFUSED]
)
def test_a_choice_that_cannot_be_made_is_refused(given: Any, code: str | None, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        choose_tools(raw(given), BOX)

    assert (caught.value.code, caught.value.param) == (code, param)


def test_required_needs_a_tool_that_can_be_called() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        choose_tools(raw("required"), box({"type": "web_search"}))

    assert caught.value.param == "tool_choice"
