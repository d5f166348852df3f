"""Codex is told at once what would be the same next time; others get the status that they know.

Source: openai/codex#27047; `CodexErr::is_retryable`; `clients.md` §0.12.
"""

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.asgi.streams import REQUEST
from tests.servers.answers import json_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

CODEX = {"originator": "codex_exec", "user-agent": "codex_exec/0.169.0"}


# (status of the upstream, its message, status for all, status for Codex, code)
CASES = [
    pytest.param(404, "The model `x` does not exist.", 404, 400, "model_not_found", id="model"),
    pytest.param(
        503, "No available channel for model x", 404, 400, "model_not_found", id="model-503"
    ),
    pytest.param(402, "Insufficient Balance", 402, 400, "insufficient_quota", id="money"),
    pytest.param(
        429, "You exceeded your current quota.", 429, 400, "insufficient_quota", id="quota"
    ),
    pytest.param(403, "No.", 403, 400, None, id="forbidden"),
    pytest.param(422, "No.", 422, 400, None, id="unprocessable"),
    pytest.param(413, "prompt is too long", 400, 400, "context_length_exceeded", id="overflow"),
    pytest.param(401, "No.", 401, 401, "invalid_api_key", id="key"),
    pytest.param(429, "slow", 429, 429, "rate_limit_exceeded", id="rate"),
    pytest.param(500, "Oops", 502, 502, "server_error", id="broken"),
    pytest.param(503, "Oops", 503, 503, "server_error", id="overloaded"),
]


@pytest.mark.parametrize(("status", "message", "for_all", "for_codex", "code"), CASES)
async def test_refusals_that_are_final_are_a_400_for_codex(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    status: int,
    message: str,
    for_all: int,
    for_codex: int,
    code: str | None,
) -> None:
    start()
    upstream.always(json_answer(status, {"error": {"message": message}}))

    answers = [
        await client.post("/v1/responses", json=REQUEST | {"stream": True}, headers=headers)
        for headers in ({}, CODEX)
    ]

    assert [answer.status_code for answer in answers] == [for_all, for_codex]
    errors = [answer.json()["error"] for answer in answers]
    assert [(error["message"], error["code"]) for error in errors] == [(message, code)] * 2
