"""The body of a request, whole and as it was before it was compressed.

The limit holds for what is sent and for what comes of it, at every step: a body that grows beyond
it is refused at the piece that is too much.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from starlette.types import Receive

from adapter.asgi.http import ClientDisconnectedError
from adapter.content_coding import CODINGS, BrokenCodingError, Decoder
from adapter.deadline import Deadline
from adapter.errors import InvalidRequestError, TooLargeError

# For a body to come: whoever sends a byte now and then would hold a place for ever. It is enough for
# the largest body over a mobile network.
MAX_SECONDS = 300.0
MAX_CODINGS = 3  # one on top of the other; nobody has a reason for two


async def read_body(
    scope: Mapping[str, Any], receive: Receive, headers: Mapping[str, str], max_bytes: int
) -> bytes:
    """Return the whole request body, decoded.

    Args:
        scope: of the request.
        receive: of the request.
        headers: of the request, by lower-case name.
        max_bytes: the longest body to accept, as sent and as decoded.

    Raises:
        TooLargeError: it is longer than allowed.
        InvalidRequestError: its coding is not known here, or it is not what its coding says; or it
            takes too long.
        ClientDisconnectedError: the client went before it was complete.
    """
    decoding = None
    if "content-encoding" in headers:
        decoding = _Decoding(_codings(scope["headers"]), max_bytes)
    pieces: list[bytes] = []
    size = 0
    has_more = True
    try:
        with Deadline(MAX_SECONDS):
            while has_more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnectedError
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > max_bytes:
                    raise _too_large(max_bytes)
                pieces += [chunk] if decoding is None else decoding.feed(chunk)
                has_more = message.get("more_body", False)
    except TimeoutError as exc:
        raise _too_slow() from exc
    if decoding is not None:
        decoding.end()
    return b"".join(pieces)


class _Decoding:
    """Undoes all codings of one body, the last one first.

    Args:
        codings: their names, in the order in which they were applied; there may be none.
        max_bytes: what each of them may grow to.
    """

    def __init__(self, codings: list[str], max_bytes: int) -> None:
        self._steps = [(name, _new_decoder(name)) for name in reversed(codings)]
        self._sizes = [0] * len(self._steps)
        self._max_bytes = max_bytes

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield from self._feed(chunk, 0)

    def _feed(self, data: bytes, step: int) -> Iterator[bytes]:
        if step == len(self._steps):
            yield data
            return
        name, decoder = self._steps[step]
        try:
            for piece in decoder.feed(data):
                self._sizes[step] += len(piece)
                if self._sizes[step] > self._max_bytes:
                    raise _too_large(self._max_bytes, " when it is decoded")
                yield from self._feed(piece, step + 1)
        except BrokenCodingError as exc:
            raise _broken(name, "it cannot be decoded") from exc

    def end(self) -> None:
        for name, decoder in self._steps:
            if not decoder.is_complete:
                raise _broken(name, "it ends too early")


def _codings(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    values = [
        value.decode("latin-1") for name, value in headers if name.lower() == b"content-encoding"
    ]
    names = [name.strip().lower() for name in ",".join(values).split(",")]
    codings = [name for name in names if name and name != "identity"]
    if len(codings) > MAX_CODINGS:
        raise _unsupported(f"expected at most {MAX_CODINGS} codings, got {len(codings)}")
    return codings


def _new_decoder(name: str) -> Decoder:
    try:
        return CODINGS[name]()
    except KeyError:
        raise _unsupported(f"{name[:32]!r} is not known here") from None
    except ModuleNotFoundError as exc:
        raise _unsupported(
            f"{name!r} needs an extra of this server: pip install 'responses-adapter[compression]'"
        ) from exc


def _accepted() -> str:
    """Return the codings that can be undone, as `accept-encoding` lists them."""
    return ", ".join(name for name in CODINGS if not name.startswith("x-") and _is_there(name))


def _is_there(name: str) -> bool:
    try:
        CODINGS[name]()
    except ModuleNotFoundError:
        return False
    return True


def _unsupported(reason: str) -> InvalidRequestError:
    accepted = _accepted()
    return InvalidRequestError(
        f"Unsupported 'content-encoding': {reason}. Accepted: {accepted}.",
        status=415,
        code="unsupported_content_encoding",
        param="content-encoding",
        headers={"accept-encoding": accepted},  # RFC 9110 §15.5.16
    )


def _broken(name: str, reason: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"The request body is not valid {name}: {reason}.",
        code="invalid_content_encoding",
        param="content-encoding",
    )


def _too_large(max_bytes: int, when: str = "") -> TooLargeError:
    return TooLargeError(f"The request body is larger than the limit of {max_bytes} bytes{when}.")


def _too_slow() -> InvalidRequestError:
    return InvalidRequestError(
        f"The request body did not come within {MAX_SECONDS:g} s.",
        status=408,
        code="request_timeout",
        headers={"connection": "close"},
    )
