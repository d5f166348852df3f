"""`POST /responses/compact`: the user's messages word for word, and one sealed item for the rest.

Source: sheet §1; Open Responses 2026-04-24 `CompactResource`; the public compliance suite.
"""

import asyncio
from typing import Any

import httpx2
import pytest

from tests.asgi.compressed import COMPRESS
from tests.asgi.conftest import Start
from tests.open_responses import compacted_errors
from tests.servers.answers import Hang, json_answer, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

PATH = "/v1/responses/compact"
CONVERSATION: list[dict[str, Any]] = [
    {"role": "user", "content": "My dog is called Rex."},
    {"role": "assistant", "content": [{"type": "output_text", "text": "A fine name."}]},
    {"role": "user", "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA"}]},
]
ASKED: dict[str, Any] = {"model": "m", "input": CONVERSATION}


async def test_answer_holds_what_the_user_said_and_a_compaction(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("A dog called Rex."))

    answer = await client.post(PATH, json=ASKED | {"prompt_cache_key": "k"})

    compacted = answer.json()
    assert answer.status_code == 200
    assert compacted_errors(compacted) == []
    assert [item["type"] for item in compacted["output"]] == ["message", "message", "compaction"]
    assert [item.get("role") for item in compacted["output"]] == ["user", "user", None]
    assert compacted["output"][0]["content"] == [
        {"type": "input_text", "text": "My dog is called Rex."}
    ]
    assert compacted["usage"]["total_tokens"] == 12
    assert compacted["object"] == "response.compaction"


async def test_answer_is_what_to_go_on_with(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("A dog called Rex."), text_answer("Rex."))
    asked = {"model": "m", "input": CONVERSATION[:2]}
    compacted = (await client.post(PATH, json=asked)).json()

    question = {"role": "user", "content": "What is my dog called?"}
    answer = await client.post(
        "/v1/responses", json={"model": "m", "input": [*compacted["output"], question]}
    )

    assert answer.status_code == 200
    (message,) = upstream.requests[1].json["messages"]
    assert message["content"] == (
        "My dog is called Rex.\n\nSummary of the conversation so far:\n<summary>\n"
        "A dog called Rex.\n</summary>\n\nWhat is my dog called?"
    )


async def test_instructions_are_those_of_the_conversation(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("A dog called Rex."))

    await client.post(PATH, json=ASKED | {"instructions": "You are a vet."})

    assert upstream.requests[0].json["messages"][0] == {
        "role": "system",
        "content": "You are a vet.",
    }


async def test_trigger_at_the_end_changes_nothing(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("A dog called Rex."))

    answer = await client.post(
        PATH, json={"model": "m", "input": [*CONVERSATION, {"type": "compaction_trigger"}]}
    )

    assert [item["type"] for item in answer.json()["output"]][-1] == "compaction"
    assert len(answer.json()["output"]) == 3


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({"input": "Hi"}, "model", "missing_required_parameter"),
        ({"model": None, "input": "Hi"}, "model", "missing_required_parameter"),
        ({"model": "m"}, "input", "missing_required_parameter"),
        ({"model": "m", "input": None}, "input", "missing_required_parameter"),
        ({"model": "m", "input": []}, "input", "missing_required_parameter"),
        (
            {"model": "m", "previous_response_id": "resp_1"},
            "previous_response_id",
            "unsupported_parameter",
        ),
        ({"model": "m", "input": [{"type": "hologram"}]}, "input[0].type", "unsupported_value"),
    ],
)
async def test_request_that_cannot_be_carried_out_is_a_400(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    body: Any,
    param: str,
    code: str,
) -> None:
    start()

    answer = await client.post(PATH, json=body)

    assert answer.status_code == 400
    error = answer.json()["error"]
    assert (error["param"], error["code"]) == (param, code)
    assert upstream.requests == []


async def test_refusal_of_the_upstream_is_passed_on(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(json_answer(401, {"error": "Unauthorized"}))

    answer = await client.post(PATH, json=ASKED)

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


async def test_what_was_left_out_is_reported(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("A dog called Rex."))
    foreign = {"type": "compaction", "encrypted_content": "x"}

    answer = await client.post(PATH, json={"model": "m", "input": [foreign, *CONVERSATION]})

    assert answer.headers["x-adapter-dropped"] == "input[0]"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_other_methods_are_a_405(
    start: Start, client: httpx2.AsyncClient, method: str
) -> None:
    start()

    answer = await client.request(method, PATH)

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_body_may_be_compressed(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(text_answer("A dog called Rex."))
    body = COMPRESS["zstd"](b'{"model": "m", "input": "Hi"}')

    answer = await client.post(PATH, content=body, headers={"content-encoding": "zstd"})

    assert answer.status_code == 200


async def test_upstream_is_left_when_the_client_goes(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start()
    upstream.reply(stream_answer(Hang()))

    asking = asyncio.create_task(client.post(PATH, json=ASKED))
    asked = await upstream.request(0)
    asking.cancel()

    await asked.disconnected.wait()


async def test_upstream_with_its_own_responses_api_compacts_itself(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(routes={"own": {"upstream": upstream.url, "api": "responses", "models": ["m"]}})
    upstream.reply(json_answer(200, {"id": "resp_theirs"}), to=PATH)

    answer = await client.post(PATH, json=ASKED)

    assert answer.json() == {"id": "resp_theirs"}
    assert upstream.requests[0].json == ASKED
