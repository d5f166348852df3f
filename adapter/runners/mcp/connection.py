"""One session and the task that owns it.

The SDK's cancel scopes must be left in the task that entered them, while requests come and go. So a
session is opened, held and closed by a task of its own; a request is made by a task apart from the
one that waits for it. Who gives up (a disconnect, a time limit) is gone at once, and the server is
told behind its back: MCP 2025-11-25, "Cancellation".
"""

import asyncio
import logging
import math
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio

from adapter.runners.mcp.exchange import Exchange, enter
from adapter.runners.mcp.failures import Failure, McpFailedError, closed, timed_out

if TYPE_CHECKING:
    from adapter.runners.mcp.session import Session

logger = logging.getLogger(__name__)

# Seconds in which a server is told that a call is given up, before the session goes.
_TELL_SECONDS: Final = 1.0

# Seconds for a session to end politely: a request over HTTP. Programs have 6 s more (the SDK's).
_CLOSE_SECONDS: Final = 3.0

_Result = TypeVar("_Result")
Open = Callable[[Callable[[Failure], None]], AbstractAsyncContextManager["Session"]]
Ask = Callable[["Session"], Coroutine[Any, Any, _Result]]


class Connection:
    """A session that opens itself and serves until it is retired, rests too long, or breaks.

    Args:
        open_session: opens it, given who is to be told that it ended.
        explain: says what is wrong if it raises.
        verdict: says what is wrong if a request fails.
        calls_at_once: more wait.
        connect_seconds: for opening it.
        idle_seconds: after which it closes when nothing is asked.
        on_retire: told when it takes no more requests.
        on_end: told when nothing of it is left.

    Attributes:
        is_usable: it takes requests.
        is_proven: it has answered before.
    """

    def __init__(
        self,
        open_session: Open,
        explain: Callable[[BaseException], Failure],
        verdict: Callable[[McpFailedError, Exchange], Failure],
        *,
        calls_at_once: int,
        connect_seconds: float,
        idle_seconds: float,
        on_retire: "Callable[[Connection], None]",
        on_end: "Callable[[Connection], None]",
    ) -> None:
        loop = asyncio.get_running_loop()
        self.is_usable = True
        self.is_proven = False
        self._open_session = open_session
        self._explain = explain
        self._verdict = verdict
        self._connect_seconds = connect_seconds
        self._idle_seconds = idle_seconds
        self._on_retire = on_retire
        self._on_end = on_end
        self._free = asyncio.Semaphore(calls_at_once)
        self._exchange = Exchange()
        self._opened: asyncio.Future[Session | Failure] = loop.create_future()
        self._broken: asyncio.Future[Failure] = loop.create_future()
        self._closing = asyncio.Event()
        self._scope = anyio.CancelScope()
        self._users = 0
        self._rest: asyncio.TimerHandle | None = None
        self._requests: set[asyncio.Task[Any]] = set()
        self._left: list[Exchange] = []
        self._owner = self._start(self._own(), self._exchange)

    @property
    def is_idle(self) -> bool:
        return self._users == 0

    async def ask(self, ask: Ask[_Result]) -> _Result:
        """Make a request, once the session is open and there is room for it.

        Cancelling this gives the request up.

        Raises:
            McpFailedError: nothing came of it.
        """
        self._users += 1
        if self._rest is not None:
            self._rest.cancel()
        try:
            async with self._free:
                session = await asyncio.shield(self._opened)
                if isinstance(session, Failure):
                    raise McpFailedError(session)
                result = await self._ask(ask(session))
                self.is_proven = True
                return result
        finally:
            self._users -= 1
            if self._users == 0:
                self._go_idle()

    def retire(self) -> None:
        """Take no more requests, and close when those that are made are done."""
        if self.is_usable:
            self.is_usable = False
            self._on_retire(self)
        if self._users == 0:
            self._close()

    async def aclose(self) -> None:
        """Close, whatever is being asked."""
        self._break(closed())
        self._close()
        await asyncio.wait({self._owner})

    async def _ask(self, request: Coroutine[Any, Any, _Result]) -> _Result:
        exchange = Exchange()
        task = self._start(request, exchange)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
        try:
            waited: set[asyncio.Future[Any]] = {task, self._broken, exchange.doomed}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            self._give_up(task, exchange)
            raise
        if not task.done() or task.cancelled():
            self._give_up(task, exchange)
            raise McpFailedError(self._lost() or exchange.failure or closed())
        try:
            return task.result()
        except McpFailedError as exc:
            failure = (exc.stands_in and self._lost()) or self._verdict(exc, exchange)
            if failure.type == "http_error" or self._lost():
                self.retire()
            raise McpFailedError(failure) from None

    def _lost(self) -> Failure | None:
        """Return why the session has ended, if it has: all that follows comes of it."""
        return self._broken.result() if self._broken.done() else None

    def _give_up(self, task: "asyncio.Task[Any]", exchange: Exchange) -> None:
        """Have the server told, and let no one meet what it still sends."""
        exchange.leave()
        self._left.append(exchange)
        task.cancel()
        self.retire()

    def _start(
        self, work: Coroutine[Any, Any, _Result], exchange: Exchange
    ) -> "asyncio.Task[_Result]":
        context = copy_context()
        context.run(enter, exchange)
        return asyncio.create_task(work, context=context)

    def _go_idle(self) -> None:
        if not self.is_usable:
            self._close()
            return
        if not self._opened.done():  # whoever waited for it has gone: a silent server is left too
            self.retire()
            return
        loop = asyncio.get_running_loop()
        self._rest = loop.call_later(self._idle_seconds, self.retire)

    def _close(self) -> None:
        if not self._opened.done():
            self._scope.cancel()
        self._closing.set()

    def _break(self, failure: Failure) -> None:
        """Fail what is being asked, and close."""
        if not self._broken.done():
            self._broken.set_result(failure)
        if not self._opened.done():
            self._scope.cancel()
        self.retire()

    async def _own(self) -> None:
        failure = timed_out(self._connect_seconds)
        self._scope.deadline = anyio.current_time() + self._connect_seconds
        try:
            with self._scope:
                async with self._open_session(self._break) as session:
                    self._scope.deadline = math.inf
                    self._opened.set_result(session)
                    await self._closing.wait()
                    self._scope.deadline = anyio.current_time() + _CLOSE_SECONDS
                    await self._let_go(session)
        except Exception as exc:  # noqa: BLE001  # the edge: whatever the SDK raises, it is over
            logger.debug("an MCP session ended: %s", type(exc).__name__)
            failure = self._exchange.failure or self._explain(exc)
        finally:
            self._end(failure)

    def _end(self, failure: Failure) -> None:
        if not self._broken.done():
            self._broken.set_result(failure)
        if not self._opened.done():
            self._opened.set_result(self._broken.result())
        if self._rest is not None:
            self._rest.cancel()
        if self.is_usable:
            self.is_usable = False
            self._on_retire(self)
        self._on_end(self)

    async def _let_go(self, session: "Session") -> None:
        """Wait until the server knows of what was given up, for a moment."""
        if self._lost() not in {None, closed()}:
            return  # there is nobody to be told
        if self._requests:
            await asyncio.wait(self._requests, timeout=_TELL_SECONDS)
        for task in self._requests:
            task.cancel()
        if session.posts_cancellations:
            with anyio.move_on_after(_TELL_SECONDS):
                for exchange in self._left:
                    assert exchange.left is not None
                    await exchange.left.wait()
