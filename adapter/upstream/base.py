"""The seam to the model server: send one chat request, read its answer as it comes.

An `Upstream` knows where the server is and how to reach it (network or in process). It knows
nothing of Responses, chat deltas or SSE: bodies go in and bytes come out.
"""

import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol, runtime_checkable

_VERSION = re.compile(r"/v\d\w*$")


def path_under(base: str, path: str) -> str:
    """Return the whole path of what is posted besides chat requests; see `Poster`.

    Args:
        base: path of the base URL, such as `/v1`.
        path: under it, or with a slash before it, beside the version that it ends in.
    """
    base = base.rstrip("/")
    return _VERSION.sub("", base) + path if path.startswith("/") else f"{base}/{path}"


class UpstreamAnswer(Protocol):
    """One HTTP answer, its body still to be read.

    Attributes:
        status: HTTP status.
        headers: header names in lower case; a repeated header keeps its last value.

    One that has an attribute `is_read` says with it whether the body has been read to its end, so
    that nobody need wait to see.
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


@runtime_checkable
class Poster(Protocol):
    """An upstream that takes other posts than chat requests."""

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[UpstreamAnswer]:
        """Post JSON to a path under the base URL; see `Upstream.open`.

        Args:
            path: such as `embeddings`; one that begins with a slash stands beside the version of
                the API, as `/tokenize` does beside `/v1`.
            body: the JSON.
            headers: as for `open`.
        """
        ...
