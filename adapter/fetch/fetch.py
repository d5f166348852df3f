"""Gets what a client named by URL: bounded in place, size, time and redirects.

A request carries nothing of ours and nothing of the client's: no cookies, credentials, referer or
proxy. Every fetch has its own session, so no connection outlives the check of its address, and its
sockets are made here, after that check (`guard`).

What failed inside is never told: a refused address, a closed port, a timeout and an error page all
give the same error, so that this cannot be used to look around in the network behind it. The log
has the kind of failure at debug level.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urljoin

import aiohttp
from aiohttp import ClientResponse
from aiohttp.abc import AbstractResolver
from yarl import URL

from adapter._version import __version__
from adapter.errors import InvalidRequestError
from adapter.fetch.base import ByteBudget, Fetched
from adapter.fetch.guard import RefusedUrlError, UrlPolicy, check_address, check_url
from adapter.fetch.lookups import Lookups

logger = logging.getLogger(__name__)

# Bytes of one file; OpenAI takes images of the same size.
MAX_BYTES: Final = 20 * 1024 * 1024

# RFC 9110 §15.4: those that say where to GET the same thing.
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

# `identity`, because pictures are compressed already, and a body of 20 KB can decompress to 20 MB.
# What is compressed in spite of it is refused, not decoded.
_HEADERS: Final[Mapping[str, str]] = {
    "user-agent": f"responses-adapter/{__version__}",
    "accept": "*/*",
    "accept-encoding": "identity",
}

# What a request or a read can raise. RuntimeError: aiohttp's "Connection closed.", and uvloop.
# ValueError: host names that IDNA refuses (UnicodeError), headers that cannot be read.
_RAISED: Final = (aiohttp.ClientError, OSError, RuntimeError, ValueError)


class _FetchFailedError(Exception):
    """An answer that is of no use; says why, for the log."""


class _TooLargeError(Exception):
    """A body over a limit; says which."""


class Fetcher:
    """Gets URLs. It keeps no connections; threads that look up names stay until `aclose`.

    Args:
        policy: what may be fetched; by default, https from public addresses.
        max_bytes: of one body.
        timeout_seconds: for one `get`, redirects included.
        resolver: of host names; None asks the system.
        tls: for https; None trusts what the system trusts.
    """

    def __init__(
        self,
        policy: UrlPolicy | None = None,
        *,
        max_bytes: int = MAX_BYTES,
        timeout_seconds: float = 10.0,
        resolver: AbstractResolver | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy or UrlPolicy()
        self.max_bytes = max_bytes
        self.timeout_seconds = timeout_seconds
        self._resolver = resolver or Lookups()
        self._tls = tls

    async def get(self, url: str, *, param: str, budget: ByteBudget | None = None) -> Fetched:
        """See `Fetches.get`."""
        try:
            target = check_url(url, self.policy)
            async with asyncio.timeout(self.timeout_seconds), self._session() as session:
                return await self._follow(session, target, budget)
        except RefusedUrlError as exc:
            raise _refused(str(exc), param) from exc
        except _TooLargeError as exc:
            raise _too_large(str(exc), param) from exc
        except (_FetchFailedError, *_RAISED) as exc:
            # Without its cause, which quotes the URL, and with it keys in its query.
            logger.debug("a fetch for a client failed: %s", _kind(exc))
            raise self._failed(param) from None

    async def aclose(self) -> None:
        """Stop looking up names."""
        await self._resolver.close()

    async def _follow(
        self, session: aiohttp.ClientSession, url: URL, budget: ByteBudget | None
    ) -> Fetched:
        for _ in range(self.policy.max_redirects + 1):
            async with session.get(url, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await self._read(response, budget)
                url = self._redirected(url, response.headers.get("location"))
        raise _FetchFailedError("too many redirects")

    def _redirected(self, url: URL, location: str | None) -> URL:
        if location is None:
            raise _FetchFailedError("a redirect to nowhere")
        try:
            return check_url(_join(url, location), self.policy)
        except RefusedUrlError as exc:
            raise _FetchFailedError("a redirect to a refused URL") from exc

    async def _read(self, response: ClientResponse, budget: ByteBudget | None) -> Fetched:
        if response.status != 200:
            raise _FetchFailedError(f"status {response.status}")
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise _FetchFailedError("a compressed body")
        size = response.content_length or 0
        self._check_size(size)
        if budget is not None and size > budget.left:
            raise _TooLargeError("what one request may fetch")
        chunks: list[bytes] = []
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            self._check_size(size)
            if budget is not None and not budget.spend(len(chunk)):
                raise _TooLargeError("what one request may fetch")
            chunks.append(chunk)
        return Fetched(response.headers.get("content-type", ""), b"".join(chunks))

    def _check_size(self, size: int) -> None:
        if size > self.max_bytes:
            raise _TooLargeError(f"{self.max_bytes} bytes")

    def _session(self) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            resolver=self._resolver,
            use_dns_cache=False,
            force_close=True,
            ssl=True if self._tls is None else self._tls,
            socket_factory=self._open_socket,
        )
        return aiohttp.ClientSession(
            connector=connector,
            headers=_HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None),  # `get` has one for everything
            auto_decompress=False,
            trust_env=False,  # neither netrc nor a proxy, which would look names up by itself
        )

    def _open_socket(self, info: tuple[int, int, int, str, tuple[Any, ...]]) -> socket.socket:
        """Return a socket to connect to this very address, once it is checked.

        Every connection begins here: hosts that are addresses never see a resolver.
        """
        family, kind, protocol, _, address = info
        check_address(str(address[0]), self.policy)
        return socket.socket(family, kind, protocol)

    def _failed(self, param: str) -> InvalidRequestError:
        return InvalidRequestError(
            f"Failed to download '{param}'. It must be public and answer within "
            f"{self.timeout_seconds:g} s; otherwise send its content as a data URL.",
            code="failed_to_download_image",
            param=param,
        )


def _join(url: URL, location: str) -> str:
    """Return where a `location` header points, or itself if it is no reference.

    The standard library drops tabs and line breaks, which no header should smuggle past the check.
    """
    return urljoin(str(url), location) if location.isprintable() else location


def _refused(reason: str, param: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid '{param}': the URL {reason}.", code="invalid_image_url", param=param
    )


def _too_large(limit: str, param: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Failed to download '{param}': it is larger than {limit}.",
        code="image_file_too_large",
        param=param,
    )


def _kind(exc: Exception) -> str:
    if isinstance(exc, _FetchFailedError):
        return str(exc)
    cause = getattr(exc, "os_error", exc)  # what aiohttp's connector wraps
    return type(cause).__name__
