"""The same stack without the adapter: uvicorn, raw ASGI, aiohttp; the answer goes on unchanged.

What it costs is the floor for whatever the adapter does in this stack, so it does no more than it
must: no routing, no errors, no watching for disconnects. It is no proxy to use.

    python benchmarks/pass_through.py --upstream http://127.0.0.1:8000/v1 --port 9000
"""

import argparse
from typing import Any

import aiohttp
import uvicorn


class PassThrough:
    """An ASGI app that posts every request to the upstream's chat endpoint."""

    def __init__(self, upstream: str) -> None:
        self._url = f"{upstream}/chat/completions"
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._pass(receive, send)

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=60)
        timeout = aiohttp.ClientTimeout(total=None)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=False
        ) as self._session:
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _pass(self, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        assert self._session is not None
        headers = {"content-type": "application/json"}
        async with self._session.post(self._url, data=body, headers=headers) as answer:
            kind = answer.headers["content-type"].encode()
            start = {"status": answer.status, "headers": [(b"content-type", kind)]}
            await send({"type": "http.response.start", **start})
            async for chunk in answer.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Pass chat requests on, unchanged.")
    parser.add_argument("--upstream", required=True, help="base URL, ending in /v1")
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        PassThrough(options.upstream),
        port=options.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
    )
