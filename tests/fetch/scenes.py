"""What the tests of fetching share: servers on loopback, policies that allow them, and failures."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from adapter.errors import InvalidRequestError
from adapter.fetch.fetch import Fetcher
from adapter.fetch.guard import UrlPolicy
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream

LOOPBACK = [["127.0.0.1"]]
AT = "input[0].content[0].image_url"
CERTIFICATE = Path(__file__).parent / "images.example.pem"  # valid until 2119, trusted by no one
OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


def port_of(server: ScriptedUpstream) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def policy_for(*servers: ScriptedUpstream, **changes: Any) -> UrlPolicy:
    ports = tuple(port_of(server) for server in servers)
    policy = UrlPolicy(allow_http=True, allow_private=True, allowed_ports=ports)
    return msgspec.structs.replace(policy, **changes)


def url_of(server: ScriptedUpstream, path: str = "/a.png", host: str = "127.0.0.1") -> str:
    return f"http://{host}:{port_of(server)}{path}"


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, {"location": location})


async def failure(fetcher: Fetcher, url: str, **more: Any) -> InvalidRequestError:
    with pytest.raises(InvalidRequestError) as caught:
        await fetcher.get(url, param=AT, **more)
    await fetcher.aclose()
    return caught.value


def is_plain_failure(error: InvalidRequestError) -> bool:
    """Tell whether it is the error that says nothing of what happened."""
    body = {
        "message": f"Failed to download '{AT}'. It must be public and answer within 10 s; "
        "otherwise send its content as a data URL.",
        "type": "invalid_request_error",
        "param": AT,
        "code": "failed_to_download_image",
    }
    return error.body() == {"error": body}


@asynccontextmanager
async def tls_server(answer: str = OK) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Give this answer, and keep what was asked; the certificate is of `images.example`."""
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(answer.encode())
        await writer.drain()
        writer.close()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server, asyncio.timeout(5):
        yield server.sockets[0].getsockname()[1], heads


def trust() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(CERTIFICATE))
