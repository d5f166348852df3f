"""Tools in namespaces: offered under one name each, called back by their own name and namespace."""

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from adapter.errors import InvalidRequestError
from adapter.stream.deltas import CallDelta
from adapter.stream.grammar import check
from adapter.tools.choice import choose_tools
from adapter.tools.names import MAX_NAME_CHARS
from adapter.tools.toolbox import open_toolbox
from tests.stream.responses import NOW, as_json, new_stream
from tests.tools.calls import toolbox

LONG = "long_name_" * 8
FITS = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_NAME_CHARS}}}")


def function(name: str) -> dict[str, Any]:
    return {"type": "function", "name": name}


def custom(name: str) -> dict[str, Any]:
    return {"type": "custom", "name": name}


def namespace(name: str, *tools: dict[str, Any]) -> dict[str, Any]:
    return {"type": "namespace", "name": name, "tools": list(tools)}


def offered(*tools: dict[str, Any]) -> dict[str, tuple[str, Any]]:
    """Return own name and namespace by the name that is offered."""
    found = toolbox(*tools).offered
    return {name: (tool.name, tool.namespace) for name, tool in found.items()}


def called(name: str, *tools: dict[str, Any]) -> dict[str, Any]:
    """Return the item for a call of what is offered under a name."""
    stream = new_stream(tools=toolbox(*tools).offered)
    events = stream.start() + stream.feed([CallDelta(0, "call_a", name, '{"input":"x"}')])
    events += stream.end_turn("tool_calls") + stream.finish(NOW)
    found = as_json(events)
    assert check(found) == []
    item: dict[str, Any] = found[-1]["response"]["output"][0]
    return item


@pytest.mark.parametrize("kind", [function, custom])
@pytest.mark.parametrize(
    ("space", "name"),
    [
        ("alpha", "search"),
        ("mcp__demo", "get_weather"),
        ("web.v1", "find"),
        (LONG, LONG),
        ("日", "本"),
    ],
)
def test_a_call_comes_back_with_its_own_name_and_namespace(
    kind: Any, space: str, name: str
) -> None:
    tool = namespace(space, kind(name))
    (chat_name,) = offered(tool)

    item = called(chat_name, tool)

    assert FITS.fullmatch(chat_name)
    assert (item["name"], item["namespace"]) == (name, space)


def test_a_tool_without_a_namespace_comes_back_without_one() -> None:
    assert "namespace" not in called("f", function("f"), namespace("n", function("f")))


def test_namespaces_may_share_names() -> None:
    found = offered(namespace("alpha", function("search")), namespace("beta", function("search")))

    assert found == {"alpha__search": ("search", "alpha"), "beta__search": ("search", "beta")}


CLASHES = [
    pytest.param(
        [function("a__b"), namespace("a", function("b"))],
        [("a__b", UNSET), ("b", "a")],
        id="with a tool of the same joined name",
    ),
    pytest.param(
        [namespace("a", function("b__c")), namespace("a__b", function("c"))],
        [("b__c", "a"), ("c", "a__b")],
        id="with another namespace",
    ),
    pytest.param(
        [namespace("a", custom("b")), function("a__b")],
        [("b", "a"), ("a__b", UNSET)],
        id="with a tool of another kind",
    ),
]


@pytest.mark.parametrize(("tools", "names"), CLASHES)
def test_names_that_would_be_joined_to_the_same_one_are_told_apart(
    tools: list[Any], names: list[tuple[str, Any]]
) -> None:
    found = offered(*tools)

    assert list(found.values()) == names
    for chat_name, (name, space) in found.items():
        item = called(chat_name, *tools)
        assert (item["name"], item.get("namespace", UNSET)) == (name, space)


def test_a_tool_that_is_found_does_not_replace_one_of_another_namespace() -> None:
    found = [("input[0].tools[0]", Raw(msgspec.json.encode(namespace("a", function("b")))))]

    opened = open_toolbox([Raw(msgspec.json.encode(function("a__b")))], found=found)

    assert [(tool.name, tool.namespace) for tool in opened.offered.values()] == [
        ("a__b", UNSET),
        ("b", "a"),
    ]


def test_two_tools_of_one_name_and_namespace_are_refused() -> None:
    twice = namespace("n", function("f"), {**function("f"), "description": "Another."})

    with pytest.raises(InvalidRequestError) as caught:
        toolbox(twice)

    assert caught.value.param == "tools[0].tools[1].name"


def test_a_tool_is_forced_by_its_name_and_namespace() -> None:
    tools = toolbox(namespace("alpha", function("search")), namespace("beta", function("search")))
    choice = {"type": "function", "name": "search", "namespace": "beta"}

    chosen = choose_tools(Raw(msgspec.json.encode(choice)), tools)

    assert chosen.choice == {"type": "function", "function": {"name": "beta__search"}}


NAMES = st.text("ab_.日", min_size=1, max_size=4)


@given(st.lists(st.tuples(NAMES, NAMES | st.none()), unique=True, max_size=6))
def test_every_tool_has_a_name_of_its_own(tools: list[tuple[str, str | None]]) -> None:
    given_tools = [
        function(name) if space is None else namespace(space, function(name))
        for name, space in tools
    ]

    found = offered(*given_tools)

    assert all(map(FITS.fullmatch, found))
    assert list(found.values()) == [
        (name, UNSET if space is None else space) for name, space in tools
    ]
