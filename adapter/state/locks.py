"""Locks of conversations: while a response is made, nothing else is made in the same one."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from adapter.errors import StoreError
from adapter.records.conversations import locked_conversation, no_conversation
from adapter.store.base import ResponseStore

logger = logging.getLogger(__name__)

LOCK_SECONDS = 30.0  # of a conversation whose process died; it is renewed three times as often


class ConversationLock:
    """A lock that is held, until it is released."""

    def __init__(self, store: ResponseStore, owner: str, id: str, holder: str) -> None:
        self._store = store
        self._place = (owner, id, holder)
        self._renewing: asyncio.Task[None] | None = asyncio.create_task(
            _renew(store, owner, id, holder)
        )

    async def release(self) -> None:
        """Let others at the conversation; safe to call twice."""
        renewing, self._renewing = self._renewing, None
        if renewing is None:
            return
        renewing.cancel()
        try:
            await self._store.unlock_conversation(*self._place)
        except StoreError as error:
            logger.warning("a conversation stays locked for a while: %s", error.message)


@asynccontextmanager
async def locked(
    store: ResponseStore, owner: str, id: str, holder: str
) -> AsyncGenerator[ConversationLock]:
    """Hold the lock of a conversation, for as long as the block runs if it is not released before.

    Raises:
        NotFoundError: there is no such conversation.
        InvalidRequestError: another holder has it.
        StoreError: the store does not answer.
    """
    if not await store.lock_conversation(owner, id, holder, LOCK_SECONDS):
        if await store.get_conversation(owner, id) is None:
            raise no_conversation(id)
        raise locked_conversation(id)
    lock = ConversationLock(store, owner, id, holder)
    try:
        yield lock
    finally:
        await lock.release()


async def _renew(store: ResponseStore, owner: str, id: str, holder: str) -> None:
    """Renew a lock until cancelled."""
    while True:
        await asyncio.sleep(LOCK_SECONDS / 3)
        try:
            if not await store.lock_conversation(owner, id, holder, LOCK_SECONDS):
                logger.warning("the lock of a conversation was lost while a response was made")
                return
        except StoreError as error:
            logger.warning("the lock of a conversation was not renewed: %s", error.message)
