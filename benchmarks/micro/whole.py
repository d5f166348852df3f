"""Whole requests in one process, without a socket: all of the adapter's own work, and no more.

The upstream is a few bytes in memory and the client an ASGI server that takes what it is sent. The
pass-through does the same with neither a translation nor an event.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping
from types import TracebackType
from typing import Any, Self

from starlette.types import ASGIApp, Message, Scope

from adapter.asgi.app import ResponsesAPI


class ReadyUpstream:
    """Answers every request with the same body, in one read or several."""

    status = 200
    headers: Mapping[str, str] = {"content-type": "text/event-stream"}

    def __init__(self, reads: list[bytes]) -> None:
        self._reads = reads

    def open(self, body: bytes, headers: Mapping[str, str]) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        pass

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        for read in self._reads:
            yield read

    async def aclose(self) -> None:
        pass


def pass_through(upstream: ReadyUpstream) -> ASGIApp:
    """Return an app that sends what the upstream sends."""

    async def app(scope: Scope, receive: Any, send: Any) -> None:
        message = await receive()
        async with upstream.open(message["body"], {}) as answer:
            kind = answer.headers["content-type"].encode()
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", kind)]}
            )
            async for read in answer.chunks():
                await send({"type": "http.response.body", "body": read, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    return app


def adapter(upstream: ReadyUpstream) -> ASGIApp:
    return ResponsesAPI(upstream, dialect="vllm", store="none")


async def post(app: ASGIApp, body: bytes) -> int:
    """Post a request, and return how many bytes came back."""
    received = 0
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/responses",
        "raw_path": b"/v1/responses",
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"),
            (b"content-type", b"application/json"),
            (b"authorization", b"Bearer none"),
        ],
    }

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        await asyncio.get_running_loop().create_future()
        raise AssertionError("nobody disconnects")

    async def send(message: Message) -> None:
        nonlocal received
        received += len(message.get("body", b""))

    await app(scope, receive, send)
    return received


def times(app: ASGIApp, body: bytes) -> Callable[[int], Coroutine[Any, Any, None]]:
    """Return what posts a request a number of times, one after the other."""

    async def post_times(number: int) -> None:
        for _ in range(number):
            await post(app, body)

    return post_times
