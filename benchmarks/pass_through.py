"""The same stack without the adapter: uvicorn, raw ASGI, the same client; the answer goes on unchanged.

What it costs is the floor for whatever the adapter does in this stack, so it does no more than it
must: no routing, no errors, no watching for disconnects. It is no proxy to use. With
`--client aiohttp` it shows what a client library costs instead of ours.

    python -m benchmarks.pass_through --upstream http://127.0.0.1:8000/v1 --port 9000
"""

import argparse
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

import aiohttp
import uvicorn

from adapter.upstream.base import Upstream
from adapter.upstream.http import HttpUpstream

Answer = tuple[int, str, AsyncGenerator[bytes, None]]


class AiohttpUpstream:
    """As much of an upstream as the pass-through needs."""

    def __init__(self, upstream: str) -> None:
        self._url = f"{upstream}/chat/completions"
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def ask(self, body: bytes) -> AsyncGenerator[Answer, None]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=60),
                timeout=aiohttp.ClientTimeout(total=None),
                auto_decompress=False,
            )
        headers = {"content-type": "application/json"}
        async with self._session.post(self._url, data=body, headers=headers) as answer:
            yield answer.status, answer.headers["content-type"], answer.content.iter_any()  # type: ignore[misc]

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()


class OwnUpstream:
    """The adapter's own."""

    def __init__(self, upstream: str) -> None:
        self._upstream: Upstream = HttpUpstream(upstream)

    @asynccontextmanager
    async def ask(self, body: bytes) -> AsyncGenerator[Answer, None]:
        async with AsyncExitStack() as stack:
            answer = await stack.enter_async_context(self._upstream.open(body, {}))
            chunks = await stack.enter_async_context(aclosing(answer.chunks()))
            yield answer.status, answer.headers["content-type"], chunks

    async def aclose(self) -> None:
        await self._upstream.aclose()


class PassThrough:
    """An ASGI app that posts every request to the upstream's chat endpoint."""

    def __init__(self, upstream: AiohttpUpstream | OwnUpstream) -> None:
        self._upstream = upstream

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self._upstream.aclose()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await self._pass(receive, send)

    async def _pass(self, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        async with self._upstream.ask(body) as (status, kind, chunks):
            start = {"status": status, "headers": [(b"content-type", kind.encode())]}
            await send({"type": "http.response.start", **start})
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})


CLIENTS: dict[str, type[AiohttpUpstream | OwnUpstream]] = {
    "adapter": OwnUpstream,
    "aiohttp": AiohttpUpstream,
}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Pass chat requests on, unchanged.")
    parser.add_argument("--upstream", required=True, help="base URL, ending in /v1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--client", choices=CLIENTS, default="adapter")
    options = parser.parse_args()
    uvicorn.run(
        PassThrough(CLIENTS[options.client](options.upstream)),
        port=options.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
    )
