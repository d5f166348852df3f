"""A model server over HTTP: the default `Upstream`, on aiohttp.

It posts, hands on what comes, and says what went wrong. It does not look into bodies, and sends a
request again only when a kept connection turned out to be dead (`session`).

Reads are as bare as aiohttp allows: its idle timer is one `call_later` per read (0.5 µs on uvloop),
no task and no `wait_for`.
"""

import ssl
from collections.abc import AsyncGenerator, Mapping
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver
from yarl import URL

from adapter._version import __version__
from adapter.upstream.aiohttp_faults import RAISED, error_before_headers, error_in_body, telling
from adapter.upstream.faults import Timeouts
from adapter.upstream.session import KeptSession

DEFAULT_USER_AGENT: Final = f"responses-adapter/{__version__}"

# Both types, because errors and whole completions are JSON, and a server that negotiates (Spring)
# answers 406 if it may not send that. `identity`, because compressing holds deltas back and costs
# CPU on both sides; what is compressed in spite of it is decoded.
_FIXED_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "text/event-stream, application/json",
}
_ACCEPT_ENCODING: Final = "identity"


class HttpUpstream:
    """A server at a base URL, over connections that are kept.

    Args:
        base_url: such as `http://127.0.0.1:8000/v1`; `/chat/completions` is appended. A query is
            kept (Azure's `?api-version=`); credentials belong in the request headers.
        connect_timeout: seconds for a connection: pool, DNS, TCP and TLS. None is for ever, here
            and below.
        first_byte_timeout: seconds from the request to the first byte of the body.
        idle_timeout: seconds between two reads after that.
        total_timeout: seconds for the whole call.
        max_connections: open at the same time, 0 is no limit.
        user_agent: sent unless the request has one.
        tls: for https; None trusts what the system trusts.
        resolver: of host names; None asks the system.

    Raises:
        ValueError: `base_url` is not an http or https URL, or has credentials in it.
    """

    def __init__(
        self,
        base_url: str,
        *,
        connect_timeout: float | None = 10.0,
        first_byte_timeout: float | None = 600.0,
        idle_timeout: float | None = 600.0,
        total_timeout: float | None = None,
        max_connections: int = 0,
        user_agent: str = DEFAULT_USER_AGENT,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        base = parse_base_url(base_url)
        self.base = base
        self._chat_url = (base / "chat" / "completions").with_query(base.query)
        self._models_url = (base / "models").with_query(base.query)
        self.peer = peer_of(base)
        self.timeouts = Timeouts(connect_timeout, first_byte_timeout, idle_timeout, total_timeout)
        self.session = KeptSession(
            self.timeouts, max_connections=max_connections, tls=tls, resolver=resolver
        )
        self._default_headers = {"user-agent": user_agent, "accept-encoding": _ACCEPT_ENCODING}

    def open(self, body: bytes, headers: Mapping[str, str]) -> "HttpCall":
        """See `Upstream.open`."""
        headers = {**self._default_headers, **headers, **_FIXED_HEADERS}
        return HttpCall(self, "POST", self._chat_url, body, headers)

    def list_models(self, headers: Mapping[str, str]) -> "HttpCall":
        """Get `/models` in the same way; errors are as for `open`."""
        return HttpCall(self, "GET", self._models_url, None, {**self._default_headers, **headers})

    async def aclose(self) -> None:
        """Close all connections; the answers of calls that are still open break off."""
        await self.session.aclose()


class HttpCall:
    """One call: entering sends it, leaving closes it. It is its own `UpstreamAnswer`."""

    status: int
    headers: Mapping[str, str]

    def __init__(
        self,
        upstream: HttpUpstream,
        method: str,
        url: URL,
        body: bytes | None,
        headers: Mapping[str, str],
    ) -> None:
        self._upstream = upstream
        self._method = method
        self._url = url
        self._body = body
        self._request_headers = headers

    async def __aenter__(self) -> Self:
        upstream = self._upstream
        try:
            self._response = await upstream.session.request(
                self._method, self._url, headers=self._request_headers, data=self._body
            )
        except RAISED as exc:
            raise error_before_headers(exc, upstream.peer, upstream.timeouts) from telling(exc)
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.headers.items()}
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._response.close()  # does nothing if the body was read: the connection is back in the pool

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """See `UpstreamAnswer.chunks`."""
        upstream, response = self._upstream, self._response
        begun = False
        read = response.content.readany  # the empty read is the end of the body, and only that
        try:
            data = await read()
            begun = True
            if upstream.timeouts.first_byte != upstream.timeouts.idle:
                response.limit_reads(upstream.timeouts.idle)
            while data:
                yield data
                data = await read()
            response.check_complete()
        except RAISED as exc:
            raise error_in_body(exc, upstream.peer, upstream.timeouts, begun=begun) from telling(
                exc
            )


def parse_base_url(base_url: str) -> URL:
    """Return the URL, with its path as it was written.

    Raises:
        ValueError: see `HttpUpstream`.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            "the base URL of an upstream must begin with http:// or https:// and a host"
        )
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials do not belong in a base URL: send an authorization header")
    return URL(base_url).with_fragment(None)


def peer_of(url: URL) -> str:
    """Return host and port, as error messages name a server."""
    return f"{url.host_subcomponent}:{url.port}"
