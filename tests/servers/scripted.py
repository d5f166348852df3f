"""A model server that says exactly what a test tells it to, over a real socket.

It controls every byte, chunk border and moment of an answer, breaks connections on purpose, keeps
what it was asked, and knows when a client left. It is not a chat server: it answers what is queued,
whatever the request asks for. `answers.py` builds the answers.

    async with ScriptedUpstream() as upstream:
        upstream.reply(text_answer("Hello"))
        ...                                     # a client posts to upstream.url
        request = await upstream.request(0)     # its method, path, headers, body, json
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from anyio.from_thread import start_blocking_portal

from tests.servers.answers import MODEL, Answer, json_answer
from tests.servers.player import Connection
from tests.servers.requests import Request
from tests.servers.signals import Signal

CHAT_PATH = "/v1/chat/completions"
MODELS_PATH = "/v1/models"

Reply = Answer | Callable[[Request], Answer]


class ScriptedUpstream:
    """The server, as an async context manager; in the thread's loop, on a free loopback port.

    Attributes:
        url: base URL, ending in `/v1`.
        requests: all that were received whole, in order.
        connections_opened: how many connections were ever accepted.
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[Request] = []
        self.connections_opened = 0
        self._queued: defaultdict[str, deque[Reply]] = defaultdict(deque)
        models = {"object": "list", "data": [{"id": MODEL, "object": "model"}]}
        self._standing: dict[str, Reply] = {MODELS_PATH: json_answer(200, models)}
        self._connections: set[Connection] = set()
        self._arrivals: dict[int, Signal] = {}
        self._failures: list[Exception] = []
        self._server: asyncio.Server | None = None

    def reply(self, *replies: Reply, to: str = CHAT_PATH) -> None:
        """Queue answers for requests to this path: each is given once, in order."""
        self._queued[to].extend(replies)

    def always(self, reply: Reply, *, to: str = CHAT_PATH) -> None:
        """Give this answer to requests to this path whenever nothing is queued for it."""
        self._standing[to] = reply

    async def request(self, index: int) -> Request:
        """Return the request with this number, the first being 0, once it has arrived.

        Raises:
            TimeoutError: it did not come within the limit of `Signal.wait`.
        """
        await self._arrival(index).wait()
        return self.requests[index]

    def request_in_thread(self, index: int) -> Request:
        """As `request`, for a test that runs in another thread than the server."""
        self._arrival(index).wait_in_thread()
        return self.requests[index]

    @property
    def connections_open(self) -> int:
        return len(self._connections)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connect, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            await connection.abort()
        await self._server.wait_closed()
        # A mistake in a script must not pass for something that the client did.
        if self._failures and exc is None:
            raise ExceptionGroup("in the script of the upstream", self._failures)

    def _connect(self) -> Connection:
        self.connections_opened += 1
        return Connection(self._answer_to, self._connections, self._failures)

    def _answer_to(self, request: Request) -> Answer:
        self.requests.append(request)
        self._arrival(len(self.requests) - 1).set()
        queue = self._queued[request.path]
        reply = queue.popleft() if queue else self._standing.get(request.path, _nothing_queued)
        return reply if isinstance(reply, Answer) else reply(request)

    def _arrival(self, index: int) -> Signal:
        return self._arrivals.setdefault(index, Signal())


@contextmanager
def scripted_upstream() -> Iterator[ScriptedUpstream]:
    """Run a `ScriptedUpstream` in a thread of its own, for tests that block."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(ScriptedUpstream()) as upstream,
    ):
        yield upstream


def _nothing_queued(request: Request) -> Answer:
    message = f"the scripted upstream has no answer queued for {request.method} {request.path}"
    return json_answer(500, {"error": {"message": message, "type": "scripted", "code": 500}})
