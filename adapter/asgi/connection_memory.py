"""What one WebSocket connection remembers of its responses, so that a client need not repeat it.

A response is remembered as what was new in it, linked to the one it continues, so that a long
conversation is kept once. Nothing is written anywhere, and it ends with the connection.
"""

from adapter.asgi.connection_limits import ConnectionLimits


class Remembered:
    """A response, and through `parent` all that was said before it.

    Attributes:
        parent: the response that it continues.
        lane: where it was made.
        chain_bytes: of all that was said, this and before.
        is_stored: it is in the store too.
    """

    __slots__ = ("_new", "chain_bytes", "holders", "is_stored", "lane", "parent", "size")

    def __init__(
        self,
        parent: "Remembered | None",
        lane: str | None,
        new: tuple[bytes, ...],
        *,
        is_stored: bool,
    ) -> None:
        self.is_stored = is_stored
        self.parent = parent
        self.lane = lane
        self._new = new
        self.size = sum(map(len, new))
        self.chain_bytes: int = self.size + (parent.chain_bytes if parent is not None else 0)
        self.holders = 0

    def links(self) -> "list[Remembered]":
        """Return the responses of the conversation, from the first to this one."""
        links: list[Remembered] = []
        link: Remembered | None = self
        while link is not None:
            links.append(link)
            link = link.parent
        return links[::-1]

    def parts(self) -> list[bytes]:
        """Return all that was said, in order, as `adapter.translate.replay` reads it."""
        return [part for link in self.links() for part in link._new]


class ConnectionMemory:
    """Finds responses by their id; the one that was not used for longest is forgotten first.

    Args:
        limits: how much to remember.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self._limits = limits
        self._found: dict[str, Remembered] = {}  # the last used one last
        self._bytes = 0

    def find(self, response_id: str) -> Remembered | None:
        """Return a response, if it is remembered."""
        response = self._found.pop(response_id, None)
        if response is not None:
            self._found[response_id] = response
        return response

    def keep(
        self,
        response_id: str,
        parent: Remembered | None,
        lane: str | None,
        *new: bytes,
        is_stored: bool = False,
    ) -> None:
        """Remember a response, unless what was said is more than the connection may keep."""
        response = Remembered(parent, lane, new, is_stored=is_stored)
        if response.chain_bytes > self._limits.remembered_bytes:
            return
        self._found[response_id] = response
        self._hold(response)
        while (
            len(self._found) > self._limits.remembered
            or self._bytes > self._limits.remembered_bytes
        ):
            self._release(self._found.pop(next(iter(self._found))))

    def forget(self, response_id: str | None, lane: str | None) -> None:
        """Forget a response if it was made on this lane: others may still continue theirs."""
        response = self._found.get(response_id or "")
        if response is not None and response.lane == lane:
            self._release(self._found.pop(response_id or ""))

    # Bytes count once, for as long as anything that can be found leads to them.

    def _hold(self, response: Remembered | None) -> None:
        while response is not None:
            response.holders += 1
            if response.holders > 1:
                return
            self._bytes += response.size
            response = response.parent

    def _release(self, response: Remembered | None) -> None:
        while response is not None:
            response.holders -= 1
            if response.holders:
                return
            self._bytes -= response.size
            response = response.parent
