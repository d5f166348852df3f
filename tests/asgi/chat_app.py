"""An app of somebody else's that serves chat completions itself, as vLLM does, and other things."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, HTTPException, Request, WebSocket
from starlette.responses import JSONResponse, Response, StreamingResponse

from tests.servers.answers import chunk, sse


class ChatApp:
    """Makes the app, and holds what goes on in it.

    Attributes:
        app: the app.
        words: what the model says.
        more: the model stops after its first word until it is set; it is, unless a test clears it.
        asked: set when a chat request has come.
        left: set when an answer was broken off.
        requests: the headers of every chat request.
        failure: raised in place of an answer.
        is_alive: between start and stop of the lifespan.
    """

    def __init__(self) -> None:
        self.words = ["Hello", " there"]
        self.more = asyncio.Event()
        self.more.set()
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.requests: list[dict[str, str]] = []
        self.failure: Exception | None = None
        self.is_alive = False
        self.app = FastAPI(lifespan=self._lifespan)
        self.app.post("/v1/chat/completions")(self._chat)
        self.app.get("/v1/models")(self._models)
        self.app.post("/echo")(self._echo)
        self.app.websocket("/ws")(self._websocket)

    @asynccontextmanager
    async def _lifespan(self, _app: FastAPI) -> AsyncIterator[None]:
        self.is_alive = True
        yield
        self.is_alive = False

    async def _chat(self, request: Request) -> Response:
        self.requests.append(dict(request.headers))
        self.asked.set()
        if self.failure is not None:
            raise self.failure
        body = await request.json()
        if body["messages"][-1]["content"] == "refuse":
            raise HTTPException(429, "Too many.", headers={"retry-after": "7"})
        if not body.get("stream"):
            return JSONResponse({"object": "chat.completion"})
        return StreamingResponse(self._stream(), media_type="text/event-stream")

    async def _stream(self) -> AsyncIterator[bytes]:
        steps = sse(*(chunk({"content": word}) for word in self.words), chunk({}, "stop"))
        complete = False
        try:
            for step in steps:
                assert isinstance(step, bytes)
                yield step
                await self.more.wait()
            complete = True
        finally:
            if not complete:
                self.left.set()

    async def _models(self) -> Any:
        return {"object": "list", "data": [{"id": "m"}]}

    async def _echo(self, request: Request) -> Response:
        return Response(await request.body(), headers={"x-own": "1", "x-path": request.url.path})

    async def _websocket(self, websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(f"you said {await websocket.receive_text()}")
        await websocket.close()
