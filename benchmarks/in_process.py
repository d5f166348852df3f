"""A model server as an ASGI app, which the middleware can wrap: answers of the mock upstream.

    python -m benchmarks.in_process --port 9000 [--middleware]

It streams as model servers do, one send for each token, and paces as the mock: what is measured is
how much the middleware adds in the same process.
"""

import argparse
import asyncio
from typing import Any

import msgspec
import uvicorn

from adapter import ResponsesMiddleware
from benchmarks.mock_upstream import ChatRequest, content_of, stream_events, whole_answer

_decode = msgspec.json.Decoder(ChatRequest).decode
_HEADERS = {
    True: [(b"content-type", b"text/event-stream; charset=utf-8")],
    False: [(b"content-type", b"application/json")],
}


class ChatApp:
    """Answers `POST /v1/chat/completions`; what is asked is looked at as little as in the mock."""

    def __init__(self) -> None:
        self._answers: dict[tuple[str, bool], tuple[list[bytes], float]] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        request = _decode(body or b"{}")  # a list of models is asked for without a body
        headers = _HEADERS[request.stream]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        pieces, interval_seconds = self._answer(request.model, stream=request.stream)
        clock = asyncio.get_running_loop().time
        due = clock()
        for piece in pieces:
            if interval_seconds:
                due += interval_seconds
                await asyncio.sleep(due - clock())
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _answer(self, model: str, *, stream: bool) -> tuple[list[bytes], float]:
        """Return the writes of an answer, and the time before each."""
        key = (model, stream)
        if key not in self._answers:
            self._answers[key] = _make(model, stream=stream)
        return self._answers[key]


def _make(model: str, *, stream: bool) -> tuple[list[bytes], float]:
    content = content_of(model)
    if not stream:
        return [whole_answer(model, content)], 0.0
    events = list(stream_events(model, content, include_usage=True))
    step = content.events_per_block
    pieces = [b"".join(events[at : at + step]) for at in range(0, len(events), step)]
    return pieces, content.interval_seconds


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve a chat app, alone or wrapped.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", help="not used: the app is the model server")
    parser.add_argument("--middleware", action="store_true", help="with the Responses API")
    options = parser.parse_args()
    app = ChatApp()
    uvicorn.run(
        ResponsesMiddleware(app, store="none") if options.middleware else app,
        port=options.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
    )
