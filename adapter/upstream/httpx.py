"""A model server through the user's own httpx2 client or transport.

For who needs what `http` has no setting for (a proxy, client certificates, a mock in tests, a
transport over something else). It is not the fast way: httpx2's default transport costs more per
delta than everything else together (`performance.md`). A transport is called directly with a
prepared request, which saves most of what the client object costs.
"""

from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Final, Self

import httpx2

from adapter._version import __version__
from adapter.errors import UpstreamError
from adapter.upstream import faults
from adapter.upstream.base import path_under
from adapter.upstream.faults import Fault, Timeouts

_FIXED_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "text/event-stream, application/json",
}
_DEFAULT_HEADERS: Final = {
    "accept-encoding": "identity",
    "user-agent": f"responses-adapter/{__version__}",
}

# What a request or a read can raise. OSError: transports that do not map their own. RuntimeError:
# a client that was closed.
_RAISED: Final = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, RuntimeError)

# First match wins, so what is special comes first.
_BEFORE_HEADERS: Final[tuple[tuple[type[BaseException], Fault], ...]] = (
    (httpx2.ConnectTimeout, faults.CONNECT_TIMEOUT),
    (httpx2.PoolTimeout, faults.CONNECT_TIMEOUT),
    (httpx2.TimeoutException, faults.FIRST_BYTE_TIMEOUT),
    (httpx2.ConnectError, faults.UNREACHABLE),
    (httpx2.ProxyError, faults.UNREACHABLE),
    (httpx2.UnsupportedProtocol, faults.CANNOT_SEND),
    (httpx2.LocalProtocolError, faults.CANNOT_SEND),
    (httpx2.InvalidURL, faults.CANNOT_SEND),
    (Exception, faults.NO_ANSWER),
)
_IN_BODY: Final[tuple[tuple[type[BaseException], Fault], ...]] = (
    (httpx2.TimeoutException, faults.IDLE_TIMEOUT),
    (httpx2.DecodingError, faults.UNDECODABLE),
    (Exception, faults.BROKEN_OFF),
)


class HttpxUpstream:
    """A server at a base URL, over a client or transport that stays the user's.

    Args:
        client_or_transport: closed by `aclose`, not before.
        base_url: `/chat/completions` is appended; that of the client by default.
        connect_timeout: seconds for the pool, and for a connection; None is for ever. The client's
            own timeouts are not used: their default of 5 s would cut most generations short.
        idle_timeout: seconds for the headers, and between two reads after them.

    Raises:
        ValueError: there is no base URL.
    """

    def __init__(
        self,
        client_or_transport: httpx2.AsyncClient | httpx2.AsyncBaseTransport,
        base_url: str | None = None,
        *,
        connect_timeout: float | None = 10.0,
        idle_timeout: float | None = 600.0,
    ) -> None:
        self._target = client_or_transport
        if base_url is None and isinstance(client_or_transport, httpx2.AsyncClient):
            base = client_or_transport.base_url
        else:
            base = httpx2.URL(base_url or "")
        if not base.host:
            raise ValueError("an httpx2 client without base_url, or a transport, needs a base URL")
        self._base = base
        self._url = self._url_of("chat/completions")
        self.peer = base.netloc.decode("ascii")
        self.timeouts = Timeouts(connect_timeout, idle_timeout, idle_timeout)

    def open(self, body: bytes, headers: Mapping[str, str]) -> "HttpxCall":
        """See `Upstream.open`."""
        return self._post(self._url, body, headers)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "HttpxCall":
        """See `Poster.post`."""
        return self._post(self._url_of(path), body, headers)

    def _url_of(self, path: str) -> httpx2.URL:
        base, mark, query = self._base.raw_path.decode("ascii").partition("?")
        raw_path = path_under(base, path) + mark + query
        return self._base.copy_with(raw_path=raw_path.encode("ascii"))

    def _post(self, url: httpx2.URL, body: bytes, headers: Mapping[str, str]) -> "HttpxCall":
        headers = {**_DEFAULT_HEADERS, **headers, **_FIXED_HEADERS}
        connect, idle = self.timeouts.connect, self.timeouts.idle
        timeout = httpx2.Timeout(idle, connect=connect, pool=connect)
        if isinstance(self._target, httpx2.AsyncClient):
            request = self._target.build_request(
                "POST", url, content=body, headers=headers, timeout=timeout
            )
        else:
            extensions = {"timeout": timeout.as_dict()}
            request = httpx2.Request(
                "POST", url, content=body, headers=headers, extensions=extensions
            )
        return HttpxCall(self, request)

    async def send(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and return the answer once its headers are here."""
        if isinstance(self._target, httpx2.AsyncClient):
            return await self._target.send(request, stream=True, follow_redirects=False)
        response = await self._target.handle_async_request(request)
        response.request = request
        return response

    async def aclose(self) -> None:
        """Close the client or transport."""
        await self._target.aclose()


class HttpxCall:
    """One call: entering sends it, leaving closes it. It is its own `UpstreamAnswer`."""

    status: int
    headers: Mapping[str, str]

    def __init__(self, upstream: HttpxUpstream, request: httpx2.Request) -> None:
        self._upstream = upstream
        self._request = request

    async def __aenter__(self) -> Self:
        try:
            self._response = await self._upstream.send(self._request)
        except _RAISED as exc:
            raise _error(_BEFORE_HEADERS, exc, self._upstream) from exc
        self.status = self._response.status_code
        pairs = self._response.headers.multi_items()
        self.headers = {name.lower(): value for name, value in pairs}
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._response.aclose()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """See `UpstreamAnswer.chunks`."""
        try:
            async for chunk in self._response.aiter_bytes():  # it leaves out empty ones
                yield chunk
        except _RAISED as exc:
            raise _error(_IN_BODY, exc, self._upstream) from exc


def _error(
    rows: tuple[tuple[type[BaseException], Fault], ...],
    exc: BaseException,
    upstream: HttpxUpstream,
) -> UpstreamError:
    fault = next(fault for kind, fault in rows if isinstance(exc, kind))
    timeouts = upstream.timeouts
    limit = timeouts.connect if fault is faults.CONNECT_TIMEOUT else timeouts.idle
    detail = f"{limit or 0:g}" if fault.timed_out else type(exc).__name__
    return fault.error(upstream.peer, detail)
