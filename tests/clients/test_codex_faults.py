"""What Codex makes of an upstream's faults: it says what is wrong, and asks again only if it helps."""

from collections.abc import Iterator
from typing import Any

import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.clients.codex import Run
from tests.clients.conftest import SEALING_KEYS, NewCodex
from tests.servers.adapter import serve
from tests.servers.answers import Answer, chunk, json_answer, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

ONE_RETRY = "request_max_retries = 0\nstream_max_retries = 1\n"
OUT_OF_ROOM = "Codex ran out of room in the model's context window."
OVERFLOW = (
    "This model's maximum context length is 2048 tokens. However, you requested 5000 tokens "
    "(4000 in the messages, 1000 in the completion)."
)


def error(status: int, message: str, code: Any = None, **headers: str) -> Answer:
    body = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return json_answer(status, {"error": body}, headers)


# name, the upstream's answer, requests that it gets, what Codex says at the end
FAULTS: list[tuple[str, Answer, int, str]] = [
    (
        "a model that is not there",
        error(404, "The model `test-model` does not exist.", 404),
        1,
        "The model `test-model` does not exist.",
    ),
    ("a bad request", error(400, "It is bad."), 1, "It is bad."),
    ("a full context", error(400, OVERFLOW, 400), 1, OUT_OF_ROOM),
    (
        "a full context, of llama.cpp",
        json_answer(
            400,
            {
                "error": {
                    "code": 400,
                    "message": "the request exceeds the available context size",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": 5000,
                    "n_ctx": 2048,
                }
            },
        ),
        1,
        OUT_OF_ROOM,
    ),
    (
        "a full context, said in the stream",
        stream_answer({"error": {"message": OVERFLOW, "type": "BadRequestError", "code": 400}}),
        1,
        OUT_OF_ROOM,
    ),
    (
        "no money",
        error(429, "You exceeded your current quota", "insufficient_quota"),
        1,
        "You exceeded your current quota",
    ),
    ("a bad key", error(401, "Incorrect API key", "invalid_api_key"), 2, "Incorrect API key"),
    (
        "too many requests",
        error(429, "Slow down", **{"retry-after": "0"}),
        6,  # each of Codex's two is tried three times here, because the server says that it may be
        "429 Too Many Requests",
    ),
    (
        "too many requests, and nobody knows for how long",
        error(429, "Slow down"),
        1,
        "429 Too Many Requests",
    ),
    ("a crash", error(500, "It broke."), 2, "It broke."),
    (
        "a proxy's page",
        Answer(502, {"content-type": "text/html"}, [b"<html>"], framing="length"),
        2,
        "502 Bad Gateway",
    ),
    (
        "an answer that is cut off",
        stream_answer(chunk({"content": "Half an"}), done=False),
        2,
        "cut off before it was complete",
    ),
    (
        "an error in the middle",
        stream_answer(chunk({"content": "Half an"}), {"error": {"message": "It died."}}),
        2,
        "It died.",
    ),
    (
        "an answer that is too long",
        text_answer("Half an", finish_reason="length"),
        1,
        "Incomplete response returned, reason: max_output_tokens",
    ),
]


@pytest.fixture
def scripted() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as server:
        yield server


def ask(new_codex: NewCodex, scripted: ScriptedUpstream) -> Run:
    settings = Settings(upstream=scripted.url, sealing_keys=SEALING_KEYS)
    with serve(make_sidecar(settings)) as address:
        return new_codex(f"{address}/v1", tables=ONE_RETRY).exec("Hello")


@pytest.mark.parametrize(
    ("answer", "requests", "said"), [row[1:] for row in FAULTS], ids=[row[0] for row in FAULTS]
)
def test_codex_says_what_is_wrong_and_asks_again_only_if_that_may_help(
    answer: Answer, requests: int, said: str, new_codex: NewCodex, scripted: ScriptedUpstream
) -> None:
    scripted.always(answer)

    run = ask(new_codex, scripted)

    assert said in run.failure
    assert (run.code, len(scripted.requests)) == (1, requests)


def test_codex_goes_on_after_a_fault_that_passes(
    new_codex: NewCodex, scripted: ScriptedUpstream
) -> None:
    scripted.reply(
        stream_answer(chunk({"content": "Half an"}), done=False), text_answer("A whole answer.")
    )

    run = ask(new_codex, scripted)

    assert (run.code, run.messages[-1]) == (0, "A whole answer.")


def test_an_empty_answer_ends_the_turn(new_codex: NewCodex, scripted: ScriptedUpstream) -> None:
    scripted.always(stream_answer(chunk({"content": ""}), chunk({}, "stop")))

    run = ask(new_codex, scripted)

    assert (run.code, len(scripted.requests)) == (0, 1)
