"""Stands between uvicorn and the app, and keeps what the app sends."""

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.servers.signals import Signal


class Recorder:
    """Wraps an app.

    Attributes:
        called: set when the app was called.
        answered: set when it began to answer.
        messages: every ASGI message that the app sent.
        gate: sends of parts of a stream wait until it is set; it is, unless a test clears it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.called = Signal()
        self.answered = Signal()
        self.messages: list[Message] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self._app = app

    @property
    def bodies(self) -> list[bytes]:
        """What was sent, one item a send."""
        return [message["body"] for message in self.messages if message.get("body")]

    @property
    def parts(self) -> list[Message]:
        """The sends of which more was said to follow."""
        return [message for message in self.messages if message.get("more_body")]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.called.set()

        async def record(message: Message) -> None:
            self.messages.append(message)
            self.answered.set()
            if message.get("more_body"):
                await self.gate.wait()
            await send(message)

        await self._app(scope, receive, record)
