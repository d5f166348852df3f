"""MCP servers of the official SDK, over streamable HTTP and SSE, that keep what they were asked.

    async with tool_server() as server:                 # in the running loop; `tool_server_in_thread`
        ...                                             # for tests that block
        server.url, server.calls, server.requests

Servers that lie, hang and break off are scripted byte by byte: see `tests/runners/scripts.py`.
"""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any, Literal

import uvicorn

_handle_exit = uvicorn.Server.handle_exit
from mcp.server.caching import CacheableMethod, CacheHint  # noqa: E402
from mcp.server.lowlevel import Server  # noqa: E402
from mcp.server.mcpserver import Context, MCPServer  # noqa: E402
from mcp.server.mcpserver.exceptions import ToolError  # noqa: E402
from mcp_types import (  # noqa: E402
    AudioContent,
    BlobResourceContents,
    CallToolRequestParams,
    CallToolResult,
    EmbeddedResource,
    ImageContent,
    ListToolsResult,
    ResourceLink,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)
from pydantic import BaseModel, Field  # noqa: E402

from tests.servers.adapter import serve, serving  # noqa: E402
from tests.servers.signals import Signal  # noqa: E402

uvicorn.Server.handle_exit = _handle_exit  # which sse-starlette replaces

Transport = Literal["http", "sse"]
Era = Literal["2026", "2025"]
Send = Callable[[Any], Awaitable[None]]

# The smallest there is: one pixel.
PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
WAV = b"RIFF\x24\x00\x00\x00WAVEfmt "
_READ_ONLY = ToolAnnotations(read_only_hint=True)
# Since 2026, a server that does not say so allows no one to keep its list.
_CACHED: Mapping[CacheableMethod, CacheHint] = {"tools/list": CacheHint(ttl_ms=60_000)}
_OLD = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"Server not initialized"}}'


class Name(BaseModel):
    """What `ask_name` asks for."""

    name: str


class ToolServer:
    """The tools, and what became of their calls.

    Attributes:
        url: where it is, once it is served.
        calls: name and arguments of each, in order.
        requests: method, path and headers of each HTTP request, in order.
        waiting: set when `wait_for_ever` waits.
        cancelled: set when it was cancelled.
    """

    def __init__(self) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.waiting = Signal()
        self.cancelled = Signal()
        self.mcp = MCPServer("tools", log_level="ERROR", cache_hints=_CACHED)
        _add_tools(self)
        _add_odd_tools(self)
        _add_media(self.mcp)

    def app(self, transport: Transport = "http", era: Era = "2026", **options: Any) -> Any:
        """Return the server as an ASGI app.

        Args:
            transport: streamable HTTP at `/mcp`, or SSE at `/sse`.
            era: `2025` knows of no protocol since, so it wants a handshake.
            options: of the SDK's app, such as `json_response`.
        """
        make = self.mcp.streamable_http_app if transport == "http" else self.mcp.sse_app
        app = make(**options)

        async def recorded(scope: Any, receive: Any, send: Send) -> None:
            if scope["type"] == "http":
                headers = {name.decode(): text.decode() for name, text in scope["headers"]}
                self.requests.append((scope["method"], scope["path"], headers))
                if era == "2025" and headers.get("mcp-protocol-version", "").startswith("2026"):
                    await _refuse(send)
                    return
            await app(scope, receive, send)

        return recorded


@asynccontextmanager
async def tool_server(
    transport: Transport = "http", era: Era = "2026", **options: Any
) -> AsyncIterator[ToolServer]:
    """Serve the tools in the running loop."""
    server = ToolServer()
    async with serving(server.app(transport, era, **options)) as base:
        server.url = base + _path(transport)
        yield server


@contextmanager
def tool_server_in_thread(
    transport: Transport = "http", era: Era = "2026", **options: Any
) -> Iterator[ToolServer]:
    """Serve the tools from a thread of their own."""
    server = ToolServer()
    with serve(server.app(transport, era, **options)) as base:
        server.url = base + _path(transport)
        yield server


def low_level_server(tool: dict[str, Any], call: Callable[..., str]) -> Any:
    """Return the ASGI app of a server with one tool, whose schema is exactly what is given.

    Args:
        tool: its `name`, `description` and `schema`.
        call: makes a call of its arguments.
    """

    async def list_tools(context: Any, params: Any) -> ListToolsResult:
        described = Tool(
            name=tool["name"], description=tool["description"], input_schema=tool["schema"]
        )
        return ListToolsResult(tools=[described])

    async def call_tool(context: Any, params: CallToolRequestParams) -> CallToolResult:
        return _result(TextContent(text=call(**(params.arguments or {}))))

    server: Any = Server("one", on_list_tools=list_tools, on_call_tool=call_tool)
    return server.streamable_http_app()


def _path(transport: Transport) -> str:
    return "/mcp" if transport == "http" else "/sse"


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": _OLD})


def _add_tools(server: ToolServer) -> None:
    mcp, calls = server.mcp, server.calls

    @mcp.tool(annotations=_READ_ONLY)
    async def get_weather(city: str) -> str:
        """Get the current weather in a city."""
        calls.append(("get_weather", {"city": city}))
        return f"It is sunny in {city}."

    @mcp.tool()
    def search(query: str) -> str:
        """Search the wiki."""
        calls.append(("search", {"query": query}))
        return f"Nothing about {query}."

    @mcp.tool()
    async def add(a: int, b: int) -> int:
        """Add two numbers."""
        calls.append(("add", {"a": a, "b": b}))
        return a + b

    @mcp.tool()
    async def route(
        region: Annotated[str, Field(json_schema_extra={"x-mcp-header": "Region"})],
    ) -> str:
        """Return the region, which a gateway finds in a header (MCP 2026-07-28)."""
        calls.append(("route", {"region": region}))
        return region

    @mcp.tool()
    async def fail(reason: str) -> str:
        """Fail."""
        calls.append(("fail", {"reason": reason}))
        raise ToolError(reason)


def _add_odd_tools(server: ToolServer) -> None:
    mcp = server.mcp

    @mcp.tool()
    async def say_much(count: int) -> str:
        """Say that many characters."""
        return "x" * count

    @mcp.tool()
    async def wait_for_ever() -> str:
        """Wait until the call is cancelled."""
        server.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            server.cancelled.set()
            raise
        return "never"

    @mcp.tool()
    async def count(steps: int, context: Context[Any, Any]) -> str:
        """Count, and tell how far it is."""
        for step in range(steps):
            await context.report_progress(step + 1, steps, f"step {step + 1}")
        return f"counted to {steps}"

    @mcp.tool()
    async def ask_name(context: Context[Any, Any]) -> str:
        """Ask the user for a name."""
        result = await context.elicit("Who are you?", Name)
        return f"{result.action}"

    @mcp.tool()
    async def forget_tool(context: Context[Any, Any]) -> str:
        """Take away the tool `add`."""
        mcp.remove_tool("add")
        await context.request_context.session.send_tool_list_changed()
        return "gone"


def _add_media(mcp: MCPServer) -> None:
    @mcp.tool()
    def draw() -> CallToolResult:
        """Draw a picture."""
        return _result(
            TextContent(text="A dot:"), ImageContent(data=to_base64(PNG), mime_type="image/png")
        )

    @mcp.tool()
    def sing() -> CallToolResult:
        """Make a recording."""
        return _result(AudioContent(data=to_base64(WAV), mime_type="audio/wav"))

    @mcp.tool()
    def read_files() -> CallToolResult:
        """Return a text, a picture, an archive and a link."""
        text = TextResourceContents(uri="file:///a.txt", mime_type="text/plain", text="one")
        image = BlobResourceContents(
            uri="file:///a.png", mime_type="image/png", blob=to_base64(PNG)
        )
        archive = BlobResourceContents(uri="file:///a.zip", blob=to_base64(b"PK12"))
        link = ResourceLink(uri="https://example.com/b", name="b", description="another")
        resources = [EmbeddedResource(resource=each) for each in (text, image, archive)]
        return _result(*resources, link)

    @mcp.tool()
    def measure() -> CallToolResult:
        """Return numbers, and no text."""
        return CallToolResult(content=[], structured_content={"width": 3})


def _result(*content: Any) -> CallToolResult:
    return CallToolResult(content=list(content))


def to_base64(body: bytes) -> str:
    return base64.b64encode(body).decode()
