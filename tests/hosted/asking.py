"""Asks for responses with hosted tools, and holds every stream to the rule book."""

import json
from collections.abc import Sequence
from typing import Any

import httpx2

from adapter.stream.grammar import check
from tests.asgi.streams import parse
from tests.servers.mcp_servers import ToolServer
from tests.servers.scripted import ScriptedUpstream

TIME_LIMIT_SECONDS = 20.0


class Asker:
    """A client of one adapter.

    Attributes:
        events: of the last streamed response.
    """

    def __init__(self, url: str, upstream: ScriptedUpstream) -> None:
        self.url = f"{url}/v1/responses"
        self.upstream = upstream
        self.events: list[dict[str, Any]] = []

    async def __call__(self, input: Any = "Hi", **fields: Any) -> Any:
        """Return the response as its stream ends; the same as when it is not streamed."""
        body = {"model": "scripted", "input": input, "stream": True, **fields}
        async with httpx2.AsyncClient(timeout=TIME_LIMIT_SECONDS) as client:
            answer = await client.post(self.url, json=body)
        assert answer.status_code == 200, answer.text
        blocks = parse(answer.content)
        self.events = [block for block in blocks if isinstance(block, dict)]
        assert check(self.events) == []
        return self.events[-1]["response"]

    async def whole(self, input: Any = "Hi", **fields: Any) -> httpx2.Response:
        """Return the answer to a request that is not streamed."""
        body = {"model": "scripted", "input": input, **fields}
        async with httpx2.AsyncClient(timeout=TIME_LIMIT_SECONDS) as client:
            return await client.post(self.url, json=body)

    def types(self, prefix: str = "response.") -> list[str]:
        """Return the types of the events of the last stream, without the deltas of texts."""
        types = (event["type"] for event in self.events)
        return [type.removeprefix(prefix) for type in types if not type.endswith("text.delta")]

    def asked(self, turn: int) -> Any:
        """Return the chat request of a turn, the first being 0."""
        return self.upstream.requests[turn].json

    def messages(self, turn: int) -> list[Any]:
        messages: list[Any] = self.asked(turn)["messages"]
        return messages

    def offered(self, turn: int) -> list[str]:
        """Return the names of the functions that the model was offered in a turn."""
        return [tool["function"]["name"] for tool in self.asked(turn).get("tools", ())]


def mcp(server: ToolServer, label: str = "tools", **fields: Any) -> dict[str, Any]:
    """Return the tool that stands for a server; its calls need no approval."""
    return {
        "type": "mcp",
        "server_label": label,
        "server_url": server.url,
        "require_approval": "never",
        **fields,
    }


def items(response: Any, type: str) -> list[Any]:
    """Return the output items of one type."""
    return [item for item in response["output"] if item["type"] == type]


def kinds(response: Any) -> list[str]:
    """Return the types of the output items."""
    return [item["type"] for item in response["output"]]


def text_of(response: Any) -> str:
    """Return the text of the last message."""
    text: str = items(response, "message")[-1]["content"][0]["text"]
    return text


def arguments(call: Any) -> Any:
    return json.loads(call["arguments"])


def tool_messages(messages: Sequence[Any]) -> list[str]:
    """Return what the tools have told the model."""
    return [message["content"] for message in messages if message["role"] == "tool"]
