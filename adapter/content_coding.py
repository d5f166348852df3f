"""Compressed bodies, undone piece by piece, so that a small one cannot become a large one.

gzip and deflate come with Python; br and zstd are the extra `compression`. A decoder hands out
pieces of bounded size, and is asked for the next one only when there is room for it.

Source: RFC 9110 §8.4.1 (codings), RFC 1950 to 1952, RFC 7932, RFC 8878 and RFC 9659 (a zstd window
of at most 8 MB).
"""

import zlib
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, Protocol

PIECE_BYTES = 64 * 1024
MAX_MEMBERS = 256  # of one body: each costs a decoder; all writers but the parallel ones make one
_ZSTD_WINDOW_LOG = 23  # 8 MB


class BrokenCodingError(ValueError):
    """The bytes are not what their coding says."""


class Decoder(Protocol):
    """Undoes one coding of one body."""

    @property
    def is_complete(self) -> bool:
        """Whether the end of what was encoded has been reached."""
        ...

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what the next bytes hold, in pieces.

        Raises:
            BrokenCodingError: they are not what they should be.
        """
        ...


class _Members:
    """A coding that is a sequence of members, such as gzip and zstd.

    Args:
        new_member: makes the decoder of one member: with `decompress(data, max_length)`, `eof` and
            `unused_data`, as those of the standard library.
        errors: what it raises.
    """

    def __init__(self, new_member: Callable[[], Any], *errors: type[Exception]) -> None:
        self._new_member = new_member
        self._member: Any = None
        self._members = 0
        self._errors = errors

    @property
    def is_complete(self) -> bool:
        return self._members > 0 and self._member is None

    def feed(self, data: bytes) -> Iterator[bytes]:
        # What a member leaves over is copied, so it gets little at a time.
        for start in range(0, len(data), PIECE_BYTES):
            yield from self._feed(data[start : start + PIECE_BYTES])

    def _feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            member = self._member = self._member or self._begin()
            yield from self._read(member, data)
            data = member.unused_data
            self._member = None if member.eof else member

    def _begin(self) -> Any:
        self._members += 1
        if self._members > MAX_MEMBERS:
            raise BrokenCodingError
        return self._new_member()

    def _read(self, member: Any, data: bytes) -> Iterator[bytes]:
        try:
            piece = member.decompress(data, PIECE_BYTES)
            while piece:
                yield piece
                if member.eof:
                    return
                piece = member.decompress(getattr(member, "unconsumed_tail", b""), PIECE_BYTES)
        except self._errors as exc:
            raise BrokenCodingError from exc


class _Deflate:
    """`deflate`: with the header of zlib, as it should be, or without one, as some send it."""

    def __init__(self) -> None:
        self._start = b""
        self._members: _Members | None = None

    @property
    def is_complete(self) -> bool:
        return self._members is not None and self._members.is_complete

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self.is_complete and data:
            raise BrokenCodingError  # there is one member only
        self._start += data
        if self._members is None:
            if len(self._start) < 2:
                return
            first, second = self._start[:2]
            has_header = first & 0x0F == zlib.DEFLATED and (first << 8 | second) % 31 == 0
            window = zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
            self._members = _Members(lambda: zlib.decompressobj(window), zlib.error)
        data, self._start = self._start, b""
        yield from self._members.feed(data)


class _Brotli:
    """`br`, which has no members."""

    def __init__(self, library: Any) -> None:
        self._library = library
        self._decoder = library.Decompressor()

    @property
    def is_complete(self) -> bool:
        return bool(self._decoder.is_finished())

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not data:
            return
        if self.is_complete:
            raise BrokenCodingError
        try:
            piece = self._decoder.process(data, output_buffer_limit=PIECE_BYTES)
            while piece:
                yield piece
                if self.is_complete:
                    return
                piece = self._decoder.process(b"", output_buffer_limit=PIECE_BYTES)
        except self._library.error as exc:
            raise BrokenCodingError from exc


def _gzip() -> Decoder:
    return _Members(lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), zlib.error)


def _brotli() -> Decoder:
    library = _first_of("brotli", "brotlicffi")
    if not hasattr(library.Decompressor, "can_accept_more_data"):
        raise ModuleNotFoundError("brotli before 1.2 cannot be told when to stop (CVE-2025-6176)")
    return _Brotli(library)


def _zstd() -> Decoder:
    library = _first_of("compression.zstd", "backports.zstd")  # the former from Python 3.14 on
    options = {library.DecompressionParameter.window_log_max: _ZSTD_WINDOW_LOG}
    return _Members(lambda: library.ZstdDecompressor(options=options), library.ZstdError)


def _first_of(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ModuleNotFoundError:
            pass
    raise ModuleNotFoundError(f"none of {', '.join(names)} is installed")


CODINGS: dict[str, Callable[[], Decoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
    "br": _brotli,
    "zstd": _zstd,
}
