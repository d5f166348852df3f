"""Run an ASGI app under real uvicorn on a free loopback port.

In-process ASGI clients buffer whole answers and cannot disconnect; tests of streaming need this.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn

from tests.servers.signals import Signal

# How long open connections may take to end by themselves; tests end them, so it is short.
GRACE_SECONDS = 1
STOP_LIMIT_SECONDS = 5.0


class _Server(uvicorn.Server):
    """Signals when it listens, or when it never will; leaves the process's signals alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.settled = Signal()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # its way to say that the lifespan failed; it would end the whole loop
            self.should_exit = True
        finally:
            self.settled.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextmanager
def serve(app: Any, **uvicorn_options: Any) -> Iterator[str]:
    """Serve `app` from a thread of its own; yield its base URL, such as `http://127.0.0.1:8080`.

    Raises:
        RuntimeError: the app's lifespan failed, or the server did not stop.
    """
    with _listening() as (sock, url):
        server = _Server(_configure(app, uvicorn_options))
        thread = threading.Thread(target=server.run, args=([sock],), daemon=True)
        thread.start()
        try:
            server.settled.wait_in_thread()
            _check_started(server)
            yield url
        finally:
            server.should_exit = True
            thread.join(GRACE_SECONDS + STOP_LIMIT_SECONDS)
        if thread.is_alive():
            raise RuntimeError("uvicorn did not stop")


@asynccontextmanager
async def serving(app: Any, **uvicorn_options: Any) -> AsyncIterator[str]:
    """As `serve`, in the running loop: for tests that hold the app's own objects in their hands."""
    with _listening() as (sock, url):
        server = _Server(_configure(app, uvicorn_options))
        task = asyncio.create_task(server.serve([sock]))
        try:
            await server.settled.wait()
            _check_started(server)
            yield url
        finally:
            server.should_exit = True
            async with asyncio.timeout(GRACE_SECONDS + STOP_LIMIT_SECONDS):
                await task


@contextmanager
def _listening() -> Iterator[tuple[socket.socket, str]]:
    # The protocol is named because asyncio switches off Nagle's algorithm only where it is: an
    # answer in two writes would take 40 ms.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock, f"http://127.0.0.1:{sock.getsockname()[1]}"


def _configure(app: Any, options: dict[str, Any]) -> uvicorn.Config:
    defaults = {"log_config": None, "timeout_graceful_shutdown": GRACE_SECONDS}
    return uvicorn.Config(app, **(defaults | options))


def _check_started(server: _Server) -> None:
    if not server.started:
        raise RuntimeError("uvicorn did not start: the lifespan of the app failed")
