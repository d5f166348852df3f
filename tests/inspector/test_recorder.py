"""What is recorded is bounded, in number and in bytes, whatever is sent."""

import pytest

from adapter.inspector.exchange import ENTRY_BYTES, Exchange
from adapter.inspector.reading import preview
from adapter.inspector.recorder import Bounds, Recorder


class Clock:
    """Goes on by a second whenever it is read."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


def begin(recorder: Recorder) -> Exchange:
    return recorder.begin("http", "POST", "/v1/responses", [("x-request-id", "req_1")])


def recorder_of(**bounds: int) -> Recorder:
    return Recorder(Bounds(**bounds), clock=Clock(), now=lambda: 1_795_132_800)


def size_of(recorder: Recorder) -> int:
    return sum(len(e.data) + ENTRY_BYTES for x in recorder.all() for e in x.entries)


def test_the_oldest_request_goes_when_there_are_too_many() -> None:
    recorder = recorder_of(requests=2)

    for _ in range(3):
        begin(recorder)

    assert [exchange.id for exchange in recorder.all()] == ["2", "3"]
    assert recorder.get("1") is None


def test_the_oldest_request_goes_when_there_are_too_many_bytes() -> None:
    recorder = recorder_of(total_bytes=20_000)
    first, second = begin(recorder), begin(recorder)

    first.sent(bytes(9_000))
    second.sent(bytes(9_000))
    second.sent(bytes(9_000))

    assert recorder.all() == [second]
    assert first.entries == []
    assert size_of(recorder) <= 20_000


def test_a_request_that_is_gone_goes_on_without_being_kept() -> None:
    recorder = recorder_of(requests=1)
    first = begin(recorder)
    begin(recorder)

    first.sent(b"more")
    turn = first.ask(b"{}", {}, "chat/completions")
    turn.chunk(b"x")
    turn.ended()
    first.ended(is_complete=True)

    assert first.entries == []


def test_nothing_is_kept_behind_the_bound_of_one_request() -> None:
    """Not even what would fit: it may lean on what did not."""
    recorder = recorder_of(request_bytes=1_000)
    exchange = begin(recorder)

    exchange.asked(b'{"input": "Hi"}')
    exchange.sent(bytes(2_000))
    exchange.sent(b"x")

    assert [entry.kind for entry in exchange.entries] == ["request"]
    assert exchange.summary()["cut"] is True


def test_many_small_pieces_are_bounded_too() -> None:
    """An entry costs more than its byte."""
    recorder = recorder_of(request_bytes=10_000)
    exchange = begin(recorder)

    for _ in range(1_000):
        exchange.sent(b"x")

    assert len(exchange.entries) <= 10_000 / ENTRY_BYTES


def test_a_request_larger_than_everything_pushes_no_other_out_for_good() -> None:
    recorder = recorder_of(total_bytes=5_000, request_bytes=1_000_000)
    exchange = begin(recorder)

    exchange.sent(bytes(10_000))

    assert exchange.entries == []
    assert recorder.all() == [exchange]


def test_dropped_requests_give_their_bytes_back() -> None:
    recorder = recorder_of(total_bytes=5_000)
    for _ in range(10):
        exchange = begin(recorder)
        exchange.sent(bytes(4_000))
        recorder.drop([exchange.id])

    last = begin(recorder)
    last.sent(bytes(4_000))

    assert recorder.all() == [last]
    assert len(last.entries) == 1


@pytest.mark.anyio
async def test_listeners_hear_of_each_change_once() -> None:
    recorder = recorder_of()
    exchange = begin(recorder)
    listener = recorder.listen()

    exchange.sent(b"a")
    exchange.sent(b"b")
    begin(recorder)

    assert listener.take() == ["1", "2"]
    assert listener.take() == []
    assert not listener.changed.is_set()


def test_times_are_of_the_request() -> None:
    recorder = recorder_of()
    exchange = begin(recorder)  # second 1

    exchange.asked(b"{}")  # 2
    turn = exchange.ask(b"{}", {}, "chat/completions")  # 3
    turn.answered(200, {})  # 4

    assert [entry.at for entry in exchange.entries] == [1.0, 2.0, 3.0]


def test_a_request_runs_until_its_last_upstream_call_has_ended() -> None:
    """A response in the background goes on when its request is answered."""
    exchange = begin(recorder_of())
    turn = exchange.ask(b"{}", {}, "chat/completions")

    exchange.started(200, [])
    exchange.ended(is_complete=True)
    while_it_runs = exchange.state
    turn.ended()

    assert (while_it_runs, exchange.state) == ("running", "completed")


@pytest.mark.parametrize(
    ("end", "state"),
    [
        pytest.param(
            b'event: response.completed\ndata: {"type":"response.completed","response":'
            b'{"id":"resp_1","status":"completed","usage":{"output_tokens":3}}}\n\n',
            "completed",
            id="completed",
        ),
        pytest.param(
            b'event: x\ndata: {"type":"response.output_text.delta"}\n\nevent: response.failed\n'
            b'data: {"type":"response.failed","response":{"id":"resp_1","status":"failed"}}\n\n',
            "failed",
            id="failed, behind another event",
        ),
        pytest.param(
            b'{"type":"error","error":{"message":"no"}}', "failed", id="frame with an error"
        ),
    ],
)
def test_the_last_event_says_how_it_ended(end: bytes, state: str) -> None:
    exchange = begin(recorder_of())

    exchange.started(200, [])
    exchange.sent(end)
    exchange.ended(is_complete=True)

    assert exchange.state == state


def test_what_the_model_says_is_not_taken_for_the_last_event() -> None:
    exchange = begin(recorder_of())

    exchange.sent(
        rb'data: {"type":"response.output_text.delta","delta":"{\"type\":\"response.failed\"}"}'
    )

    assert exchange.summary()["response_id"] is None
    assert exchange.state == "running"


@pytest.mark.parametrize(
    "data", [b'{"type":"response.completed"', b'{"type":"error","error":\xff}']
)
def test_a_last_event_that_cannot_be_read_changes_nothing(data: bytes) -> None:
    exchange = begin(recorder_of())

    exchange.sent(data)
    exchange.ended(is_complete=True)

    assert (exchange.state, exchange.summary()["response_id"]) == ("completed", None)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Hi\n there", "Hi there"),
        ([{"role": "user", "content": "One"}, {"role": "user", "content": "Two"}], "Two"),
        ([{"role": "user", "content": [{"type": "input_text", "text": "Three"}]}], "Three"),
        ([{"type": "function_call_output", "output": "sunny"}], "↩ sunny"),
        ([{"role": "user", "content": [{"type": "input_image"}]}], ""),
        (None, ""),
        ({"odd": 1}, ""),
    ],
)
def test_preview_is_the_last_text(given: object, shown: str) -> None:
    assert preview(given) == shown
