"""Exchanges that go the same way with the toy model and with a scripted upstream.

The prompts are those of `adapter/demo/README.md`, and the scripted answers say what the toy model
says to them, so that one test can claim the same of both.
"""

import json
from collections import deque
from typing import Any

import msgspec

from tests.servers.answers import Answer, chunk, json_answer, sse, text_answer, tool_answer
from tests.servers.requests import Request


class Script:
    """What the scripted upstream says to chat requests in one test, and what it was asked.

    Args:
        url: base URL of the scripted upstream.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Request] = []
        self._answers: deque[Answer] = deque()

    def will_say(self, *answers: Answer) -> None:
        """Queue answers: each is given once, in order."""
        self._answers.extend(answers)

    def answer(self, request: Request) -> Answer:
        self.requests.append(request)
        if self._answers:
            return self._answers.popleft()
        return json_answer(500, {"error": {"message": "the script has no answer to this"}})


class Upstream(msgspec.Struct, frozen=True):
    """An adapter and what is behind it.

    Attributes:
        url: base URL of the adapter.
        script: of the upstream, if it is a scripted one; the toy model needs none.
    """

    url: str
    script: Script | None = None

    def will_say(self, *answers: Answer) -> None:
        """Queue answers, where there is a script."""
        if self.script is not None:
            self.script.will_say(*answers)


def function_tool(name: str, description: str, parameter: str) -> dict[str, Any]:
    """Return a function tool with one required string."""
    return {
        "type": "function",
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {parameter: {"type": "string"}},
            "required": [parameter],
        },
    }


GET_WEATHER = function_tool("get_weather", "Get the current weather in a city.", "city")
GET_TIME = function_tool("get_time", "Get the current time in a city.", "city")


class Scene(msgspec.Struct, frozen=True):
    """A request and what comes of it.

    Attributes:
        request: keyword arguments of `responses.create`.
        answer: what a scripted upstream says to it.
        output: what `outline` says of the response.
        status: of the response.
    """

    request: dict[str, Any]
    answer: Answer
    output: list[tuple[str, ...]]
    status: str = "completed"


def ask(prompt: Any, **more: Any) -> dict[str, Any]:
    """Return a request to the toy model, as repeatable as it can be."""
    return {"model": "tiny", "temperature": 0, "input": prompt, **more}


def outline(response: Any) -> list[tuple[str, ...]]:
    """Return type and text of each output item, or type, name and arguments of a call."""
    return [_outline_item(item) for item in response.output]


def _outline_item(item: Any) -> tuple[str, ...]:
    if item.type == "function_call":
        return (item.type, item.name, item.arguments)
    return (item.type, "".join(getattr(part, "text", "") for part in item.content))


def _calls(
    prompt: str,
    reasoning: str,
    *calls: tuple[str, dict[str, str]],
    tools: list[dict[str, Any]] | None = None,
    text: str = "",
) -> Scene:
    made = [("function_call", name, json.dumps(arguments)) for name, arguments in calls]
    said = [("message", text)] if text else []
    return Scene(
        ask(prompt, tools=tools or [GET_WEATHER]),
        _thinking_first(reasoning, tool_answer(*calls, text=text)),
        [("reasoning", reasoning), *said, *made],
    )


def _thinking_first(reasoning: str, answer: Answer) -> Answer:
    thought = sse(chunk({"reasoning_content": reasoning}), done=False)
    return msgspec.structs.replace(answer, chunks=(*thought, *answer.chunks))


NOT_THINKING = {"reasoning": {"effort": "none"}}

SCENES: dict[str, Scene] = {
    "text": Scene(
        ask("Who are you?", **NOT_THINKING),
        text_answer("I am a tiny test model."),
        [("message", "I am a tiny test model.")],
    ),
    "reasoning": Scene(
        ask("What is the capital of France?"),
        text_answer(
            "The capital of France is **Paris**.", reasoning="The capital of France is Paris.\n"
        ),
        [
            ("reasoning", "The capital of France is Paris.\n"),
            ("message", "The capital of France is **Paris**."),
        ],
    ),
    "characters of several tokens": Scene(
        ask("Say something in emoji.", **NOT_THINKING),
        text_answer("👋🌍 👩\u200d👩\u200d👧 ✅"),
        [("message", "👋🌍 👩\u200d👩\u200d👧 ✅")],
    ),
    "incomplete": Scene(
        ask("Tell me a story.", max_output_tokens=10, **NOT_THINKING),
        text_answer("Once upon a time there was a small fox who", finish_reason="length"),
        [("message", "Once upon a time there was a small fox who")],
        status="incomplete",
    ),
    "one call": _calls(
        "What is the weather in Paris?",
        "The user wants the weather in Paris. I will call get_weather.\n",
        ("get_weather", {"city": "Paris"}),
    ),
    "parallel calls": _calls(
        "What is the weather in Paris and London?",
        "The user wants the weather in Paris and London. I will call get_weather twice.\n",
        ("get_weather", {"city": "Paris"}),
        ("get_weather", {"city": "London"}),
    ),
    "text and a call": _calls(
        "Say hello, then check the weather in Rome.",
        "I will say hello and then call get_weather for Rome.\n",
        ("get_weather", {"city": "Rome"}),
        text="Hello! Let me check the weather.\n",
    ),
    "one tool of two": _calls(
        "What time is it in Oslo?",
        "The user wants the time in Oslo. I will call get_time.\n",
        ("get_time", {"city": "Oslo"}),
        tools=[GET_WEATHER, GET_TIME],
    ),
}
