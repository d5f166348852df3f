"""An upstream that gives one answer, which is there already, whatever it is asked."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager


class PlayedUpstream:
    """Plays an answer.

    Args:
        body: of the answer.
        status: of the answer.
    """

    def __init__(self, body: bytes, status: int = 200) -> None:
        self._answer = _PlayedAnswer(body, status)

    @asynccontextmanager
    async def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator["_PlayedAnswer", None]:
        """Hand out the answer."""
        yield self._answer

    async def aclose(self) -> None:
        """Do nothing: there is nothing to close."""


class _PlayedAnswer:
    def __init__(self, body: bytes, status: int) -> None:
        self.status = status
        is_document = body.lstrip()[:1] in (b"{", b"[")
        kind = "application/json" if is_document else "text/event-stream"
        self.headers: Mapping[str, str] = {"content-type": kind}
        self._body = body

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        if self._body:
            yield self._body
