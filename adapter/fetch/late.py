"""A fetcher that is made when something is first fetched: its HTTP client takes 0.1 s and 8 MB."""

from typing import TYPE_CHECKING

from adapter.fetch.base import ByteBudget, Fetched
from adapter.fetch.guard import UrlPolicy

if TYPE_CHECKING:
    from adapter.fetch.fetch import Fetcher


class LateFetcher:
    """Gets URLs, with a fetcher of its own.

    Args:
        policy: what may be fetched.
    """

    def __init__(self, policy: UrlPolicy) -> None:
        self._policy = policy
        self._fetcher: Fetcher | None = None

    async def get(self, url: str, *, param: str, budget: ByteBudget | None = None) -> Fetched:
        """See `Fetches.get`."""
        if self._fetcher is None:
            from adapter.fetch.fetch import Fetcher

            self._fetcher = Fetcher(self._policy)
        return await self._fetcher.get(url, param=param, budget=budget)

    async def aclose(self) -> None:
        """Close what was made."""
        if self._fetcher is not None:
            await self._fetcher.aclose()
