"""What holds at the edges, whatever comes: frames, ids in paths, queries, kept items, sealed content,
results of tools, compressed bodies.
"""

import asyncio
import base64
import json
import zlib
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from adapter import ResponsesAPI
from adapter.asgi.paths import all_routes, allowed_methods, find_route
from adapter.asgi.socket_frames import check_type, lane_of, read_body, read_frame, wants_answer
from adapter.asgi.state.request import PageQuery, ShowQuery, read_query
from adapter.content_coding import CODINGS, BrokenCodingError
from adapter.errors import InvalidRequestError
from adapter.records.items import read_items, to_stored
from adapter.records.shown import show
from adapter.runners.mcp.results import to_result
from adapter.sealing import Sealer
from adapter.translate.items import read_input
from tests.strategies import JSON_VALUES, TEXTS
from tests.stream.responses import counted_ids
from tests.test_properties import bounded

MAX_BYTES = 10_000
PLACES = st.text(min_size=1, max_size=8) | st.sampled_from(
    ["..", ".", "%2e%2e", "\0", "a;b", "x?y"]
)
OBJECTS = st.dictionaries(TEXTS, JSON_VALUES, max_size=4)

# WebSocket frames

ENVELOPES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(["response.create", "response.steer"]) | JSON_VALUES,
        "stream_id": st.text(max_size=300) | JSON_VALUES,
        "generate": st.booleans() | JSON_VALUES,
        "previous_response_id": JSON_VALUES,
        "input": JSON_VALUES,
    },
)
FRAMES = ENVELOPES.map(json.dumps) | JSON_VALUES.map(json.dumps) | st.text(max_size=50)


@bounded
@given(FRAMES)
@example("[" * 5000)
@example("\ud800")
def test_any_frame_is_read_or_refused(text: str) -> None:
    with suppress(InvalidRequestError):
        frame = read_frame(read_body({"text": text}, MAX_BYTES))
        lane = lane_of(frame)
        check_type(frame)
        wants_answer(frame)

        assert lane is None or (lane.isascii() and lane.isprintable())


# Paths and queries


@bounded
@given(st.sampled_from(all_routes()), PLACES, PLACES)
def test_any_id_in_a_path_stays_in_its_place(route: str, id: str, item_id: str) -> None:
    path = route.replace("{id}", id).replace("{item_id}", item_id)
    place = find_route("/v1" + path, "/v1")

    if place is not None and place.route == route and "{" in route:
        assert place.ids == (id, item_id)[: len(place.ids)]
        assert not any("/" in each for each in place.ids)


@bounded
@given(st.binary(max_size=40) | st.dictionaries(TEXTS, TEXTS).map(lambda d: urlencode(d).encode()))
@example(b"limit=" + b"9" * 5000)
@example(b"after=%ff%fe&limit=0")
@example(b"include[]=x&include=y")
@pytest.mark.parametrize("kind", [PageQuery, ShowQuery])
def test_any_query_is_read_or_refused(kind: Any, query: bytes) -> None:
    with suppress(InvalidRequestError):
        read = read_query(query, kind)
        assert not hasattr(read, "limit") or 1 <= read.limit <= 100


@bounded
@given(
    st.sampled_from([route for route in all_routes() if "{" in route]),
    PLACES,
    PLACES,
    st.binary(max_size=20),
    st.binary(max_size=20) | JSON_VALUES.map(lambda value: json.dumps(value).encode()),
)
def test_any_request_for_what_is_stored_is_answered(
    route: str, id: str, item_id: str, query: bytes, body: bytes
) -> None:
    path = "/v1" + route.replace("{id}", id).replace("{item_id}", item_id)
    for method in allowed_methods(route):
        status, answer = asyncio.run(call(method, path, query, body))

        assert 400 <= status < 500, answer
        assert answer["error"].keys() == {"message", "type", "param", "code"}


async def call(method: str, path: str, query: bytes, body: bytes) -> tuple[int, Any]:
    """Call an app with an empty store, in process."""
    messages: list[Any] = []
    app = ResponsesAPI("http://127.0.0.1:1/v1", store="memory:", environ={})
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": quote(path, errors="replace").encode(),
        "query_string": query,
        "root_path": "",
        "headers": [],
    }
    given = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        return next(given, {"type": "http.disconnect"})

    async def send(message: Any) -> None:
        messages.append(message)

    await app(scope, receive, send)
    await app.aclose()
    start, *parts = messages
    return start["status"], json.loads(b"".join(part.get("body", b"") for part in parts))


# Items that are kept

ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            ["message", "reasoning", "function_call", "function_call_output", "item_reference"]
        )
        | TEXTS,
        "id": TEXTS | JSON_VALUES,
        "role": st.sampled_from(["user", "assistant"]) | JSON_VALUES,
        "content": TEXTS | st.lists(OBJECTS, max_size=2) | JSON_VALUES,
        "call_id": TEXTS | JSON_VALUES,
        "output": TEXTS | JSON_VALUES,
        "name": TEXTS,
        "arguments": TEXTS,
        "summary": JSON_VALUES,
    },
)


@bounded
@given(st.lists(ITEMS | OBJECTS, max_size=3))
def test_items_that_a_model_could_be_shown_can_be_kept_and_shown(items: list[Any]) -> None:
    raw = json.dumps(items).encode()
    try:
        read_input(Raw(raw), "items")
        given = read_items(raw, "items")
    except InvalidRequestError:
        return
    kept = to_stored([item for item in given if item.id is None], counted_ids(), set())

    for item in kept:
        assert show(item)["id"]


# Sealed content

KEYS = (b"k" * 32, b"another key of 32 bytes or so...")


@bounded
@given(st.text(max_size=200), st.sampled_from(["", "alice"]))
def test_what_is_sealed_is_opened_by_whom_it_is_for_alone(text: str, owner: str) -> None:
    with suppress(UnicodeEncodeError):  # half a surrogate is no text
        sealed = Sealer(KEYS[:1]).seal("reasoning", text, owner)

        assert Sealer(KEYS[:1]).open("reasoning", sealed, owner) == text
        assert Sealer(KEYS[::-1]).open("reasoning", sealed, owner) == text
        assert Sealer(KEYS[1:]).open("reasoning", sealed, owner) is None
        assert Sealer(KEYS[:1]).open("compaction", sealed, owner) is None
        assert Sealer(KEYS[:1]).open("reasoning", sealed, owner + "x") is None


@bounded
@given(st.data())
def test_sealed_content_that_was_changed_is_not_opened(data: st.DataObject) -> None:
    sealer = Sealer(KEYS[:1])
    sealed = sealer.seal("reasoning", "thoughts")
    place = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.characters(codec="utf-8").filter(lambda each: each != sealed[place]))
    opened = sealer.open("reasoning", sealed[:place] + letter + sealed[place + 1 :])

    # The last letter of base64 has bits that say nothing.
    assert opened is None or (place == len(sealed) - 1 and opened == "thoughts")


@bounded
@given(st.text(max_size=100))
@example("ra1." + "A" * 500)
def test_what_was_never_sealed_is_not_opened(text: str) -> None:
    assert Sealer(KEYS).open("reasoning", text) is None


# Results of tools

BASE64 = st.binary(max_size=20).map(lambda data: base64.b64encode(data).decode())
RESOURCES = st.fixed_dictionaries(
    {"uri": TEXTS},
    optional={"text": TEXTS, "blob": BASE64 | TEXTS, "mimeType": TEXTS},
).filter(lambda resource: "text" in resource or "blob" in resource)
BLOCKS = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": TEXTS}),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["image", "audio"]), "data": BASE64 | TEXTS, "mimeType": TEXTS}
    ),
    st.fixed_dictionaries({"type": st.just("resource"), "resource": RESOURCES}),
    st.fixed_dictionaries(
        {"type": st.just("resource_link"), "uri": TEXTS, "name": TEXTS},
        optional={"description": TEXTS},
    ),
)


@bounded
@given(st.lists(BLOCKS, max_size=4), st.booleans(), st.none() | OBJECTS, st.integers(1, 400))
def test_any_result_of_a_tool_is_told_within_its_limit(
    blocks: list[Any], is_error: bool, structured: Any, max_bytes: int
) -> None:
    given = {"content": blocks, "isError": is_error, "structuredContent": structured}
    result = to_result(given, max_bytes)

    assert (result.error is None) or (is_error or "more than" in result.output)
    assert result.error is not None or len(result.output.encode()) <= max_bytes


# Compressed bodies


@bounded
@given(st.sampled_from(sorted(CODINGS)), st.binary(max_size=100), st.integers(1, 9))
def test_any_bytes_are_decoded_or_refused(coding: str, data: bytes, size: int) -> None:
    decoder = CODINGS[coding]()
    with suppress(BrokenCodingError):
        for at in range(0, len(data), size):
            for piece in decoder.feed(data[at : at + size]):
                assert isinstance(piece, bytes)


def test_bomb_is_decoded_piece_by_piece() -> None:
    """Who reads can stop at any piece: 50 MB of zeros are 50 KB."""
    bomb = zlib.compress(bytes(50_000_000))
    pieces = (len(piece) for piece in CODINGS["deflate"]().feed(bomb))

    assert max(next(pieces) for _ in range(3)) <= 1_000_000
