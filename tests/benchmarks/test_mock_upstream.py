"""The mock upstream of the benchmarks sends what its modes promise, over a real socket."""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from benchmarks.mock_upstream import WORD, script_for
from benchmarks.processes import Running, choose_cores
from benchmarks.servers import FOLDER, UPSTREAM, started


@pytest.fixture(scope="module")
def upstream() -> Iterator[Running]:
    with started(UPSTREAM, choose_cores()[1]) as process:
        yield process


def post(upstream: Running, **fields: Any) -> httpx2.Response:
    url = f"http://127.0.0.1:{upstream.port}/v1/chat/completions"
    return httpx2.post(url, json=fields | {"messages": []}, timeout=5)


def stream_chunks(upstream: Running, model: str, **fields: Any) -> list[Any]:
    answer = post(upstream, model=model, stream=True, **fields)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = answer.text.removesuffix("\n\n").split("\n\n")
    assert events.pop() == "data: [DONE]"
    return [json.loads(event.removeprefix("data: ")) for event in events]


@pytest.mark.parametrize("model", ["short-4", "burst-4", "paced-4-1", "held-4-1", "coalesced-4-3"])
def test_text_modes_stream_role_then_text_then_finish(upstream: Running, model: str) -> None:
    chunks = stream_chunks(upstream, model)

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas == [{"role": "assistant", "content": ""}, *[{"content": WORD}] * 4, {}]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


def test_reasoning_mode_thinks_before_it_answers(upstream: Running) -> None:
    chunks = stream_chunks(upstream, "reasoning-2")

    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[1:-1] == [{"reasoning_content": WORD}] * 2 + [{"content": WORD}] * 2


def test_tools_mode_streams_a_call_in_pieces(upstream: Running) -> None:
    chunks = stream_chunks(upstream, "tools-4")

    calls = [chunk["choices"][0]["delta"]["tool_calls"][0] for chunk in chunks[1:-1]]
    arguments = "".join(call["function"]["arguments"] for call in calls)
    assert calls[0]["function"] == {"name": "get_weather", "arguments": ""}
    assert len(calls) == 5
    assert json.loads(arguments) == {"city": "Paris Paris "}
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"


def test_usage_comes_when_it_is_asked_for(upstream: Running) -> None:
    chunks = stream_chunks(upstream, "short-4", stream_options={"include_usage": True})

    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["completion_tokens"] == 4


@pytest.mark.parametrize("model", ["short-4", "reasoning-4", "tools-4"])
def test_without_stream_the_same_comes_whole(upstream: Running, model: str) -> None:
    streamed = stream_chunks(upstream, model)
    answer = post(upstream, model=model).json()

    (choice,) = answer["choices"]
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in streamed)
    assert (choice["message"]["content"] or "") == text
    assert choice["finish_reason"] == streamed[-1]["choices"][0]["finish_reason"]


def test_unknown_model_is_a_400_that_names_it(upstream: Running) -> None:
    answer = post(upstream, model="nope-4")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "no such model: nope-4"


def test_spans_are_taken(upstream: Running) -> None:
    url = f"http://127.0.0.1:{upstream.port}/v1/traces"

    assert httpx2.post(url, content=b"\x0a\x00", timeout=5).status_code == 200


def test_models_are_listed(upstream: Running) -> None:
    answer = httpx2.get(f"http://127.0.0.1:{upstream.port}/v1/models", timeout=5)

    assert answer.json()["data"][0]["id"] == "short-4"


def test_answers_are_made_once() -> None:
    first = script_for("burst-512", stream=True, include_usage=True)

    assert script_for("burst-512", stream=True, include_usage=True) is first
    assert len(first.blocks) == 1


def test_held_answer_is_one_write_after_its_time() -> None:
    held = script_for("held-4-8000", stream=True, include_usage=True)

    assert (len(held.blocks), held.interval_seconds) == (1, 8)


def test_command_prints_its_url_and_ends_with_its_input() -> None:
    command = [sys.executable, str(FOLDER / "mock_upstream.py"), "--port", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().decode().strip()
        listed = httpx2.get(f"{url}/models", timeout=5)
        process.stdin.close()
        status = process.wait(5)

    assert listed.status_code == 200
    assert status == 0
