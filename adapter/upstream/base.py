"""The seam to the model server: send one chat request, read its answer as it comes.

An `Upstream` knows where the server is and how to reach it (network or in process). It knows
nothing of Responses, chat deltas or SSE: bodies go in and bytes come out.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable


class UpstreamAnswer(Protocol):
    """One HTTP answer, its body still to be read.

    Attributes:
        status: HTTP status.
        headers: header names in lower case; a repeated header keeps its last value.
    """

    status: int
    headers: Mapping[str, str]

    def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the decoded body as it arrives, one item per read, never empty.

        Raises:
            UpstreamError: the connection broke before the body was complete.
            UpstreamTimeoutError: nothing came for longer than the idle limit.
        """
        ...


class Upstream(Protocol):
    """A server that speaks `/chat/completions`."""

    def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """Post a chat request; leaving the context closes the connection and stops generation.

        Args:
            body: the JSON of the chat request.
            headers: request headers to send besides `content-type` and `accept`, in lower case.

        Raises:
            UpstreamError: it could not be reached (502).
            UpstreamTimeoutError: it did not answer within the limits (504).
        """
        ...

    async def aclose(self) -> None:
        """Close what is kept open between requests."""
        ...


@runtime_checkable
class ModelLister(Protocol):
    """An upstream that can be asked for its models."""

    def list_models(
        self, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """Get `/models`; see `Upstream.open` for errors."""
        ...
