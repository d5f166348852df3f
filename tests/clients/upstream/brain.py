"""What the model of the strict chat server answers: chosen by what the request contains.

The last user message that holds a known phrase decides; how many tools have answered since then
says how far things have come. What cannot be done, for want of a tool, is said.
"""

import json
from collections.abc import Callable
from typing import Any

import msgspec

from tests.clients.upstream.saying import Call, Say


class Turn(msgspec.Struct, frozen=True):
    """What a scene looks at.

    Attributes:
        body: the whole request.
        prompt: the user's text with the phrase.
        outputs: of the tools since then, in order.
        tools: the parameters of the functions that are offered, by name.
    """

    body: dict[str, Any]
    prompt: str
    outputs: tuple[str, ...]
    tools: dict[str, Any]

    @property
    def step(self) -> int:
        """How many tools have answered since the prompt."""
        return len(self.outputs)

    @property
    def said(self) -> str:
        """All that the tools have answered since the prompt."""
        return "; ".join(self.outputs)

    def tool(self, name: str) -> str | None:
        """Return the function that is called so, alone or behind its namespace."""
        exact = name if name in self.tools else None
        return exact or next((own for own in self.tools if own.endswith(f"__{name}")), None)

    def call(self, name: str, arguments: dict[str, Any] | str) -> Say:
        """Return one call, or the complaint that there is no such tool."""
        return self.calls((name, arguments))

    def calls(self, *calls: tuple[str, dict[str, Any] | str]) -> Say:
        """Return several calls at once."""
        names = [self.tool(name) for name, _ in calls]
        if missing := [name for name, own in zip(calls, names, strict=True) if own is None]:
            return Say(f"I was not offered: {', '.join(name for name, _ in missing)}.")
        made = tuple(
            Call(own, arguments)
            for own, (_, arguments) in zip(names, calls, strict=True)
            if own is not None
        )
        return Say(calls=made, reasoning="A tool will tell.")


Scene = Callable[[Turn], Say]


def text_of(content: Any) -> str:
    """Return the text of a message's content."""
    if isinstance(content, str):
        return content
    return "\n".join(part["text"] for part in content if part["type"] == "text")


def images_of(body: dict[str, Any]) -> list[str]:
    """Return the URLs of all images, in order."""
    return [
        part["image_url"]["url"]
        for message in body["messages"]
        if isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "image_url"
    ]


def all_text(body: dict[str, Any]) -> str:
    """Return all that was ever said, calls included."""
    return "\n".join(
        text_of(message["content"]) + json.dumps(message.get("tool_calls", ""))
        for message in body["messages"]
    )


def answer(body: dict[str, Any], scenes: dict[str, Scene]) -> Say:
    """Return what the model says to a request."""
    messages = body["messages"]
    for position in range(len(messages) - 1, -1, -1):
        if messages[position]["role"] != "user":
            continue
        prompt = text_of(messages[position]["content"])
        found = max(scenes, key=prompt.rfind)  # of several phrases, the one that was said last
        if found in prompt:
            outputs = [
                text_of(message["content"])
                for message in messages[position:]
                if message["role"] == "tool"
            ]
            tools = {
                tool["function"]["name"]: tool["function"].get("parameters")
                for tool in body.get("tools", ())
            }
            return scenes[found](Turn(body, prompt, tuple(outputs), tools))
    return Say("I do not know what to say to that.")
