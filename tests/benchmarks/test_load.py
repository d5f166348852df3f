"""The load generator counts what came, however it is framed and cut."""

import asyncio
from typing import Any

import pytest

from benchmarks.load import Load, run_load
from benchmarks.processes import free_port
from tests.servers.answers import Answer, Eof, Hang, Pause, json_answer, raw, sse, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

EVENTS = sse("1", "2", "3", done=False)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def load(answer: Answer, **options: Any) -> dict[str, Any]:
    async with ScriptedUpstream() as upstream:
        upstream.always(answer)
        url = f"{upstream.url}/chat/completions"
        result = await run_load(Load(url=url, body=b"{}", **options))
        assert all(request.body == b"{}" for request in upstream.requests)
    return result


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Answer(chunks=EVENTS), id="chunked"),
        pytest.param(Answer(chunks=EVENTS, framing="length"), id="length"),
    ],
)
async def test_every_stream_makes_its_rounds(answer: Answer) -> None:
    result = await load(answer, streams=4, rounds=3)

    assert (result["requests"], result["completed"], result["errors"]) == (12, 12, {})
    assert result["events"] == 36
    assert 0 < result["first_event_ms"]["p50"] <= result["stream_ms"]["p50"]
    assert result["first_delta_ms"]["p50"] is None


async def test_first_text_is_timed_by_itself() -> None:
    pause = Pause()
    text = Answer(chunks=[b'data: 1\n\ndata: "" tok', pause, b'en"\n\n'], framing="close")
    async with ScriptedUpstream() as upstream:
        upstream.reply(text)
        load = Load(url=f"{upstream.url}/chat/completions", body=b"{}")
        loading = asyncio.create_task(run_load(load))
        await pause.reached.wait()
        pause.release()
        result = await loading

    assert result["events"] == 2
    assert result["first_event_ms"]["p50"] < result["first_delta_ms"]["p50"]


async def test_body_that_ends_with_the_connection_is_complete() -> None:
    result = await load(Answer(chunks=EVENTS, framing="close"), streams=2)

    assert (result["completed"], result["events"], result["errors"]) == (2, 6, {})


async def test_event_cut_between_two_reads_is_counted_once() -> None:
    pause = Pause()
    async with ScriptedUpstream() as upstream:
        upstream.reply(Answer(chunks=[b"da", pause, b"ta: 1\n\n"], framing="close"))
        url = f"{upstream.url}/chat/completions"
        loading = asyncio.create_task(run_load(Load(url=url, body=b"{}")))
        await pause.reached.wait()
        pause.release()
        result = await loading

    assert result["events"] == 1


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(json_answer(429, "slow"), "status 429", id="status"),
        pytest.param(Answer(chunks=[*EVENTS, Eof()]), "connection lost", id="cut"),
        pytest.param(raw(), "connection lost", id="nothing"),
    ],
)
async def test_bad_answer_is_an_error_with_its_reason(answer: Answer, reason: str) -> None:
    result = await load(answer, streams=2)

    assert result["errors"] == {reason: 2}
    assert result["completed"] == 0


async def test_connection_that_is_not_kept_is_an_error_when_rounds_are_left() -> None:
    result = await load(Answer(chunks=EVENTS, framing="close"), rounds=2)

    assert (result["completed"], result["errors"]) == (1, {"connection not kept": 1})


async def test_nobody_who_listens_is_an_error() -> None:
    result = await run_load(Load(url=f"http://127.0.0.1:{free_port()}/", body=b"{}", streams=2))

    assert result["errors"] == {"not connected": 2}


async def test_answer_that_never_comes_is_an_error_at_the_limit() -> None:
    result = await load(Answer(before=[Hang()]), limit_seconds=0)

    assert result["errors"] == {"not ended in time": 1}


async def test_text_answer_of_the_scripted_upstream_is_counted_whole() -> None:
    result = await load(text_answer("Hello there"))

    assert result["events"] == 6
