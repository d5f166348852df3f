"""ASGI apps for tests, and what they say."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.types import Message, Receive, Scope, Send

START: Message = {"type": "http.response.start", "status": 200, "headers": []}


def body(data: bytes, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": data, "more_body": more}


def saying(*messages: Message) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """Return an app that sends these messages and returns."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


class Recorder:
    """An app that keeps what it was given, and what its `receive` says after the body."""

    def __init__(self, *messages: Message) -> None:
        self.scope: Scope = {}
        self.received: list[Message] = []
        self.sent = 0
        self.sends_failed: list[BaseException] = []
        self.cancelled = asyncio.Event()
        self.disconnected = asyncio.Event()
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope = scope
        self.received.append(await receive())
        watcher = asyncio.create_task(self._watch(receive))
        try:
            for message in self._messages:
                await send(message)
                self.sent += 1
            await watcher
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        except OSError as exc:
            self.sends_failed.append(exc)
        finally:
            watcher.cancel()

    async def _watch(self, receive: Receive) -> None:
        self.received.append(await receive())
        self.disconnected.set()


async def turns(count: int = 20) -> None:
    """Let everything run that can."""
    for _ in range(count):
        await asyncio.sleep(0)


def scope_of(spec_version: str) -> Scope:
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": spec_version},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/v1/responses",
        "root_path": "",
        "headers": [(b"host", b"adapter")],
    }
