"""Wakeups over the channels of a Redis server: one connection for all who listen in this process.

The server confirms in the order in which it was asked, so a listener knows from when on nothing is
missed. When the connection was lost it is made anew, and then all are woken, as something may have
happened in between.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

from redis.asyncio import ConnectionPool
from redis.asyncio.connection import AbstractConnection

from adapter.store.redis.connection import FAULTS, kind_of, time_limit

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 2.0


class _Listener:
    """Waits for what happens on a channel.

    Attributes:
        event: something happened.
        is_heard: the server has confirmed, on the connection of now.
        is_settled: it did so once, or cannot be reached.
        may_have_missed: there was a connection before.
    """

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.is_heard = False
        self.is_settled = asyncio.Event()
        self.may_have_missed = False

    async def wait(self, timeout_seconds: float) -> None:
        try:
            async with asyncio.timeout(timeout_seconds):
                await self.event.wait()
        except TimeoutError:
            return
        self.event.clear()

    def lose(self) -> None:
        self.may_have_missed |= self.is_heard
        self.is_heard = False

    def confirm(self) -> None:
        self.is_heard = True
        self.is_settled.set()
        if self.may_have_missed:
            self.may_have_missed = False
            self.event.set()


class Channels:
    """Listens to channels of one server.

    Args:
        pool: makes the connection.
        limit_seconds: that the beginning of listening may take.
        silence_seconds: after so long without a word the server is asked for one; after as long
            again the connection is lost.
    """

    def __init__(
        self, pool: ConnectionPool, limit_seconds: float, *, silence_seconds: float = 10.0
    ) -> None:
        self._pool = pool
        self._limit_seconds = limit_seconds
        self._silence_seconds = silence_seconds
        self._pause_seconds = _FIRST_PAUSE_SECONDS
        self._listeners: dict[bytes, set[_Listener]] = {}
        # Channels that got a listener, or lost the last, since the server was told; for their order.
        self._changed: dict[bytes, None] = {}
        self._has_changed = asyncio.Event()
        # Whom each of the next confirmations is for.
        self._asking: deque[list[_Listener]] = deque()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def listen(self, channel: bytes) -> AsyncGenerator[_Listener]:
        """Listen to a channel.

        Raises:
            StoreError: the server cannot be reached, or did not confirm in time.
        """
        if self._task is None:
            self._task = asyncio.create_task(self._keep_connected())
        listener = _Listener()
        self._listeners.setdefault(channel, set()).add(listener)
        self._tell(channel)
        try:
            async with time_limit(self._limit_seconds):
                await listener.is_settled.wait()
                if not listener.is_heard and not listener.may_have_missed:
                    raise ConnectionError
            yield listener
        finally:
            self._listeners[channel].remove(listener)
            if not self._listeners[channel]:
                del self._listeners[channel]
                self._tell(channel)

    async def aclose(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait([task])

    def _tell(self, *channels: bytes) -> None:
        self._changed |= dict.fromkeys(channels)
        self._has_changed.set()

    async def _keep_connected(self) -> None:
        while True:
            connection = self._pool.connection_class(**self._pool.connection_kwargs)
            try:
                await self._connect(connection)
                await self._talk(connection)
            except* FAULTS as faults:
                logger.warning("wakeups are interrupted: %s", kind_of(faults.exceptions[0]))
            finally:
                await connection.disconnect(nowait=True)
            await asyncio.sleep(self._pause_seconds)
            self._pause_seconds = min(2 * self._pause_seconds, _LONGEST_PAUSE_SECONDS)

    async def _connect(self, connection: AbstractConnection) -> None:
        self._asking.clear()
        for listener in self._everyone():
            listener.lose()
        try:
            async with asyncio.timeout(self._limit_seconds):
                await connection.connect()  # type: ignore[no-untyped-call]  # not typed there
        except FAULTS:
            # Who has been heard before waits on; who has not is told now, not when its time is over.
            for listener in self._everyone():
                listener.is_settled.set()
            raise

    def _everyone(self) -> Iterator[_Listener]:
        return (one for listeners in self._listeners.values() for one in listeners)

    async def _talk(self, connection: AbstractConnection) -> None:
        self._tell(*self._listeners)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._send(connection))
            group.create_task(self._receive(connection))

    async def _send(self, connection: AbstractConnection) -> None:
        while True:
            await self._has_changed.wait()
            self._has_changed.clear()
            changed, self._changed = self._changed, {}
            joined = [channel for channel in changed if channel in self._listeners]
            left = [channel for channel in changed if channel not in self._listeners]
            for channel in joined:
                listeners = self._listeners[channel]
                self._asking.append([one for one in listeners if not one.is_heard])
            if left:
                await connection.send_command("UNSUBSCRIBE", *left)
            if joined:
                await connection.send_command("SUBSCRIBE", *joined)

    async def _receive(self, connection: AbstractConnection) -> None:
        was_silent = False
        while True:
            reply = await connection.read_response(
                timeout=self._silence_seconds, disconnect_on_error=False
            )
            if reply is None and was_silent:
                raise TimeoutError
            was_silent = reply is None
            match reply:
                case None:
                    await connection.send_command("PING")
                case [b"message", channel, _]:
                    for listener in self._listeners.get(channel, ()):
                        listener.event.set()
                case [b"subscribe", _, _]:
                    self._pause_seconds = _FIRST_PAUSE_SECONDS
                    for listener in self._asking.popleft():
                        listener.confirm()
                case _:
                    pass  # it left a channel, or answered
