"""The official SDK: background responses, created, polled, streamed on, cancelled, deleted."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest

from tests.asgi.conftest import Stand
from tests.background.test_http import pause
from tests.servers.answers import Pause, text_answer
from tests.servers.scripted import ScriptedUpstream
from tests.state.conftest import Serve

__all__ = ["pause"]

pytestmark = pytest.mark.anyio
REQUEST: dict[str, Any] = {"model": "m", "input": "Hi", "background": True}


@pytest.fixture
async def sdk(stand: Stand, serve: Serve) -> AsyncIterator[openai.AsyncOpenAI]:
    serve()
    async with openai.AsyncOpenAI(
        base_url=f"{stand.url}/v1", api_key="key", max_retries=0, timeout=5
    ) as client:
        yield client


async def test_response_is_polled_until_it_is_complete(
    sdk: openai.AsyncOpenAI, pause: Pause
) -> None:
    queued = await sdk.responses.create(**REQUEST)
    await pause.reached.wait()
    during = await sdk.responses.retrieve(queued.id)
    pause.release()
    response = queued
    while response.status in {"queued", "in_progress"}:
        response = await sdk.responses.retrieve(queued.id)

    assert queued.status == "queued"
    assert queued.background is True
    assert during.status in {"queued", "in_progress"}
    assert response.status == "completed"
    assert response.output_text == "Hello there"


async def test_stream_is_taken_up_where_it_was_left(sdk: openai.AsyncOpenAI, pause: Pause) -> None:
    seen = []
    async with await sdk.responses.create(stream=True, **REQUEST) as stream:
        async for event in stream:
            seen.append(event)
            if event.type == "response.output_text.delta":
                break
    pause.release()
    async with await sdk.responses.retrieve(
        seen[0].response.id,  # type: ignore[union-attr]  # created has one
        stream=True,
        starting_after=seen[-1].sequence_number,
    ) as stream:
        rest = [event async for event in stream]

    numbers = [event.sequence_number for event in [*seen, *rest]]
    assert numbers == list(range(len(numbers)))
    assert [event.type for event in seen[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    last = rest[-1]
    assert last.type == "response.completed"
    assert last.response.output_text == "Hello there"


async def test_helper_streams_a_background_response_again(
    sdk: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    """`responses.stream(response_id=…)`, which accumulates."""
    upstream.reply(text_answer("Hello there"))
    queued = await sdk.responses.create(**REQUEST)
    async with sdk.responses.stream(response_id=queued.id) as stream:
        events = [event async for event in stream]
        response = await stream.get_final_response()
    async with sdk.responses.stream(response_id=queued.id, starting_after=4) as stream:
        again = [event async for event in stream]

    assert response.output_text == "Hello there"
    assert [event.sequence_number for event in again] == [
        event.sequence_number for event in events[5:]
    ]


async def test_response_is_cancelled(sdk: openai.AsyncOpenAI, pause: Pause) -> None:
    queued = await sdk.responses.create(**REQUEST)
    cancelled = await sdk.responses.cancel(queued.id)
    again = await sdk.responses.cancel(queued.id)
    shown = await sdk.responses.retrieve(queued.id)

    assert [each.status for each in (cancelled, again, shown)] == ["cancelled"] * 3


async def test_running_response_is_deleted(sdk: openai.AsyncOpenAI, pause: Pause) -> None:
    queued = await sdk.responses.create(**REQUEST)
    await sdk.responses.delete(queued.id)

    with pytest.raises(openai.NotFoundError):
        await sdk.responses.retrieve(queued.id)
    with pytest.raises(openai.NotFoundError):
        await sdk.responses.cancel(queued.id)


async def test_synchronous_response_is_not_cancelled(
    sdk: openai.AsyncOpenAI, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Hello"))
    response = await sdk.responses.create(**REQUEST | {"background": False})

    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        await sdk.responses.cancel(response.id)
