"""The seam to what a client names by URL: ask for one, get its bytes or an error for the client."""

from typing import Protocol

import msgspec


class Fetched(msgspec.Struct, frozen=True):
    """What a URL gave.

    Attributes:
        content_type: as the server says, which proves nothing; empty if it says none.
        body: all of it.
    """

    content_type: str
    body: bytes


class ByteBudget:
    """How much the fetches of one request may bring together.

    Attributes:
        left: bytes.
    """

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, count: int) -> bool:
        """Take `count` bytes off, and tell whether there were as many."""
        self.left -= count
        return self.left >= 0


class Fetches(Protocol):
    """What gets the bytes behind a URL."""

    async def get(self, url: str, *, param: str, budget: ByteBudget | None = None) -> Fetched:
        """Return what the URL gives.

        Args:
            url: as the client wrote it.
            param: path of the URL in the client's request, for the error.
            budget: shared with other fetches.

        Raises:
            InvalidRequestError: the URL is not allowed, or gave nothing within the limits.
        """
        ...
