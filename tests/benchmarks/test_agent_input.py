"""What an agent sends is as large as it is said to be, and the same in both APIs."""

import json
from typing import Any

from adapter.dialects import DIALECTS
from adapter.translate.decode import decode_request
from adapter.translate.request import to_chat_request
from benchmarks.agent_input import CALLS, TOOLS, as_chat, as_responses


def test_size_is_that_of_the_question_in_one_string() -> None:
    sizes = [len(json.dumps(each)) for each in (as_responses(), as_chat())]

    assert all(190_000 < size < 210_000 for size in sizes)


def test_every_call_has_its_output_and_a_tool() -> None:
    fields = as_responses()
    kinds = [item.get("type") for item in fields["input"]]

    assert kinds == [None, *["message", "function_call", "function_call_output"] * CALLS]
    assert {item["name"] for item in fields["input"] if "name" in item} <= {
        tool["name"] for tool in fields["tools"]
    }
    assert len(fields["tools"]) == TOOLS


def test_chat_request_is_what_the_adapter_makes_of_the_other() -> None:
    body = json.dumps(as_responses() | {"model": "m"}).encode()
    translated = to_chat_request(decode_request(body), DIALECTS["vllm"]).chat.encode()
    made: dict[str, Any] = json.loads(translated)
    expected = as_chat()

    assert made["messages"] == expected["messages"]
    assert [tool["function"]["name"] for tool in made["tools"]] == [
        tool["function"]["name"] for tool in expected["tools"]
    ]
