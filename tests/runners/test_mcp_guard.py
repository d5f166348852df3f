"""Where a client's URL may lead: what was checked is what is connected to."""

import asyncio
from collections.abc import AsyncIterator

import httpcore2
import msgspec
import pytest

from adapter.fetch.guard import UrlPolicy
from adapter.runners.base import ListFailedError, McpServer
from adapter.runners.mcp.backend import GuardedBackend
from adapter.runners.mcp.runner import McpClient, McpLimits
from tests.fetch.names import Names
from tests.fetch.scenes import LOOPBACK, policy_for, port_of, tls_server, trust
from tests.runners.scripts import Script
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

UNREACHABLE = {
    "type": "http_error",
    "code": 424,
    "message": "The MCP server could not be reached.",
}
UNAUTHORIZED = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n"


@pytest.fixture
async def other() -> AsyncIterator[ScriptedUpstream]:
    async with ScriptedUpstream() as other:
        yield other


async def failure(client: McpClient, url: str) -> object:
    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(McpServer(label="named", url=url))
    await client.aclose()
    assert url not in str(caught.value)
    return caught.value.error


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/mcp",
        "https://[::1]/mcp",
        "https://169.254.169.254/mcp",
        "https://[::ffff:127.0.0.1]/mcp",
        "https://10.0.0.1/mcp",
    ],
)
async def test_private_address_is_as_good_as_no_server(url: str) -> None:
    assert await failure(McpClient(), url) == UNREACHABLE


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://tools.example/mcp", "must begin with https://"),
        ("file:///etc/passwd", "is not an absolute https URL"),
        ("https://user@tools.example/mcp", "is not an absolute https URL"),
        ("https://tools.example:22/mcp", "names a port that is not allowed"),
        ("https://intranet/mcp", "names a host without a domain"),
        ("", "is not an absolute https URL"),
    ],
)
async def test_refused_url_is_an_error_that_says_why(url: str, reason: str) -> None:
    client = McpClient()
    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(McpServer(label="named", url=url))

    assert caught.value.error["code"] == 400
    assert reason in caught.value.error["message"]


async def test_name_that_resolves_to_loopback_is_not_connected_to(
    upstream: ScriptedUpstream,
) -> None:
    policy = msgspec.structs.replace(policy_for(upstream), allow_private=False)
    names = Names(tools=LOOPBACK)
    client = McpClient(policy=policy, resolver=names)

    error = await failure(client, f"http://tools.example:{port_of(upstream)}/mcp")

    assert error == UNREACHABLE
    assert "tools.example" in names.asked
    assert upstream.connections_opened == 0


async def test_unknown_name_gives_the_same_error() -> None:
    assert await failure(McpClient(resolver=Names()), "https://gone.example/mcp") == UNREACHABLE


async def test_closed_port_gives_the_same_error(upstream: ScriptedUpstream) -> None:
    policy = UrlPolicy(allow_http=True, allow_private=True, allowed_ports=(1,))

    assert await failure(McpClient(policy=policy), "http://127.0.0.1:1/mcp") == UNREACHABLE


async def test_address_is_checked_for_every_connection(upstream: ScriptedUpstream) -> None:
    """DNS rebinding: the second answer is for an address that is denied."""
    policy = policy_for(upstream, denied_networks=("127.0.0.2/32",))
    names = Names(tools=[["127.0.0.1"], ["127.0.0.2"]])
    backend = GuardedBackend(policy, names)

    first = await backend.connect_tcp("tools.example", port_of(upstream))
    await first.aclose()
    with pytest.raises(httpcore2.ConnectError):
        await backend.connect_tcp("tools.example", port_of(upstream))

    assert len(names.asked) == 2


async def test_no_socket_of_this_machine_is_connected_to() -> None:
    with pytest.raises(httpcore2.ConnectError):
        await GuardedBackend(UrlPolicy(), Names()).connect_unix_socket("/run/docker.sock")


async def test_other_addresses_of_a_name_are_tried(upstream: ScriptedUpstream) -> None:
    policy = policy_for(upstream, denied_networks=("127.0.0.2/32",))
    client = McpClient(policy=policy, resolver=Names(tools=[["127.0.0.2", "127.0.0.1"]]))
    script = Script(upstream)

    tools = await client.list_tools(script.named(f"http://tools.example:{port_of(upstream)}/mcp"))

    assert [tool.name for tool in tools] == ["get_weather"]
    await client.aclose()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirect_to_another_place_is_not_followed(
    status: int, upstream: ScriptedUpstream, other: ScriptedUpstream
) -> None:
    moved = Answer(status, {"location": f"http://127.0.0.1:{port_of(other)}/mcp"})
    upstream.always(moved, to="/mcp")
    client = McpClient(policy=policy_for(upstream, other))

    error = await failure(client, f"http://127.0.0.1:{port_of(upstream)}/mcp")

    assert isinstance(error, dict)
    assert error["code"] == status
    assert other.connections_opened == 0


async def test_redirect_within_the_server_is_followed(upstream: ScriptedUpstream) -> None:
    """Many servers redirect `/x` to `/x/` with a 307."""
    upstream.always(Answer(307, {"location": "/mcp"}), to="/moved")
    script = Script(upstream)
    client = McpClient(policy=policy_for(upstream))

    tools = await client.list_tools(script.named(script.url.replace("/mcp", "/moved")))

    assert [tool.name for tool in tools] == ["get_weather"]
    await client.aclose()


async def test_configured_server_may_be_anywhere(upstream: ScriptedUpstream) -> None:
    client = McpClient()

    tools = await client.list_tools(Script(upstream).server())

    assert [tool.name for tool in tools] == ["get_weather"]
    await client.aclose()


async def test_client_starts_no_program() -> None:
    client = McpClient()
    program = McpServer(label="named", command=("true",))

    with pytest.raises(ListFailedError) as caught:
        await client.list_tools(program)

    assert caught.value.error["code"] == 400


async def test_certificate_is_that_of_the_name() -> None:
    names = Names(images=LOOPBACK, other=LOOPBACK)
    async with tls_server(UNAUTHORIZED) as (port, heads):
        policy = UrlPolicy(allow_private=True, allowed_ports=(port,))
        right = await failure(
            McpClient(policy=policy, resolver=names, tls=trust()),
            f"https://images.example:{port}/mcp",
        )
        wrong = await failure(
            McpClient(policy=policy, resolver=names, tls=trust()),
            f"https://other.example:{port}/mcp",
        )

    assert isinstance(right, dict)
    assert right["code"] == 401
    assert wrong == UNREACHABLE
    assert [f"host: images.example:{port}".encode() in head.lower() for head in heads] == [True]


@pytest.mark.parametrize(
    ("name", "text"), [("x y", "a"), ("", "a"), ("x", "a\r\nb: c"), ("x", "☃"), ("x", "a\0")]
)
async def test_header_that_cannot_be_sent_is_an_error_without_it(name: str, text: str) -> None:
    server = McpServer(label="named", url="https://tools.example/", headers={name: text})

    result = await McpClient().call(server, "get_weather", {})

    message = "A header cannot be sent."
    assert result.error == {"type": "http_error", "code": 400, "message": message}


async def test_lookup_that_hangs_is_left(upstream: ScriptedUpstream) -> None:
    class Hanging(Names):
        async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[object]:
            await asyncio.Event().wait()
            return []

    client = McpClient(McpLimits(list_seconds=0.1), resolver=Hanging())

    error = await failure(client, "https://slow.example/mcp")

    assert isinstance(error, dict)
    assert error["code"] == -32001
    assert client.open_sessions == 0
