"""Finds what requests go on from, and says how their responses are kept.

A store is opened with its first use, or before. Everything belongs to an owner. While a response is
made in a conversation, the conversation is locked, so that nothing comes between what the model saw
and what it said.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec

from adapter.errors import StoreError
from adapter.prior import Keeping, Prior, Unlock
from adapter.records.conversations import conversation_of
from adapter.records.items import (
    GivenItem,
    join_items,
    own_items,
    references,
    resolve,
    to_stored,
)
from adapter.state.history import read_chain, read_conversation, read_items
from adapter.state.locks import locked
from adapter.store.base import ResponseStore
from adapter.translate.parameters import check_references
from adapter.types.raw import ABSENT
from adapter.types.request import ResponseRequest

logger = logging.getLogger(__name__)

PURGE_SECONDS = 600.0  # between two purges; what has expired is not shown until then either


class StateOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How state is kept.

    Attributes:
        ttl_seconds: how long; 0 is for ever.
        must_be_kept: fail a response if the store does, instead of saying that it was not stored.
        max_history_bytes: the largest history to go on from.
    """

    ttl_seconds: float = 0.0
    must_be_kept: bool = True
    max_history_bytes: int = 64 * 1024 * 1024


class Remembered(msgspec.Struct, frozen=True):
    """A previous response that the caller knows by itself.

    Attributes:
        parts: what was said, as `adapter.translate.replay` reads it.
        is_stored: it is in the store too.
    """

    parts: tuple[bytes, ...]
    is_stored: bool


class _Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a request asks of the store."""

    items: list[GivenItem]
    referred: list[str]
    previous_id: str | None
    conversation_id: str | None
    is_stored: bool

    @property
    def refers(self) -> bool:
        """Whether it cannot be answered without the store."""
        return bool(self.referred or self.previous_id or self.conversation_id)


class State:
    """Keeps responses and conversations, and finds them again.

    Args:
        store: where.
        options: how.
        new_id: (prefix) to a new id.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        store: ResponseStore,
        options: StateOptions,
        *,
        new_id: Callable[[str], str],
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._options = options
        self.new_id = new_id
        self.now = now
        self._is_open = False
        self._opening = asyncio.Lock()
        self._purge_at = 0.0
        self._purging: asyncio.Task[None] | None = None

    async def store(self) -> ResponseStore:
        """Return the store, open.

        Raises:
            StoreError: it cannot be opened.
        """
        if not self._is_open:
            async with self._opening:
                if not self._is_open:
                    await self._store.open()
                    self._is_open = True
        self._purge_now_and_then()
        return self._store

    async def aclose(self) -> None:
        """Close the store; it opens again if it is needed."""
        purging, self._purging = self._purging, None
        if purging is not None:
            purging.cancel()
            await asyncio.wait([purging])
        if self._is_open:
            self._is_open = False
            await self._store.aclose()

    def expires_at(self) -> float | None:
        """Return when something that is written now is gone."""
        ttl = self._options.ttl_seconds
        return self.now() + ttl if ttl else None

    async def find_items(self, owner: str, ids: Sequence[str], param: str) -> Mapping[str, bytes]:
        """Return items that a request refers to, as far as they are there.

        Raises:
            InvalidRequestError: they are too large.
            StoreError: the store does not answer.
        """
        store = await self.store()
        return await read_items(store, owner, ids, self._options.max_history_bytes, param)

    @asynccontextmanager
    async def prior(
        self,
        request: ResponseRequest,
        owner: Callable[[], str],
        remembered: Remembered | None = None,
    ) -> AsyncGenerator[Prior]:
        """Find what a request goes on from; its conversation is locked as long as the block runs.

        Args:
            request: the request.
            owner: gives whom it belongs to; asked only if that matters.
            remembered: the previous response, if the caller knows it.

        Raises:
            InvalidRequestError: it goes on from something that cannot be gone on from.
            NotFoundError: a conversation, or an item, is not there.
            StoreError: the store does not answer, and without it there is no answer.
        """
        asked = _read(request, remembered)
        parts = None if remembered is None else remembered.parts
        store = await self._store_for(asked)
        if store is None:
            yield Prior(request=request, parts=parts)
            return
        async with AsyncExitStack() as stack:
            belongs_to = owner()
            max_bytes = self._options.max_history_bytes
            taken: frozenset[str] = frozenset()
            unlock: Unlock | None = None
            if asked.conversation_id is not None:
                id = asked.conversation_id
                holder = self.new_id("lock")
                lock = await stack.enter_async_context(locked(store, belongs_to, id, holder))
                unlock = lock.release
                earlier = await read_conversation(store, belongs_to, id, max_bytes)
                taken = frozenset(item.id for item in earlier)
                parts = (b"[" + b",".join(item.data for item in earlier) + b"]",)
            elif asked.previous_id is not None:
                parts = await read_chain(store, belongs_to, asked.previous_id, max_bytes)
            items = asked.items
            if asked.referred:
                found = await read_items(store, belongs_to, asked.referred, max_bytes)
                items = resolve(items, found)
                request = msgspec.structs.replace(
                    request, input=join_items(items), input_items=ABSENT
                )
            keeping = self._keeping(store, belongs_to, asked, items, taken, unlock)
            yield Prior(request=request, parts=parts, keeping=keeping)

    async def _store_for(self, asked: _Asked) -> ResponseStore | None:
        """Return the store, or None if there is nothing to ask of it."""
        if not (asked.is_stored or asked.refers):
            return None
        try:
            return await self.store()
        except StoreError as error:
            if self._options.must_be_kept or asked.refers:
                raise
            logger.warning("the store cannot be opened: %s", error.message)
            return None

    def _keeping(
        self,
        store: ResponseStore,
        owner: str,
        asked: _Asked,
        items: list[GivenItem],
        taken: frozenset[str],
        unlock: Unlock | None,
    ) -> Keeping | None:
        if not asked.is_stored and asked.conversation_id is None:
            return None
        return Keeping(
            store=store,
            owner=owner,
            items=tuple(to_stored(items, self.new_id, taken)),
            expires_at=self.expires_at(),
            conversation_id=asked.conversation_id,
            is_stored=asked.is_stored,
            must_be=self._options.must_be_kept,
            unlock=unlock,
        )

    # What has expired

    def _purge_now_and_then(self) -> None:
        if self.now() >= self._purge_at:
            self._purge_at = self.now() + PURGE_SECONDS
            self._purging = asyncio.create_task(self._purge())

    async def _purge(self) -> None:
        try:
            count = await self._store.purge(self.now())
        except StoreError as error:
            logger.warning("what has expired could not be deleted: %s", error.message)
        else:
            logger.debug("deleted what had expired: %s", count)


def _read(request: ResponseRequest, remembered: Remembered | None) -> _Asked:
    check_references(request)
    items = own_items(request)
    return _Asked(
        items=items,
        referred=references(items),
        previous_id=None if remembered is not None else request.previous_response_id,
        conversation_id=conversation_of(request),
        # One that continues what is not stored could never be continued itself.
        is_stored=request.store is not False and (remembered is None or remembered.is_stored),
    )
