"""What a run takes from the world around it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import msgspec

from adapter.fetch.base import Fetches
from adapter.hosted.hosting import Hosting
from adapter.sealing import Sealer
from adapter.stream.items import Summaries
from adapter.types.response import Response, Usage


class Detached(msgspec.Struct, frozen=True):
    """A response that runs in the background: others know of it before it is made.

    Attributes:
        id: of the response.
        created_at: seconds since the epoch.
        said: so many events are in its log already, from a process that began it.
    """

    id: str
    created_at: int
    said: int = 0


class Watch(Protocol):
    """Is told of the turns of a run: when, and what they cost, nothing of what is said."""

    def begun(self) -> None:
        """The model begins to answer."""
        ...

    def ended(self, usage: Usage | None, finish_reason: str | None) -> None:
        """It has answered."""
        ...


class Surroundings(msgspec.Struct, frozen=True):
    """What a run takes from the world.

    Attributes:
        new_id: (prefix) to a new id.
        now: seconds since the epoch.
        max_event_bytes: the longest event to accept from an upstream.
        max_bytes: of one whole answer; 0 is no limit.
        open_names: name raw reasoning events as Open Responses does.
        summaries: what to show of reasoning when a summary is asked for.
        sealer: seals reasoning for the client to carry; None leaves it out.
        fetcher: fetches images for upstreams that do not; None leaves them as they are.
        detached: the response runs in the background.
        hosting: what runs hosted tools; None runs none.
        watch: is told of the turns; None if nobody watches.
    """

    new_id: Callable[[str], str]
    now: Callable[[], float]
    max_event_bytes: int = 16 * 1024 * 1024
    max_bytes: int = 0
    open_names: bool = False
    summaries: Summaries = "with_text"
    sealer: Sealer | None = None
    fetcher: Fetches | None = None
    detached: Detached | None = None
    hosting: Hosting | None = None
    watch: Watch | None = None


# Keeps a response, and tells whether it did; raises StoreError to have it fail instead.
Keep = Callable[[Response], Awaitable[bool]]
