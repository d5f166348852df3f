"""Which fault each exception of aiohttp means."""

from typing import Final

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError

from adapter.errors import UpstreamError
from adapter.upstream import faults
from adapter.upstream.faults import Fault, Timeouts

# What a request or a read can raise. RuntimeError: aiohttp's "Connection closed." when a read finds
# it gone. ValueError: a header or URL that aiohttp refuses to send, and host names that IDNA does
# (UnicodeError).
RAISED: Final = (aiohttp.ClientError, OSError, TimeoutError, RuntimeError, ValueError)

# First match wins, so what is special comes first.
_BEFORE_HEADERS: Final[tuple[tuple[type[BaseException], Fault], ...]] = (
    (aiohttp.ConnectionTimeoutError, faults.CONNECT_TIMEOUT),
    (aiohttp.SocketTimeoutError, faults.FIRST_BYTE_TIMEOUT),
    (TimeoutError, faults.TOTAL_TIMEOUT),
    (aiohttp.ClientConnectorDNSError, faults.NAME_UNKNOWN),
    (UnicodeError, faults.NAME_UNKNOWN),
    (aiohttp.ClientSSLError, faults.TLS_FAILED),
    (aiohttp.ServerFingerprintMismatch, faults.TLS_FAILED),
    (aiohttp.ClientConnectorError, faults.UNREACHABLE),
    (aiohttp.ClientResponseError, faults.NOT_HTTP),
    (ValueError, faults.CANNOT_SEND),
    (Exception, faults.NO_ANSWER),
)
_IN_BODY: Final[tuple[tuple[type[BaseException], Fault], ...]] = (
    (aiohttp.SocketTimeoutError, faults.IDLE_TIMEOUT),
    (TimeoutError, faults.TOTAL_TIMEOUT),
    (ContentEncodingError, faults.UNDECODABLE),
    (Exception, faults.BROKEN_OFF),
)


def error_before_headers(exc: BaseException, peer: str, timeouts: Timeouts) -> UpstreamError:
    """Return what it means that a request raised `exc`."""
    return _error(_BEFORE_HEADERS, exc, peer, timeouts)


def error_in_body(
    exc: BaseException, peer: str, timeouts: Timeouts, *, begun: bool
) -> UpstreamError:
    """Return what it means that reading a body raised `exc`, be it `begun` or not a byte of it come."""
    if not begun and isinstance(exc, aiohttp.SocketTimeoutError):
        return faults.FIRST_BYTE_TIMEOUT.error(peer, _seconds(timeouts.first_byte))
    if isinstance(exc, aiohttp.ClientPayloadError) and exc.__cause__ is not None:
        exc = exc.__cause__  # aiohttp's parser wraps what was wrong
    return _error(_IN_BODY, exc, peer, timeouts)


def telling(exc: BaseException) -> BaseException:
    """Return what to raise `from`: the cause, if there is one.

    aiohttp's own exceptions quote URLs, whose query may hold a key, and `ClientResponseError` holds
    the request headers; what they wrap says what happened and has neither.
    """
    return exc.__cause__ or exc


def _error(
    rows: tuple[tuple[type[BaseException], Fault], ...],
    exc: BaseException,
    peer: str,
    timeouts: Timeouts,
) -> UpstreamError:
    fault = next(fault for kind, fault in rows if isinstance(exc, kind))
    limits = {
        faults.CONNECT_TIMEOUT: timeouts.connect,
        faults.FIRST_BYTE_TIMEOUT: timeouts.first_byte,
        faults.IDLE_TIMEOUT: timeouts.idle,
        faults.TOTAL_TIMEOUT: timeouts.total,
    }
    detail = _seconds(limits[fault]) if fault in limits else _reason(exc)
    return fault.error(peer, detail)


def _seconds(limit: float | None) -> str:
    return f"{limit:g}" if limit is not None else "?"


def _reason(exc: BaseException) -> str:
    """Return the system's word for it: texts of aiohttp may quote URLs and what was received."""
    cause = getattr(exc, "os_error", exc)
    while cause.__cause__ is not None:  # what a parser or resolver raised has the telling name
        cause = cause.__cause__
    for name in ("verify_message", "reason", "strerror"):  # of TLS and Unicode, TLS, the system
        if text := getattr(cause, name, None):
            return str(text)
    return type(cause).__name__
