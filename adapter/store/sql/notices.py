"""Hears from PostgreSQL what other processes do to runs: LISTEN, on one connection."""

import asyncio
import logging
from contextlib import suppress

import psycopg

from adapter.store.sql.faults import kind_of
from adapter.store.sql.listeners import Listeners
from adapter.store.sql.writes import CHANNEL

logger = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0


class Notices:
    """Wakes listeners when a notice names their run.

    Args:
        info: of the connection, as libpq has it.
        listeners: to wake.
    """

    def __init__(self, info: str, listeners: Listeners) -> None:
        self._info = info
        self._listeners = listeners
        self._task: asyncio.Task[None] | None = None
        self._is_listening = asyncio.Event()

    async def listen(self, limit_seconds: float) -> None:
        """Return when notices are heard; or not, for now, if the server does not answer."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen_again())
        try:
            async with asyncio.timeout(limit_seconds):
                await self._is_listening.wait()
        except TimeoutError:
            logger.warning("changes of runs are not heard from the response store, for now")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    async def _listen_again(self) -> None:
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                await self._listen()
            except (psycopg.Error, OSError) as exc:
                logger.warning("the response store is listened to anew: %s", kind_of(exc))
            if self._is_listening.is_set():
                self._is_listening.clear()
                pause = _FIRST_PAUSE_SECONDS
            # What happened meanwhile was not heard.
            self._listeners.wake(list(self._listeners.runs))
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._info, autocommit=True)
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}")
            self._is_listening.set()
            self._listeners.wake(list(self._listeners.runs))
            async for notice in connection.notifies():
                # Whoever may connect to the database may send some.
                with suppress(ValueError):
                    self._listeners.wake([bytes.fromhex(name) for name in notice.payload.split()])
