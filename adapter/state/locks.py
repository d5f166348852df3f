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


@asynccontextmanager
async def locked(store: ResponseStore, owner: str, id: str, holder: str) -> AsyncGenerator[None]:
    """Hold the lock of a conversation, for as long as the block runs.

    Raises:
        NotFoundError: there is no such conversation.
        InvalidRequestError: another holder has it.
        StoreError: the store does not answer.
    """
    if not await store.lock_conversation(owner, id, holder, LOCK_SECONDS):
        if await store.get_conversation(owner, id) is None:
            raise no_conversation(id)
        raise locked_conversation(id)
    renewing = asyncio.create_task(_renew(store, owner, id, holder))
    try:
        yield
    finally:
        renewing.cancel()
        try:
            await store.unlock_conversation(owner, id, holder)
        except StoreError as error:
            logger.warning("a conversation stays locked for a while: %s", error.message)


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
