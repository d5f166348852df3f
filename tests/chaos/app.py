"""An app in the same process that plays the answers of a scripted upstream."""

import asyncio
from collections.abc import Sequence

from starlette.types import Receive, Scope, Send

from tests.servers.answers import Answer, Eof, Hang, Reset, Step


class ScriptedApp:
    """Says the same to every request.

    Attributes:
        answer: what it says.
        asked: how many requests there were.
        running: how many of them are not over.
        begun: set when one has come.
        idle: set while none runs.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked = 0
        self.running = 0
        self.begun = asyncio.Event()
        self.idle = asyncio.Event()
        self.idle.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for moment in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{moment}.complete"})
            return
        if scope["path"] == "/v1/models":  # asked for before what the app would not see
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body"})
            return
        self.asked += 1
        self.running += 1
        self.begun.set()
        self.idle.clear()
        try:
            await self._play(send)
        finally:
            self.running -= 1
            if not self.running:
                self.idle.set()

    async def _play(self, send: Send) -> None:
        answer = self.answer
        if not await self._take(answer.before, send):
            return
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        if await self._take(answer.chunks, send):
            await send({"type": "http.response.body"})

    async def _take(self, steps: Sequence[Step], send: Send) -> bool:
        """Return whether all were taken."""
        for step in steps:
            match step:
                case bytes():
                    await send({"type": "http.response.body", "body": step, "more_body": True})
                case Hang():
                    await asyncio.Event().wait()
                case Eof():
                    return False
                case Reset():
                    raise ConnectionResetError("as the script says")
                case _:
                    raise AssertionError("an app has no such step")
        return True
