"""A model server over HTTP: the default `Upstream`.

It posts, hands on what comes, and says what went wrong. It does not look into bodies, and sends a
request again only when a kept connection turned out to be dead.

A call has one timer, which looks when it fires how long the call has been waiting: nothing is timed
per read.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import httptools
from yarl import URL

from adapter._version import __version__
from adapter.content_coding import CODINGS, BrokenCodingError, Decoder
from adapter.errors import UpstreamError
from adapter.upstream import faults
from adapter.upstream.base import path_under
from adapter.upstream.connection import Connection, StaleConnectionError
from adapter.upstream.faults import Timeouts
from adapter.upstream.pool import Pool, Resolve, reason_of

DEFAULT_USER_AGENT: Final = f"responses-adapter/{__version__}"

# Both types, because errors and whole completions are JSON, and a server that negotiates (Spring)
# answers 406 if it may not send that. `identity`, because compressing holds deltas back and costs
# CPU on both sides; what is compressed in spite of it is decoded.
_FIXED_HEADERS: Final = {
    "content-type": "application/json",
    "accept": "text/event-stream, application/json",
}
_ACCEPT_ENCODING: Final = "identity"

# How a message is framed, and what becomes of the connection, is not for callers to say.
_FRAMING: Final = frozenset(
    {"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)

# What a connection raises: RFC 9112 not followed, or the system's word.
_NOT_HTTP: Final = (httptools.HttpParserError, httptools.HttpParserUpgrade)
_RAISED: Final = (*_NOT_HTTP, OSError, EOFError)


class HttpUpstream:
    """A server at a base URL, over connections that are kept.

    Args:
        base_url: such as `http://127.0.0.1:8000/v1`; `/chat/completions` is appended. A query is
            kept (Azure's `?api-version=`); credentials belong in the request headers.
        connect_timeout: seconds for a connection: pool, DNS, TCP and TLS. None is for ever, here
            and below.
        first_byte_timeout: seconds from the request to the first byte of the body.
        idle_timeout: seconds between two reads after that.
        total_timeout: seconds from the request to the end of the body.
        max_connections: open at the same time, 0 is no limit.
        user_agent: sent unless the request has one.
        tls: for https; None trusts what the system trusts.
        resolve: looks host names up; None asks the system.

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
        resolve: Resolve | None = None,
    ) -> None:
        base = parse_base_url(base_url)
        self.base = base
        self._chat_line = _request_line("POST", base / "chat" / "completions", base)
        self._models_line = _request_line("GET", base / "models", base)
        self.peer = peer_of(base)
        self.timeouts = Timeouts(connect_timeout, first_byte_timeout, idle_timeout, total_timeout)
        self._max_connections = max_connections
        self._tls = tls
        self._resolve = resolve
        self._pool: Pool | None = None
        self._default_headers = {
            "host": base.host_port_subcomponent or "",
            "user-agent": user_agent,
            "accept-encoding": _ACCEPT_ENCODING,
        }

    def open(self, body: bytes, headers: Mapping[str, str]) -> "HttpCall":
        """See `Upstream.open`."""
        headers = {**self._default_headers, **headers, **_FIXED_HEADERS}
        return HttpCall(self, self._chat_line, headers, body)

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> "HttpCall":
        """See `Poster.post`."""
        headers = {**self._default_headers, **headers, **_FIXED_HEADERS}
        url = self.base.with_path(path_under(self.base.raw_path, path), encoded=True)
        return HttpCall(self, _request_line("POST", url, self.base), headers, body)

    def list_models(self, headers: Mapping[str, str]) -> "HttpCall":
        """Get `/models` in the same way; errors are as for `open`."""
        return HttpCall(self, self._models_line, {**self._default_headers, **headers}, None)

    async def aclose(self) -> None:
        """Close all connections; the answers of calls that are still open break off."""
        pool, self._pool = self._pool, None
        if pool is not None and pool.loop is asyncio.get_running_loop():
            pool.close()
            await asyncio.sleep(0)  # the loop closes sockets in its next turn

    def pool(self) -> Pool:
        """Return the connections of the running loop.

        Those of another one are gone with it, as after each request of a Starlette TestClient that
        is not used as a context manager: they can be neither used nor closed.
        """
        pool = self._pool
        if pool is None or pool.loop is not asyncio.get_running_loop():
            pool = self._pool = Pool(
                self.base,
                self.peer,
                self.timeouts.connect,
                max_connections=self._max_connections,
                tls=self._tls,
                resolve=self._resolve,
            )
        return pool


class HttpCall:
    """One call: entering sends it, leaving closes it. It is its own `UpstreamAnswer`."""

    status: int
    headers: Mapping[str, str]
    _connection: Connection

    def __init__(
        self, upstream: HttpUpstream, line: str, headers: Mapping[str, str], body: bytes | None
    ) -> None:
        self._upstream = upstream
        self._line = line
        self._request_headers = headers
        self._body = body
        self._has_begun = False
        self._silence_timer: asyncio.TimerHandle | None = None
        self._total_timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        peer = self._upstream.peer
        try:
            request = _request_bytes(self._line, self._request_headers, self._body)
        except ValueError as exc:
            raise faults.CANNOT_SEND.error(peer, reason_of(exc)) from exc
        pool = self._pool = self._upstream.pool()
        try:
            await self._ask(await pool.take(), request)
        except StaleConnectionError:
            # No byte of an answer came on a connection that had served before: the server had
            # closed it (RFC 9112 §9.3.1). Others that were kept may be as dead, a new one is not.
            await self._ask_anew(pool, request)
        # What was sent need not stay for as long as the answer takes.
        self._body, self._request_headers = None, {}
        self.status = self._connection.status
        self.headers = self._connection.headers
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._leave()

    @property
    def is_read(self) -> bool:
        """See `UpstreamAnswer`."""
        return self._connection.is_read

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """See `UpstreamAnswer.chunks`."""
        read = self._connection.read
        try:
            data = await read()
            self._begin()
            if "content-encoding" not in self.headers:
                while data:
                    yield data
                    data = await read()
            elif data:
                async with aclosing(self._decoded(data)) as pieces:
                    async for piece in pieces:
                        yield piece
        except BrokenCodingError as exc:
            raise self._undecodable() from exc
        except _RAISED as exc:
            raise faults.BROKEN_OFF.error(self._upstream.peer, reason_of(exc)) from exc

    async def _ask_anew(self, pool: Pool, request: bytes) -> None:
        try:
            await self._ask(await pool.take(fresh=True), request)
        except StaleConnectionError as exc:  # closed before the request was written
            raise faults.NO_ANSWER.error(self._upstream.peer, "closed at once") from exc

    async def _ask(self, connection: Connection, request: bytes) -> None:
        """Send the request over a connection, which is given back if there is no answer."""
        self._connection = connection
        self._set_timers()
        try:
            await connection.ask(request)
        except BaseException as exc:
            self._leave()
            if isinstance(exc, StaleConnectionError) or not isinstance(exc, _RAISED):
                raise
            fault = faults.NOT_HTTP if isinstance(exc, _NOT_HTTP) else faults.NO_ANSWER
            raise fault.error(self._upstream.peer, reason_of(exc)) from exc

    def _leave(self) -> None:
        if self._silence_timer is not None:
            self._silence_timer.cancel()
        if self._total_timer is not None:
            self._total_timer.cancel()
        self._pool.give_back(self._connection)

    async def _decoded(self, data: bytes) -> AsyncGenerator[bytes, None]:
        decoder = _new_decoder(self.headers["content-encoding"])
        while data:
            for piece in [data] if decoder is None else decoder.feed(data):
                yield piece
            data = await self._connection.read()
        if decoder is not None and not decoder.is_complete:
            raise BrokenCodingError

    def _undecodable(self) -> UpstreamError:
        coding = self.headers["content-encoding"]
        return faults.UNDECODABLE.error(self._upstream.peer, coding[:32])

    # How long to wait

    def _set_timers(self) -> None:
        call_later, timeouts = self._pool.loop.call_later, self._upstream.timeouts
        if timeouts.first_byte:
            self._silence_timer = call_later(timeouts.first_byte, self._check_silence)
        if timeouts.total:
            self._total_timer = call_later(timeouts.total, self._end_in_time)

    def _begin(self) -> None:
        """Let the other limit hold from now on; where it is the same, the timer can stay."""
        self._has_begun = True
        timeouts = self._upstream.timeouts
        if timeouts.idle != timeouts.first_byte:
            if self._silence_timer is not None:
                self._silence_timer.cancel()
            if timeouts.idle:
                self._silence_timer = self._pool.loop.call_later(timeouts.idle, self._check_silence)

    def _check_silence(self) -> None:
        timeouts = self._upstream.timeouts
        fault = faults.IDLE_TIMEOUT if self._has_begun else faults.FIRST_BYTE_TIMEOUT
        limit = timeouts.idle if self._has_begun else timeouts.first_byte
        assert limit is not None, "only a limit sets the timer"
        left = limit - self._connection.seconds_waited()
        if left > 0:
            self._silence_timer = self._pool.loop.call_later(left, self._check_silence)
        else:
            self._connection.break_off(fault.error(self._upstream.peer, f"{limit:g}"))

    def _end_in_time(self) -> None:
        error = faults.TOTAL_TIMEOUT.error(
            self._upstream.peer, f"{self._upstream.timeouts.total:g}"
        )
        self._connection.break_off(error)


def _new_decoder(coding: str) -> Decoder | None:
    """Return what undoes a coding, or None where there is nothing to undo.

    Raises:
        BrokenCodingError: nothing here does.
    """
    coding = coding.strip().lower()
    try:
        return None if coding in ("", "identity") else CODINGS[coding]()
    except (KeyError, ModuleNotFoundError) as exc:
        raise BrokenCodingError from exc


def _request_line(method: str, url: URL, base: URL) -> str:
    return f"{method} {url.with_query(base.query).raw_path_qs} HTTP/1.1"


def _request_bytes(line: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """Return the request as it is sent.

    Raises:
        ValueError: a header would split it.
    """
    if not _FRAMING.isdisjoint(headers):
        headers = {name: headers[name] for name in headers if name not in _FRAMING}
    lines = [line, *map(": ".join, headers.items())]
    if body is not None:
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join(lines)
    ends = len(lines) - 1
    if head.count("\r") != ends or head.count("\n") != ends or "\0" in head:
        raise ValueError("a line end in a header")
    return b"%b\r\n\r\n%b" % (_encode(head), body or b"")


def _encode(head: str) -> bytes:
    """Return the bytes that a client sent: servers read them as Latin-1. Others write UTF-8."""
    try:
        return head.encode("latin-1")
    except UnicodeEncodeError:
        return head.encode("utf-8", "replace")


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
    if parts.path.rstrip("/").endswith("/chat/completions"):
        raise ValueError("leave /chat/completions off the base URL of an upstream: it is appended")
    if parts.username is not None or parts.password is not None:
        raise ValueError("credentials do not belong in a base URL: send an authorization header")
    return URL(base_url).with_fragment(None)


def peer_of(url: URL) -> str:
    """Return host and port, as error messages name a server."""
    return f"{url.host_subcomponent}:{url.port}"
