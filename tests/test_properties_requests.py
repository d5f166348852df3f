"""Every request either becomes a chat request, for any upstream, or is the client's fault."""

import json
from collections.abc import Iterable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.dialects import DIALECTS
from adapter.errors import InvalidRequestError
from adapter.stream.encode import encode_events
from adapter.stream.grammar import check
from adapter.stream.machine import ResponseStream
from adapter.translate.decode import decode_request
from adapter.translate.echo import to_response
from adapter.translate.request import Translation, to_chat_request
from adapter.types.request import ResponseRequest
from tests.strategies import broken
from tests.strategies_requests import request_bodies
from tests.stream.responses import NOW, as_json, counted_ids
from tests.test_properties import bounded

_DIALECTS = st.sampled_from(sorted(DIALECTS.values(), key=lambda dialect: dialect.name))


def translate(body: bytes, data: st.DataObject) -> tuple[ResponseRequest, Translation] | None:
    """Return what becomes of a body, or None if it is refused as it should be."""
    try:
        request = decode_request(body)
        return request, to_chat_request(request, data.draw(_DIALECTS))
    except InvalidRequestError as error:
        refusal = error
    assert 400 <= refusal.status < 500
    body_of_error = json.loads(json.dumps(refusal.body()))["error"]
    assert body_of_error.keys() == {"message", "type", "param", "code"}
    return None


@bounded
@given(request_bodies(), st.data())
def test_a_request_becomes_a_chat_request_or_is_refused(body: bytes, data: st.DataObject) -> None:
    if translated := translate(body, data):
        sent = json.loads(translated[1].chat.encode().decode())

        assert sent["model"] == translated[0].model
        assert sent["messages"]
        assert nulls(sent["messages"]) == []


def nulls(value: Any, at: str = "messages") -> list[str]:
    """Return the places of nulls: some servers refuse them, and messages need none."""
    if value is None:
        return [at]
    inner: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        inner = value.items()
    elif isinstance(value, list):
        inner = enumerate(value)
    return [place for key, child in inner for place in nulls(child, f"{at}[{key!r}]")]


@bounded
@given(request_bodies(), st.data())
def test_what_a_request_echoes_makes_a_legal_stream(body: bytes, data: st.DataObject) -> None:
    if translated := translate(body, data):
        response = to_response(*translated, id="resp_1", created_at=NOW - 9)
        stream = ResponseStream(response, counted_ids())
        events = stream.start() + stream.end_turn("stop") + stream.finish(NOW)
        lines = encode_events(events).decode().split("\n\n")

        assert [line.count("\n") for line in lines] == [1] * (len(lines) - 1) + [0]
        assert check(as_json(events)) == []


@bounded
@given(st.data())
def test_a_body_with_broken_bytes_is_translated_or_refused(data: st.DataObject) -> None:
    if translated := translate(data.draw(broken(data.draw(request_bodies()))), data):
        assert translated[1].chat.encode()
