"""Bodies come back as they were, in future versions too, and are small."""

import hashlib

import pytest

from adapter.store import packing
from adapter.store.base import ConversationRecord, LoggedEvent, ResponseRecord, StoredItem
from adapter.store.words import WORDS

HOSTILE = ["", "a\x00b", "\ud800", "\udfff\ud800", "\U0001f600", "x" * 100_000]
RECORD = ResponseRecord(
    id="resp_1",
    owner="owner",
    created_at=1.5,
    expires_at=2.5,
    status="completed",
    response=b'{"id":"resp_1","output":[]}',
    input=b"[]",
    item_ids=("msg_1",),
    previous_id="resp_0",
    conversation_id="conv_1",
    background=True,
    request=b'{"model":"m"}',
)
# What the first version wrote. It is on disks, so it stays readable: this is only ever added to.
WRITTEN = bytes.fromhex(
    "019b73840d5c20191e61cd2fcf4b2d3a6dff83010c4e3bb040184738e199e5883472c16e082ad961192fb6f6085374"
    "ecc423aca09c660835d4e0081b302795c51b1e3ec25b0dcfe3c0540600"
)


def test_what_was_written_before_can_be_read() -> None:
    assert packing.unpack_response(WRITTEN) == RECORD


def test_words_are_those_that_bodies_on_disks_were_written_with() -> None:
    """Others make them unreadable: they need a number of their own."""
    known = "490ec642e59f49664a8ed406e417bd956fff5f1a3a75350d743749da1a646631"
    assert hashlib.sha256(WORDS).hexdigest() == known


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_comes_back(text: str) -> None:
    record = ResponseRecord(
        id=text,
        owner=text,
        created_at=0.1,
        status=text,
        response=b"",
        item_ids=(text,),
        previous_id=text,
        conversation_id=text,
    )
    conversation = ConversationRecord(id=text, owner=text, created_at=0.1, expires_at=7.0)
    item = StoredItem(text, b"{}")

    assert packing.unpack_response(packing.pack_response(record)) == record
    packed = packing.pack_conversation(conversation)
    assert packing.unpack_conversation(packed, 7.0) == conversation
    assert packing.unpack_item(packing.pack_item(item)) == item


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 10, b'{"type":"message"}' * 1000])
def test_any_bytes_come_back(data: bytes) -> None:
    events = [LoggedEvent(7, data), LoggedEvent(8, b""), LoggedEvent(9, data)]

    assert packing.unpack_events(7, packing.pack_events(events)) == events


def test_hashes_tell_owner_and_id_apart() -> None:
    pairs = [("a", "bc"), ("ab", "c"), ("", "abc"), ("abc", ""), ("a\x00", "bc"), ("a", "\x00bc")]

    assert len({packing.response_digest(*pair) for pair in pairs}) == len(pairs)
    assert len({packing.item_number(*pair) for pair in pairs}) == len(pairs)
    assert packing.response_digest("a", "b") != packing.conversation_digest("a", "b")


def test_delta_of_text_takes_less_than_half_of_its_json() -> None:
    delta = (
        b'{"type":"response.output_text.delta","sequence_number":12,"item_id":"msg_2f1a09c7d4e8'
        b'b36517","output_index":0,"content_index":0,"delta":" the","logprobs":[]}'
    )
    packed = packing.pack_events([LoggedEvent(12, delta)])

    assert len(packed) < len(delta) / 2
