"""MCP servers that are scripted byte by byte: what the SDK's own would never say.

They speak the protocol before 2026, as most servers do. Every method has an answer; a test puts
another in the place of one, and the rest stays as it is.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from itertools import count
from typing import Any

from adapter.runners.base import McpServer
from adapter.runners.mcp.runner import McpClient
from tests.servers.answers import Answer, Hang, json_answer
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

Reply = Answer | Callable[[Request], Answer]

HANG = Answer(before=[Hang()])
TOOL = {"name": "get_weather", "inputSchema": {"type": "object"}}
INITIALIZED = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "scripted", "version": "1"},
}


def result(value: Any, **headers: str) -> Reply:
    """Answer with this result."""
    return lambda request: json_answer(
        200, {"jsonrpc": "2.0", "id": request.json["id"], "result": value}, headers
    )


def error(code: int, message: str, status: int = 200) -> Reply:
    """Answer with an error of the protocol."""
    return lambda request: json_answer(
        status,
        {"jsonrpc": "2.0", "id": request.json["id"], "error": {"code": code, "message": message}},
    )


def text(said: str) -> Reply:
    """Answer a call with a text."""
    return result({"content": [{"type": "text", "text": said}]})


def events(*messages: Callable[[Request], Any] | bytes) -> Reply:
    """Answer with a stream of these messages."""

    def reply(request: Request) -> Answer:
        made = [each if isinstance(each, bytes) else event(each(request)) for each in messages]
        return Answer(headers={"content-type": "text/event-stream"}, chunks=made)

    return reply


def event(message: Any, kind: str = "message") -> bytes:
    data = message if isinstance(message, str) else json.dumps(message)
    return f"event: {kind}\ndata: {data}\n\n".encode()


_USUAL: Mapping[str, Reply] = {
    "GET": Answer(405),
    "DELETE": Answer(204, framing="length"),
    "server/discover": error(-32601, "Method not found"),
    "initialize": result(INITIALIZED),
    "tools/list": result({"tools": [TOOL]}),
    "tools/call": text("ok"),
}


class Script:
    """A server at `/mcp`.

    Args:
        upstream: that plays it.
        replies: by the method of the protocol, or of HTTP where it is not POST.
    """

    def __init__(self, upstream: ScriptedUpstream, **replies: Reply) -> None:
        self._upstream = upstream
        self._replies = {**_USUAL, **{name.replace("_", "/"): r for name, r in replies.items()}}
        self.url = upstream.url.removesuffix("/v1") + "/mcp"
        upstream.always(self._reply, to="/mcp")

    def server(self, url: str | None = None, **headers: str) -> McpServer:
        """Return it as a configured one."""
        return McpServer(label="scripted", url=url or self.url, headers=headers, is_configured=True)

    def named(self, url: str | None = None) -> McpServer:
        """Return it as one that a client names."""
        return McpServer(label="scripted", url=url or self.url)

    @property
    def methods(self) -> list[str]:
        """What was asked, in order."""
        return [_method(request) for request in self._upstream.requests]

    async def asked(self, method: str) -> Request:
        """Return the first request for this method, once it has come."""
        for number in count():
            request = await self._upstream.request(number)
            if _method(request) == method:
                return request
        raise AssertionError

    def bodies(self, method: str) -> list[Any]:
        """Return what was sent for this method, in order."""
        found = [each for each in self._upstream.requests if _method(each) == method]
        return [each.json for each in found]

    def _reply(self, request: Request) -> Answer:
        method = _method(request)
        usual = Answer(202, framing="length")  # for notifications, and answers of ours
        reply = self._replies.get(method, usual)
        return reply if isinstance(reply, Answer) else reply(request)


async def ended(client: McpClient) -> None:
    """Wait until no session is open."""
    async with asyncio.timeout(5):
        while client.open_sessions:
            owners = [task for task in asyncio.all_tasks() if "Connection._own" in repr(task)]
            await asyncio.wait(owners)


def _method(request: Request) -> str:
    if request.method != "POST":
        return request.method
    method: str = request.json.get("method", "answer")
    return method
