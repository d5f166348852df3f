"""The last few lists of tools are read once; what holds secrets is read each time."""

from typing import Any

import msgspec
import pytest
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.tools.kept import MAX_BYTES, MAX_LISTS, KeptTools
from adapter.tools.toolbox import MAX_TOOLS, HostedTools, Toolbox, open_toolbox

F = {"type": "function", "name": "f", "parameters": {"type": "object"}}
SERVER = {"type": "mcp", "server_label": "s", "server_url": "https://s", "authorization": "key"}


def raws(*tools: Any) -> list[Raw]:
    """Return tools as they come in a request: parts of its body."""
    return msgspec.json.decode(msgspec.json.encode(tools), type=list[Raw])


def opened(
    kept: KeptTools,
    *tools: Any,
    hosted: HostedTools = "drop",
    runs: frozenset[str] = frozenset(),
) -> Toolbox:
    return kept.open(raws(*tools), hosted=hosted, runs=runs)


def function(name: str) -> dict[str, Any]:
    return {**F, "name": name}


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param([F], id="functions"),
        pytest.param([F, {"type": "custom", "name": "c"}], id="a custom tool"),
        pytest.param([F, {"type": "web_search"}], id="a hosted tool that is left out"),
    ],
)
def test_the_same_list_is_read_once(tools: list[Any]) -> None:
    kept = KeptTools()
    first = opened(kept, *tools)

    assert opened(kept, *tools) is first
    assert first == open_toolbox(raws(*tools))


@pytest.mark.parametrize(
    "tools",
    [
        pytest.param([F, SERVER], id="a server, whose headers are secrets"),
        pytest.param([{"type": "namespace", "name": "n", "tools": [F]}], id="a namespace"),
        pytest.param([F, F | {"name": "g", "description": "x" * MAX_BYTES}], id="many bytes"),
    ],
)
def test_what_may_hold_secrets_or_is_large_is_not_kept(tools: list[Any]) -> None:
    kept = KeptTools()
    first = opened(kept, *tools)

    assert opened(kept, *tools) is not first
    assert first == open_toolbox(raws(*tools))


def test_a_hosted_tool_that_runs_here_is_not_kept() -> None:
    """Which tools stand for it is not known yet."""
    kept = KeptTools()
    first = opened(kept, F, {"type": "web_search"}, runs=frozenset({"web_search"}))

    assert first.hosted
    assert opened(kept, F, {"type": "web_search"}, runs=frozenset({"web_search"})) is not first


def test_a_list_under_another_policy_is_another() -> None:
    kept = KeptTools()
    opened(kept, F, {"type": "web_search"})

    with pytest.raises(InvalidRequestError, match="hosted tool"):
        opened(kept, F, {"type": "web_search"}, hosted="error")


def test_a_list_that_differs_in_one_byte_is_another() -> None:
    kept = KeptTools()
    opened(kept, function("f"))

    assert list(opened(kept, function("g")).offered) == ["g"]


def test_the_list_that_was_not_used_for_longest_goes() -> None:
    kept = KeptTools()
    first, second = opened(kept, function("first")), opened(kept, function("second"))
    opened(kept, function("first"))
    for number in range(MAX_LISTS - 1):
        opened(kept, function(f"f{number}"))

    assert opened(kept, function("first")) is first
    assert opened(kept, function("second")) is not second


def test_too_many_tools_are_refused_as_always() -> None:
    with pytest.raises(InvalidRequestError, match="at most"):
        opened(KeptTools(), *([F] * (MAX_TOOLS + 1)))
