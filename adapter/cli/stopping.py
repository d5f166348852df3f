"""SIGTERM in an order that loses no request: first it is said, then listening ends, then streams do.

    signal                /health/ready turns red; requests are still served
    + shutdown_delay      the server stops to listen, once no turn of a WebSocket runs; streams go on
    + shutdown_timeout    what still runs is failed, with its last events

A balancer that looks at readiness has sent its requests elsewhere when listening ends. A second signal
goes to the server at once.
"""

import asyncio
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

from starlette.types import Message, Receive, Scope, Send

if TYPE_CHECKING:
    from adapter.asgi.app import ResponsesAPI
    from adapter.inspector.app import Inspector

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# That the server waits longer than we do: for the last events, and the store.
LAST_WORDS_SECONDS = 5
_LOOK_SECONDS = 0.05


class StoppingApp:
    """Wraps an app, in the process whose signals it may take.

    uvicorn sets its handlers before the lifespan begins; ours call them when it is time.

    Args:
        app: the app.
        delay: seconds between the signal and the end of listening.
        timeout: seconds for streams to end by themselves after that.
    """

    def __init__(self, app: "ResponsesAPI | Inspector", delay: float, timeout: float) -> None:
        self._app = app
        self._delay = delay
        self._timeout = timeout
        self._has_begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; take the signals with the lifespan."""
        if scope["type"] == "lifespan":
            send = self._taking_signals(send)
        await self._app(scope, receive, send)

    def _taking_signals(self, send: Send) -> Send:
        async def send_and_take(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._take_signals()
            await send(message)

        return send_and_take

    def _take_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # as in tests: there, nobody has signals
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            before = signal.getsignal(number)
            if callable(before):
                signal.signal(number, self._handler(loop, before))

    def _handler(
        self, loop: asyncio.AbstractEventLoop, before: Callable[[int, FrameType | None], Any]
    ) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            if self._has_begun:
                before(number, frame)
                return
            self._has_begun = True
            # The loop may be anywhere now, but not in what it calls itself.
            loop.call_soon_threadsafe(self._begin, lambda: before(number, None))

        return handle

    def _begin(self, stop: Callable[[], None]) -> None:
        self._app.close_soon()
        loop = asyncio.get_running_loop()
        end = loop.time() + self._delay + self._timeout
        if self._timeout:
            loop.call_at(end, self._app.interrupt)
        if self._delay:
            loop.call_later(self._delay, self._stop_listening, stop, end)
        else:
            self._stop_listening(stop, end)

    def _stop_listening(self, stop: Callable[[], None], end: float) -> None:
        """Stop, when no turn of a WebSocket runs: with the listening, uvicorn ends those too."""
        loop = asyncio.get_running_loop()
        if self._app.turns and (loop.time() < end or not self._timeout):
            loop.call_later(_LOOK_SECONDS, self._stop_listening, stop, end)
        else:
            stop()
