"""Every coding is undone whatever the borders of its chunks, and never by more than a piece.

Source: RFC 9110 §8.4.1, RFC 1950 to 1952, RFC 7932, RFC 8878, RFC 9659.
"""

import gzip
import sys
import zlib
from collections.abc import Iterable

import brotli
import pytest

from adapter.content_coding import CODINGS, MAX_MEMBERS, PIECE_BYTES, BrokenCodingError
from tests.asgi.compressed import COMPRESS, raw_deflate, wide_zstd, zstd

TEXT = bytes(range(256)) * 700  # several pieces
BOMB = b" " * 10_000_000


def undo(coding: str, chunks: Iterable[bytes]) -> bytes:
    """Return what the chunks hold, which must be complete and come in small pieces."""
    decoder = CODINGS[coding]()
    pieces = [piece for chunk in chunks for piece in decoder.feed(chunk)]
    assert decoder.is_complete
    assert all(0 < len(piece) <= 2 * PIECE_BYTES for piece in pieces)
    return b"".join(pieces)


@pytest.mark.parametrize("size", [1, 2, 7, 1000, 10**9])
@pytest.mark.parametrize("coding", CODINGS)
def test_body_is_decoded_whatever_its_chunks_are(coding: str, size: int) -> None:
    body = COMPRESS[coding](TEXT)

    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert undo(coding, chunks) == TEXT


@pytest.mark.parametrize("coding", CODINGS)
def test_empty_body_is_decoded(coding: str) -> None:
    assert undo(coding, [COMPRESS[coding](b""), b""]) == b""


@pytest.mark.parametrize("coding", CODINGS)
def test_small_body_that_is_large_inside_comes_in_pieces(coding: str) -> None:
    body = COMPRESS[coding](BOMB)
    decoder = CODINGS[coding]()

    first = next(iter(decoder.feed(body)))

    assert len(body) < len(BOMB) / 900
    assert len(first) <= 2 * PIECE_BYTES
    assert not decoder.is_complete


@pytest.mark.parametrize("size", [1, 3, 10**9])
def test_deflate_may_lack_its_header(size: int) -> None:
    body = raw_deflate(TEXT)

    chunks = [body[start : start + size] for start in range(0, len(body), size)]
    assert undo("deflate", chunks) == TEXT


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_members_follow_each_other(coding: str) -> None:
    one, two = COMPRESS[coding](b"one "), COMPRESS[coding](b"two")

    assert undo(coding, [one + two]) == b"one two"
    assert undo(coding, [one, two]) == b"one two"


@pytest.mark.parametrize(
    ("coding", "empty"), [("gzip", gzip.compress(b"")), ("zstd", zstd.compress(b""))]
)
def test_members_without_end_are_broken(coding: str, empty: bytes) -> None:
    decoder = CODINGS[coding]()

    assert list(decoder.feed(empty * MAX_MEMBERS)) == []
    with pytest.raises(BrokenCodingError):
        list(decoder.feed(empty))


def is_valid(coding: str, chunks: Iterable[bytes]) -> bool:
    decoder = CODINGS[coding]()
    try:
        for chunk in chunks:
            list(decoder.feed(chunk))
    except BrokenCodingError:
        return False
    return decoder.is_complete


BROKEN = [
    *(pytest.param(name, [b"{}" * 40], id=f"{name}: plain text") for name in CODINGS),
    *(
        pytest.param(name, [COMPRESS[name](TEXT)[:-20] + b"?" * 20], id=f"{name}: damaged")
        for name in ("gzip", "x-gzip", "deflate")
    ),
    pytest.param("gzip", [gzip.compress(b"a") + b"garbage"], id="gzip: garbage behind it"),
    pytest.param("deflate", [zlib.compress(b"a"), b"b"], id="deflate: more behind it"),
    pytest.param("br", [brotli.compress(b"a"), b"b"], id="br: more behind it"),
    pytest.param("zstd", [wide_zstd(BOMB)], id="zstd: too wide a window"),
]


@pytest.mark.parametrize(("coding", "chunks"), BROKEN)
def test_what_is_not_of_its_coding_is_broken_or_never_complete(
    coding: str, chunks: list[bytes]
) -> None:
    assert not is_valid(coding, chunks)


@pytest.mark.parametrize("coding", CODINGS)
def test_body_that_ends_too_early_is_not_complete(coding: str) -> None:
    decoder = CODINGS[coding]()

    for chunk in (b"", COMPRESS[coding](TEXT)[:-1]):
        list(decoder.feed(chunk))
        assert not decoder.is_complete


class OldBrotli:
    """As brotli before 1.2, which says all at once."""

    class Decompressor:
        def process(self, data: bytes) -> bytes:
            return data


def test_brotli_that_cannot_be_told_when_to_stop_is_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "brotli", OldBrotli)

    with pytest.raises(ModuleNotFoundError, match=r"1\.2"):
        CODINGS["br"]()


def test_other_library_is_taken_if_the_first_is_not_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "brotli", None)
    monkeypatch.setitem(sys.modules, "brotlicffi", brotli)

    assert undo("br", [brotli.compress(TEXT)]) == TEXT
