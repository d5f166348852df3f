"""Passes a request on to the upstream and its answer back, for every path that is not ours.

Both bodies stream with backpressure and are not looked into: compressed ones stay so, and trailers
are the only thing lost. A redirect is an answer like any other. What becomes of the headers and the
path is in `forwarding`.

As a sidecar stands in for its upstream, all end-to-end request headers are passed on, `authorization`
among them, but not `cookie`, `host`, `forwarded`, `x-real-ip` and `x-forwarded-*`; and all of the
answer's, but not `set-cookie`, `date`, `server`, `alt-svc` and `strict-transport-security`.
"""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Collection, Mapping

from starlette.types import Message, Receive, Scope, Send

from adapter.asgi.denial import deny_upgrade
from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.forwarding import answer_headers, request_headers, target_url, upload_length
from adapter.asgi.http import send_error
from adapter.asgi.slow_reader import SlowReader
from adapter.errors import AdapterError, MethodNotAllowedError
from adapter.observe.exchange import note_refusal, note_status
from adapter.upstream.aiohttp_faults import RAISED, error_before_headers, error_in_body, telling
from adapter.upstream.faults import Timeouts
from adapter.upstream.http import parse_base_url, peer_of
from adapter.upstream.session import KeptResponse, KeptSession

# CONNECT asks for a tunnel, and the answer to TRACE would show the client what we send upstream.
_REFUSED_METHODS = frozenset({"CONNECT", "TRACE"})
_BODILESS_STATUSES = frozenset({204, 304})


class Proxy:
    """An ASGI app that answers with what the upstream answers.

    Args:
        base_url: of the upstream's API, as for `HttpUpstream`; see `forwarding.target_url`.
        headers: to send with every request, in place of the client's of the same name: a key of
            the upstream's own, as `authorization`.
        forward_headers: names to pass on, either way, though they are withheld by default.
        connect_timeout: seconds for a connection; None is for ever, here and below.
        first_byte_timeout: seconds from the end of the request to the first byte of the body.
        idle_timeout: seconds between two reads of the body.
        total_timeout: seconds for everything.
        max_connections: open at the same time, 0 is no limit.
        slow_reader_timeout: seconds that a client may take to read; 0 is for ever.
        tls: for https; None trusts what the system trusts.

    Raises:
        ValueError: the base URL cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        forward_headers: Collection[str] = (),
        connect_timeout: float | None = 10.0,
        first_byte_timeout: float | None = 600.0,
        idle_timeout: float | None = 600.0,
        total_timeout: float | None = None,
        max_connections: int = 0,
        slow_reader_timeout: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._slow_reader_timeout = slow_reader_timeout
        self._base = parse_base_url(base_url)
        self._peer = peer_of(self._base)
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._forwarded = frozenset(name.lower().encode("latin-1") for name in forward_headers)
        self._timeouts = Timeouts(connect_timeout, first_byte_timeout, idle_timeout, total_timeout)
        self._session = KeptSession(
            self._timeouts, max_connections=max_connections, auto_decompress=False, tls=tls
        )

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._session.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on; a WebSocket is refused.

        Raises:
            UpstreamError: the answer broke off after it had begun. The server must close the
                connection, so that the client does not take the part for the whole.
        """
        if scope["type"] == "websocket":
            await deny_upgrade(scope, receive, send, status=404)
            return
        upload = Upload(receive)
        if not await upload.begin():
            return
        async with StopOnDisconnect(upload.receive_rest) as client:
            try:
                response = await self._request(scope, upload)
            except AdapterError as error:
                note_refusal(error)
                await send_error(send, error)
                return
            try:
                with SlowReader(self._slow_reader_timeout, client.drop) as reader:
                    await self._pass_back(response, reader.watched(send))
            finally:
                response.close()

    async def _request(self, scope: Scope, upload: "Upload") -> KeptResponse:
        method, url = _check_method(scope["method"]), target_url(self._base, scope)
        headers = request_headers(scope["headers"], self._forwarded, self._headers)
        if not upload.is_whole and (length := upload_length(scope["headers"])) is not None:
            headers.append(("content-length", length))
        data = upload.first or None if upload.is_whole else upload.chunks()
        try:
            return await self._session.request(method, url, headers=headers, data=data)
        except RAISED as exc:
            raise error_before_headers(exc, self._peer, self._timeouts) from telling(exc)

    async def _pass_back(self, response: KeptResponse, send: Send) -> None:
        headers = answer_headers(
            response.raw_headers,
            self._forwarded,
            has_length=response.status not in _BODILESS_STATUSES,
        )
        note_status(response.status)
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        async for chunk in self._body(response):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _body(self, response: KeptResponse) -> AsyncGenerator[bytes, None]:
        begun = False
        try:
            chunk = await response.content.readany()
            begun = True
            response.limit_reads(self._timeouts.idle)
            while chunk:
                yield chunk
                chunk = await response.content.readany()
            response.check_complete()
        except RAISED as exc:
            raise error_in_body(exc, self._peer, self._timeouts, begun=begun) from telling(exc)


class Upload:
    """The client's body on its way up, and after it what else the client says.

    One that came whole is sent as it is, and can be sent again if the kept connection is dead.
    """

    def __init__(self, receive: Receive) -> None:
        self.first = b""
        self.is_whole = False
        self._receive = receive
        self._over = asyncio.Event()
        self._client_gone = False

    async def begin(self) -> bool:
        """Receive the first part; return whether there is one, or the client has gone already."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            return False
        self.first = message.get("body", b"")
        self.is_whole = not message.get("more_body", False)
        if self.is_whole:
            self._over.set()
        return True

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the parts as they come."""
        if self.first:
            yield self.first
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._client_gone = True
                self._over.set()
                # Whoever reads `receive_rest` now cancels all this; to end here would make half
                # a body look whole.
                await asyncio.get_running_loop().create_future()
            more = message.get("more_body", False)
            if chunk := message.get("body", b""):
                yield chunk
        self._over.set()

    async def receive_rest(self) -> Message:
        """Receive what comes after the body: the disconnect."""
        await self._over.wait()
        return {"type": "http.disconnect"} if self._client_gone else await self._receive()


def _check_method(method: str) -> str:
    if method in _REFUSED_METHODS:
        raise MethodNotAllowedError(f"{method} requests are not passed on.")
    return method
