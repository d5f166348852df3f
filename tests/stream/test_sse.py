"""Server-sent events are read as the standard says, wherever the bytes are cut."""

import pytest

from adapter.stream.sse import SSEReader

# (name, the stream, the data of its events)
STREAMS = [
    ("nothing", b"", []),
    ("one event", b"data: a\n\n", [b"a"]),
    ("two events", b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
    ("no space behind the colon", b"data:a\n\n", [b"a"]),
    ("only the first space is left out", b"data:  a \n\n", [b" a "]),
    ("CR LF", b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
    ("CR", b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
    ("CR LF closed by LF", b"data: a\r\n\ndata: b\n\n", [b"a", b"b"]),
    ("LF closed by CR LF", b"data: a\n\r\ndata: b\r\r\n", [b"a", b"b"]),
    ("CR LF inside an event", b"data: a\r\ndata: b\r\n\r\n", [b"a\nb"]),
    ("several data lines", b"data: a\ndata: b\n\n", [b"a\nb"]),
    ("a data line that is empty", b"data: a\ndata\ndata:\ndata: b\n\n", [b"a\n\nb"]),
    ("other fields", b"event: ping\nid: 7\nretry: 10\ndata: a\nfoo\n\n", [b"a"]),
    ("comments", b": OPENROUTER PROCESSING\n\n:\n\ndata: a\n: b\n\n", [b"a"]),
    ("only a comment", b":\n\n", []),
    ("data without anything", b"data:\n\ndata: \n\ndata\n\ndata: a\n\n", [b"a"]),
    ("more blank lines", b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", [b"a", b"b"]),
    ("a BOM", b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
    ("only a BOM", b"\xef\xbb\xbf", []),
    ("half a BOM", b"\xef\xbb", []),
    ("a second BOM is no BOM", b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),
    ("no blank line at the end", b"data: a\n\ndata: b", [b"a", b"b"]),
    ("one line break at the end", b"data: a\n\ndata: b\n", [b"a", b"b"]),
    ("a field that begins like data", b"database: a\n\n", []),
    ("U+2028 is no line break", "data: a\u2028b\u0085c\n\n".encode(), ["a\u2028b\u0085c".encode()]),
    ("any bytes", b"data: \x00\xff\x0b\x0c\n\n", [b"\x00\xff\x0b\x0c"]),
    ("a page of HTML", b"<html>\n\n<p>data: a</p>\n</html>", []),
]
CASES = [pytest.param(given, expected, id=name) for name, given, expected in STREAMS]


def read(*chunks: bytes) -> list[bytes]:
    reader = SSEReader()
    data = [data for chunk in chunks for data in reader.feed(chunk)]
    return data + reader.end()


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_data_of_the_events_comes_out(given: bytes, expected: list[bytes]) -> None:
    assert read(given) == expected


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_bytes_may_come_one_by_one(given: bytes, expected: list[bytes]) -> None:
    assert read(*(given[at : at + 1] for at in range(len(given)))) == expected


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_a_cut_anywhere_changes_nothing(given: bytes, expected: list[bytes]) -> None:
    found = {tuple(read(given[:at], given[at:])) for at in range(len(given) + 1)}

    assert found == {tuple(expected)}


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_empty_chunks_change_nothing(given: bytes, expected: list[bytes]) -> None:
    chunks = [piece for at in range(len(given)) for piece in (b"", given[at : at + 1])]

    assert read(b"", *chunks, b"") == expected


def test_an_event_comes_out_with_the_bytes_that_end_it() -> None:
    reader = SSEReader()

    assert reader.feed(b"data: a\n\ndata: b\n") == [b"a"]
    assert reader.feed(b"\n") == [b"b"]


def test_an_event_over_the_limit_is_refused_before_it_ends() -> None:
    reader = SSEReader(max_event_bytes=10)
    assert reader.feed(b"data: 4567") == []
    assert reader.failure is None

    assert reader.feed(b"89\n") == []
    assert "event of more than 10 bytes" in str(reader.failure)


def test_what_comes_before_an_event_over_the_limit_counts() -> None:
    reader = SSEReader(max_event_bytes=10)

    assert reader.feed(b"data: a\n\ndata: b\n\ndata: 0123456789\n\ndata: c\n\n") == [b"a", b"b"]
    assert reader.failure is not None


def test_many_events_together_may_be_longer_than_the_limit() -> None:
    reader = SSEReader(max_event_bytes=10)

    assert reader.feed(b"data: a\n\n" * 5 + b"data") == [b"a"] * 5
    assert reader.feed(b": b\n\n") == [b"b"]


def test_the_end_gives_what_is_left_only_once() -> None:
    reader = SSEReader()
    reader.feed(b"data: a")

    assert reader.end() == [b"a"]
    assert reader.end() == []
