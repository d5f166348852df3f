"""Tools that only the Responses API has: calls come back as the SDK's own types, and legal on the wire."""

import json
from typing import Any

import httpx2
import pytest
from openai.types.responses import Response

from adapter.stream import grammar
from tests.sdk.drivers import LIMIT_SECONDS, Sdk
from tests.sdk.scenes import GET_WEATHER, Script, ask
from tests.servers.answers import text_answer, tool_answer

# Name of the case, the tool, what the chat model calls, and what the client is told of the call.
TOOLS = [
    pytest.param(
        {"type": "custom", "name": "write", "description": "Write it down."},
        ("write", {"input": "a\nb"}),
        {"type": "custom_tool_call", "name": "write", "input": "a\nb"},
        id="custom",
    ),
    pytest.param(
        {"type": "namespace", "name": "far", "description": "Far away.", "tools": [GET_WEATHER]},
        ("far__get_weather", {"city": "Paris"}),
        {"type": "function_call", "namespace": "far", "name": "get_weather"},
        id="namespace",
    ),
    pytest.param(
        {"type": "shell", "environment": {"type": "local"}},
        ("shell", {"commands": ["ls", "pwd"]}),
        {"type": "shell_call", "action": {"commands": ["ls", "pwd"]}},
        id="shell",
    ),
    pytest.param(
        {"type": "local_shell"},
        ("local_shell", {"command": ["ls", "-l"]}),
        {"type": "local_shell_call", "action": {"type": "exec", "command": ["ls", "-l"]}},
        id="local_shell",
    ),
    pytest.param(
        {"type": "apply_patch"},
        ("apply_patch", {"type": "update_file", "path": "a.txt", "diff": "@@\n-a\n+b\n"}),
        {
            "type": "apply_patch_call",
            "operation": {"type": "update_file", "path": "a.txt", "diff": "@@\n-a\n+b\n"},
        },
        id="apply_patch",
    ),
    pytest.param(
        {"type": "tool_search", "execution": "client", "parameters": {"type": "object"}},
        ("tool_search", {"query": "weather"}),
        {"type": "tool_search_call", "execution": "client", "arguments": {"query": "weather"}},
        id="tool_search",
    ),
]
tools = pytest.mark.parametrize(("tool", "call", "told"), TOOLS)

ToolCall = tuple[str, dict[str, Any]]


def holds(item: Any, told: Any) -> bool:
    """Whether a JSON value says all that `told` says, and perhaps more."""
    if isinstance(told, dict):
        return all(name in item and holds(item[name], value) for name, value in told.items())
    return bool(item == told)


@tools
def test_call_comes_back_as_what_it_is(
    scripted_sdk: Sdk, script: Script, tool: Any, call: ToolCall, told: Any
) -> None:
    script.will_say(tool_answer(call))

    response = scripted_sdk.create(**ask("Do it."), tools=[tool])

    (item,) = response.to_dict()["output"]
    assert holds(item, told)
    assert Response.model_validate(response.to_dict()).output[0].type == told["type"]


@tools
def test_stream_helper_understands_the_call(
    scripted_sdk: Sdk, script: Script, tool: Any, call: ToolCall, told: Any
) -> None:
    script.will_say(tool_answer(call))

    _, final = scripted_sdk.stream(**ask("Do it."), tools=[tool])

    (item,) = final.to_dict()["output"]
    assert holds(item, told)


@tools
def test_events_of_the_call_obey_the_rule_book(
    scripted_url: str, script: Script, tool: Any, call: ToolCall, told: Any
) -> None:
    script.will_say(tool_answer(call))

    body = ask("Do it.", tools=[tool], stream=True)
    answer = httpx2.post(f"{scripted_url}/responses", json=body, timeout=LIMIT_SECONDS)
    lines = [line for line in answer.text.splitlines() if line.startswith("data: {")]
    events = [json.loads(line.removeprefix("data: ")) for line in lines]

    assert grammar.check(events) == []
    assert holds(events[-1]["response"]["output"][0], told)


@tools
def test_call_sent_back_is_the_call_that_the_model_made(
    scripted_sdk: Sdk, script: Script, tool: Any, call: ToolCall, told: Any
) -> None:
    script.will_say(tool_answer(call), text_answer("Done."))
    question = {"role": "user", "content": "Do it."}

    (item,) = scripted_sdk.create(**ask([question]), tools=[tool]).to_dict()["output"]
    output = OUTPUTS[told["type"]] | {"call_id": item["call_id"]}
    response = scripted_sdk.create(**ask([question, item, output]), tools=[tool])

    name, arguments = call
    _, assistant, result = script.requests[1].json["messages"]
    function = assistant["tool_calls"][0]["function"]
    assert (function["name"], json.loads(function["arguments"])) == (name, arguments)
    assert (result["role"], result["tool_call_id"]) == ("tool", item["call_id"])
    assert response.output_text == "Done."


# What clients answer to calls of each type.
OUTPUTS: dict[str, dict[str, Any]] = {
    "custom_tool_call": {"type": "custom_tool_call_output", "output": "written"},
    "function_call": {"type": "function_call_output", "output": "sunny"},
    "shell_call": {
        "type": "shell_call_output",
        "output": [{"stdout": "a", "stderr": "", "outcome": {"type": "exit", "exit_code": 0}}],
    },
    "local_shell_call": {"type": "local_shell_call_output", "output": "a"},
    "apply_patch_call": {
        "type": "apply_patch_call_output",
        "status": "completed",
        "output": "done",
    },
    "tool_search_call": {"type": "tool_search_output", "execution": "client", "tools": []},
}
