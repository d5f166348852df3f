"""A real vLLM is held to the grammars of custom tools, with the adapter in it and before it."""

import re
from typing import Any

import pytest

from adapter.stream import grammar
from adapter.tools.grammars.forms import input_misfit
from tests.sdk.scenes import NOT_THINKING, ask
from tests.tools.grammars.samples import APPLY_PATCH, CALCULATOR, CODE_MODE, JSON
from tests.vllm.servers import Server
from tests.vllm.test_vllm import post, read_stream, streamed_or_not

pytestmark = pytest.mark.timeout(300)  # the first test of each server waits for its start

CITY = "What is the weather in Paris?"
WORD = "[a-z]{3}-[0-9]{3}"


def request(syntax: str, definition: str, **fields: Any) -> dict[str, Any]:
    """Return a request with the only tool that the model was trained to call."""
    format = {"type": "grammar", "syntax": syntax, "definition": definition}
    tool = {"type": "custom", "name": "get_weather", "format": format}
    return ask(CITY, tools=[tool], max_output_tokens=64, **fields)


def inputs(response: dict[str, Any]) -> list[str]:
    return [item["input"] for item in response["output"] if item["type"] == "custom_tool_call"]


@streamed_or_not
@pytest.mark.parametrize(
    "thinking", [pytest.param({}, id="thinking"), pytest.param(NOT_THINKING, id="not-thinking")]
)
def test_what_has_to_be_called_fits(server: Server, thinking: Any, stream: bool) -> None:
    asked = request("regex", WORD, tool_choice="required", **thinking)

    if stream:
        events = read_stream(server.url, asked)
        assert grammar.check(events) == []
        response = events[-1]["response"]
    else:
        response = post(server.url, asked).json()

    (text,) = inputs(response)
    assert re.fullmatch(WORD, text)
    assert response["status"] == "completed"


@pytest.mark.parametrize(
    "definition",
    [APPLY_PATCH, CALCULATOR, CODE_MODE, JSON],
    ids=["apply-patch", "calculator", "code-mode", "json"],
)
def test_whole_grammars_are_read(server: Server, definition: str) -> None:
    asked = request("lark", definition, tool_choice="required", **NOT_THINKING)

    (text,) = inputs(post(server.url, asked).json())

    misfit = input_misfit("lark", definition, text)
    assert misfit is None or "it ends too early" in misfit


def test_what_may_be_called_obeys_the_pattern(server: Server) -> None:
    response = post(server.url, request("regex", WORD)).json()

    assert [bool(re.fullmatch(WORD, text)) for text in inputs(response)] == [True]
