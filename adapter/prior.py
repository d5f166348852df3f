"""What a request goes on from, and how its response is kept."""

import logging
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from adapter.errors import StoreError
from adapter.records.items import GivenItem, join_items, own_items, read_items
from adapter.records.responses import output_items, to_record
from adapter.store.base import ResponseRecord, ResponseStore, StoredItem
from adapter.surroundings import Keep
from adapter.translate.replay import History, read_history
from adapter.types.raw import ABSENT
from adapter.types.request import ResponseRequest
from adapter.types.response import Response

logger = logging.getLogger(__name__)


Unlock = Callable[[], Awaitable[None]]


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """Where a response goes once it is made.

    Attributes:
        store: where to.
        owner: whom it belongs to.
        items: of its own input.
        expires_at: when it is gone; None is never.
        conversation_id: the conversation that it belongs to.
        is_stored: keep the response itself, not only its items in the conversation.
        must_be: fail the response if the store does, instead of saying that it was not stored.
        unlock: lets others at the conversation, once it has what the response adds: its client may
            go on as soon as it hears that the response is complete.
    """

    store: ResponseStore
    owner: str
    items: tuple[StoredItem, ...]
    expires_at: float | None
    conversation_id: str | None
    is_stored: bool
    must_be: bool
    unlock: Unlock | None = None

    def record(self, response: Response) -> ResponseRecord:
        """Return the response as it is kept."""
        return to_record(
            response,
            self.items,
            owner=self.owner,
            expires_at=self.expires_at,
            conversation_id=self.conversation_id,
        )

    def appended(self, response: Response) -> list[StoredItem]:
        """Return what the response adds to its conversation: nothing if it failed."""
        if self.conversation_id is None or response.status not in ("completed", "incomplete"):
            return []
        return [*self.items, *output_items(response)]

    async def __call__(self, response: Response) -> bool:
        """Keep the response, and tell whether it was stored: `adapter.loop.Keep`.

        Raises:
            StoreError: the store failed, and must not.
        """
        try:
            await self._save(response)
        except StoreError as error:
            if self.must_be:
                raise
            logger.warning("a response was answered without being stored: %s", error.message)
            return False
        return self.is_stored

    async def _save(self, response: Response) -> None:
        appended = self.appended(response)
        if self.is_stored:
            await self.store.save(self.record(response), appended)
        elif appended and self.conversation_id is not None:
            await self.store.add_items(self.owner, self.conversation_id, appended)
        if self.unlock is not None:
            await self.unlock()


class Prior(msgspec.Struct, frozen=True, kw_only=True):
    """What a request goes on from.

    Attributes:
        request: with the items that it only refers to.
        parts: what was said before, as `adapter.translate.replay` reads it; None if the request
            refers to nothing that was.
        keeping: keeps the response; None keeps nothing.
    """

    request: ResponseRequest
    parts: tuple[bytes, ...] | None = None
    keeping: Keeping | None = None

    @property
    def keep(self) -> Keep | None:
        return self.keeping

    @property
    def is_stored(self) -> bool:
        """Whether the response will be there to be asked for."""
        return self.keeping is not None and self.keeping.is_stored

    def history(self) -> History | None:
        """Return what was said before, if the request refers to something that was."""
        return None if self.parts is None else read_history(self.parts)

    def joined(self) -> ResponseRequest:
        """Return the request with all that was said before in its own input."""
        if self.parts is None:
            return self.request
        items = [*self._earlier(), *own_items(self.request)]
        return msgspec.structs.replace(
            self.request,
            input=join_items(items),
            input_items=ABSENT,
            previous_response_id=None,
            conversation=None,
        )

    def _earlier(self) -> Iterable[GivenItem]:
        for part in self.parts or ():
            yield from read_items(part)


class Handed:
    """Hands out what a request goes on from, and does not hold on to it while the block runs.

    Args:
        prior: what it goes on from.
    """

    def __init__(self, prior: Prior) -> None:
        self._prior = prior

    async def __aenter__(self) -> Prior:
        prior = self._prior
        del self._prior
        return prior

    async def __aexit__(self, *_: object) -> None:
        pass
