"""One kept `aiohttp` session, as a model server wants it: what `http` and the proxy share.

aiohttp's C parser costs a tenth of what httpx2's own transport does (`performance.md` has the
figures); this module is all that configures it. It does not know what is asked or answered.
"""

import asyncio
import ssl
from collections.abc import AsyncIterable, Mapping
from functools import partial
from typing import Any, Final
from weakref import ref

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from adapter.upstream.faults import Timeouts

# Seconds that an unused connection is kept for the next request. Below the 60 s after which AWS's
# load balancers drop idle connections, some of them in silence. uvicorn (so vLLM and SGLang),
# llama.cpp and node close after 5 s: they say so, and a request that meets their FIN on the way
# is sent again (see `KeptResponse`), so there is no need to give up reuse that early.
KEEPALIVE_SECONDS: Final = 55.0

# Bytes that a stream may buffer before its socket is no longer read (aiohttp allows the double).
# aiohttp's own 256 KiB costs more memory per slow reader and is no faster: 0.97 µs per delta in a
# burst, against 0.88 with 64 KiB (CPython 3.11, aiohttp 3.14.5, uvloop).
READ_BUFFER_BYTES: Final = 64 * 1024

# Limit of a status line and of one header, in bytes: that of node and h11. aiohttp's 8190 is less
# than hosted servers need for a content security policy or a set of cookies.
MAX_HEADER_BYTES: Final = 16 * 1024

# How long a name resolves to the same addresses, in seconds: aiohttp's default. Long enough to
# spare a burst of connections the lookups, short enough for a server that moves.
DNS_CACHE_SECONDS: Final = 10

# Headers that aiohttp would make up; what is not given is not sent.
_MADE_UP = ("accept", "accept-encoding", "content-type", "user-agent")

# Where a protocol object of aiohttp, which is one connection, keeps what we know about it.
_LAST_RESPONSE: Final = "adapter_last_response"

_DISCONNECTS: Final = (
    aiohttp.ServerDisconnectedError,
    aiohttp.ClientOSError,
    aiohttp.ClientConnectionResetError,
)


class StaleConnectionError(aiohttp.ServerDisconnectedError):
    """A kept connection turned out to be closed before a byte of the answer came."""


class KeptSession:
    """Makes the session in the running loop when it is first needed, and anew after `aclose`.

    Args:
        timeouts: of every request.
        max_connections: open at the same time; 0 is no limit. More requests wait for a connection
            as long as `timeouts.connect` allows.
        auto_decompress: whether bodies are decoded, or come as they were sent.
        tls: for https; None trusts what the system trusts.
        resolver: of host names; None asks the system.
    """

    def __init__(
        self,
        timeouts: Timeouts,
        *,
        max_connections: int = 0,
        auto_decompress: bool = True,
        tls: ssl.SSLContext | None = None,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._timeouts = timeouts
        self._max_connections = max_connections
        self._auto_decompress = auto_decompress
        self._tls = tls
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    async def request(
        self,
        method: str,
        url: URL,
        *,
        headers: Mapping[str, str] | list[tuple[str, str]],
        data: bytes | AsyncIterable[bytes] | None,
    ) -> "KeptResponse":
        """Send a request and return the answer once its headers are here; redirects are answers.

        Raises:
            aiohttp.ClientError, OSError, TimeoutError, ValueError: `aiohttp_faults` reads them.
        """
        session = self._current()
        options: dict[str, Any] = {"headers": headers, "data": data, "allow_redirects": False}
        try:
            response = await session.request(method, url, **options)
        except StaleConnectionError:
            # aiohttp sends only idempotent methods again (RFC 9110 §9.2.2). No byte of an answer
            # came on a connection that had served before: the server had closed it (RFC 9112
            # §9.3.1). A body that was being streamed is gone; and once is enough, as the FINs of
            # other idle connections have come by now.
            if not isinstance(data, bytes | None):
                raise
            response = await session.request(method, url, **options)
        assert isinstance(response, KeptResponse)  # `response_class` makes it so
        return response

    async def aclose(self) -> None:
        """Close all connections; answers that are still being read break off."""
        session, self._session = self._session, None
        if session is not None and self._loop is asyncio.get_running_loop():
            await session.close()
        elif session is not None:
            session.detach()

    def _current(self) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is loop:
            return self._session
        if self._session is not None:
            # That loop is gone, as after each request of a Starlette TestClient that is not used
            # as a context manager: its sockets can be neither used nor closed.
            self._session.detach()
        self._loop = loop
        self._session = self._make()
        return self._session

    def _make(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit=self._max_connections,
            keepalive_timeout=KEEPALIVE_SECONDS,
            ttl_dns_cache=DNS_CACHE_SECONDS,
            ssl=True if self._tls is None else self._tls,
            resolver=self._resolver,
        )
        timeouts = self._timeouts
        return aiohttp.ClientSession(
            connector=connector,
            response_class=KeptResponse,
            # `connect`, and not `sock_connect`, because only it covers DNS and the wait for the
            # pool. `sock_read` also covers the wait for the headers.
            timeout=aiohttp.ClientTimeout(
                connect=timeouts.connect, sock_read=timeouts.first_byte, total=timeouts.total
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=self._auto_decompress,
            skip_auto_headers=_MADE_UP,
            trust_env=False,
            raise_for_status=False,
            read_bufsize=READ_BUFFER_BYTES,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
        )


class KeptResponse(aiohttp.ClientResponse):
    """Knows its connection, for what aiohttp leaves unsaid about it.

    - Whether a disconnect is that of a stale connection (aiohttp's traces would tell of reuse, but
      cost 14 µs a request, this 1).
    - That the connection is lost in the middle of the body. aiohttp 3.14.5 does not tell the reader
      of a malformed chunk, nor of the closing of the session, and stops its idle timer: the reader
      would wait for ever.
    - That a body without framing ended in a reset.
    """

    _used_protocol: ResponseHandler

    async def start(self, connection: Any) -> aiohttp.ClientResponse:  # its type is not exported
        protocol: ResponseHandler = connection.protocol
        self._used_protocol = protocol
        marks = vars(protocol)
        used = _LAST_RESPONSE in marks
        marks[_LAST_RESPONSE] = ref(self)
        if not used and protocol.closed is not None:
            protocol.closed.add_done_callback(partial(_tell_reader, protocol))
        try:
            return await super().start(connection)
        except _DISCONNECTS as exc:
            # A disconnect within the headers carries the half-read message in place of a text.
            if used and isinstance(getattr(exc, "message", ""), str):
                raise StaleConnectionError from exc
            raise

    def check_complete(self) -> None:
        """Raise if what looked like the end of the body was a reset.

        aiohttp ends a body without a length and without chunks at either, and keeps the difference
        to the protocol. Other bodies raise by themselves, and their connection may by now serve
        another request.

        Raises:
            aiohttp.ClientOSError: the connection broke.
        """
        if "content-length" in self.headers or "transfer-encoding" in self.headers:
            return
        exc = self._used_protocol.exception()
        if isinstance(exc, OSError):
            raise exc

    def limit_reads(self, seconds: float | None) -> None:
        """Limit the time between two reads from now on; aiohttp knows one limit per request."""
        if not self.closed:  # else the body is complete
            self._used_protocol.read_timeout = seconds
            self._used_protocol.start_timeout()


def _tell_reader(protocol: ResponseHandler, closed: "asyncio.Future[None]") -> None:
    """End the reading of the response that this lost connection was serving."""
    closed.exception()  # asyncio complains about those that nobody looks at
    response: KeptResponse | None = vars(protocol)[_LAST_RESPONSE]()
    content = response.content if response is not None else None
    if content is None or content.is_eof() or content.exception() is not None:
        return
    error = aiohttp.ClientPayloadError("the connection was lost in the middle of the body")
    error.__cause__ = protocol.exception()
    content.set_exception(error)
