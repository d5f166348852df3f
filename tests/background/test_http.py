"""`background: true`, `GET …?stream=true` and `POST …/cancel` over HTTP, with the store in memory."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest

from adapter.errors import StoreError
from adapter.store.base import EventPage
from adapter.store.memory import MemoryStore
from tests.asgi.streams import DONE, KEEPALIVE_COMMENT, Stream, open_stream, read_stream, types
from tests.background.world import check_log
from tests.servers.answers import Pause, chunk, json_answer, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream
from tests.state.conftest import KEY, Serve
from tests.state.peer import Peer, error_of

pytestmark = pytest.mark.anyio

LAST = {"response.completed", "response.failed", "response.incomplete"}


@pytest.fixture
def pause(upstream: ScriptedUpstream) -> Iterator[Pause]:
    """Where the model stops: behind its first word."""
    pause = Pause()
    words = [chunk({"content": "Hello"}), pause, chunk({"content": " there"}), chunk({}, "stop")]
    upstream.always(stream_answer(*words))
    yield pause
    pause.release()


async def start(peer: Peer, **fields: Any) -> dict[str, Any]:
    return await peer.send(background=True, **fields)


@asynccontextmanager
async def follow(peer: Peer, id: str, **query: Any) -> AsyncIterator[Stream]:
    params = {"stream": "true", **query}
    path = f"/v1/responses/{id}"
    async with peer.client.stream("GET", path, params=params, headers=peer.headers) as answer:
        yield Stream(answer)


async def replay(peer: Peer, id: str, **query: Any) -> list[Any]:
    async with follow(peer, id, **query) as stream:
        assert stream.answer.status_code == 200, await stream.answer.aread()
        return await stream.rest()


async def ended(peer: Peer, id: str) -> dict[str, Any]:
    """Return a response once it is over."""
    await replay(peer, id)
    response: dict[str, Any] = (await peer.get(f"/responses/{id}")).json()
    return response


async def test_response_is_queued_at_once_and_can_be_polled(peer: Peer, pause: Pause) -> None:
    queued = await start(peer)
    await pause.reached.wait()
    async with follow(peer, queued["id"]) as stream:
        await stream.until("response.output_text.delta")
    during = (await peer.get(f"/responses/{queued['id']}")).json()
    pause.release()
    done = await ended(peer, queued["id"])

    assert (queued["status"], queued["output"], queued["usage"]) == ("queued", [], None)
    assert (queued["background"], queued["store"]) == (True, True)
    assert during == queued | {"status": "in_progress"}
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["text"] == "Hello there"


async def test_stream_and_its_replays_are_the_same(peer: Peer, upstream: ScriptedUpstream) -> None:
    upstream.reply(text_answer("Hello there", reasoning="Hm"))
    stream = await read_stream(peer.client, headers=peer.headers, background=True)
    id = stream.events[0]["response"]["id"]
    replayed = await replay(peer, id)

    check_log(stream.events)
    assert types(stream.events)[:3] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    assert replayed == [*stream.events, DONE]
    for number in range(len(stream.events)):
        behind = await replay(peer, id, starting_after=number)
        assert behind == [*stream.events[number + 1 :], DONE]
    assert stream.answer.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_client_that_goes_does_not_stop_the_run(peer: Peer, pause: Pause) -> None:
    async with open_stream(peer.client, headers=peer.headers, background=True) as stream:
        first = await stream.until("response.created")
        seen = await stream.until("response.output_text.delta")
    pause.release()
    async with follow(
        peer, first["response"]["id"], starting_after=seen["sequence_number"]
    ) as again:
        rest = await again.rest()

    assert rest[0]["sequence_number"] == seen["sequence_number"] + 1
    assert rest[-2]["type"] == "response.completed"
    assert rest[-2]["response"]["output"][0]["content"][0]["text"] == "Hello there"


@pytest.mark.parametrize("after", ["-1", "one", "1.5", "", str(2**63)])
async def test_what_is_no_number_is_refused(peer: Peer, after: str) -> None:
    id = (await peer.ask(background=True))["id"]
    query = {"stream": "true", "starting_after": after}
    error = error_of(await peer.get(f"/responses/{id}", **query))

    assert (error["status"], error["param"]) == (400, "starting_after")


async def test_stream_behind_the_end_just_ends(peer: Peer) -> None:
    id = (await peer.ask(background=True))["id"]
    await ended(peer, id)

    assert await replay(peer, id, starting_after=100_000) == [DONE]


async def test_response_that_did_not_run_in_the_background_cannot_be_streamed(peer: Peer) -> None:
    id = (await peer.ask())["id"]
    error = error_of(await peer.get(f"/responses/{id}", stream="true"))

    assert (error["status"], error["param"]) == (400, "stream")
    assert "background" in error["message"]


async def test_silent_run_is_kept_alive_with_comments(
    serve: Serve, peer: Peer, pause: Pause
) -> None:
    serve(keepalive_interval=0.05)
    async with open_stream(peer.client, headers=peer.headers, background=True) as stream:
        await stream.until("response.output_text.delta")
        assert [await stream.next() for _ in range(3)] == [KEEPALIVE_COMMENT] * 3
        pause.release()
        await stream.rest()

    check_log(stream.events)


# Cancelling


async def test_cancelled_run_closes_the_upstream_and_its_streams(
    peer: Peer, pause: Pause, upstream: ScriptedUpstream
) -> None:
    queued = await start(peer)
    async with follow(peer, queued["id"]) as stream:
        await stream.until("response.output_text.delta")
        answer = await peer.post(f"/responses/{queued['id']}/cancel")
        rest = await stream.rest()
    request = await upstream.request(0)
    await request.disconnected.wait(1)
    shown = (await peer.get(f"/responses/{queued['id']}")).json()

    assert answer.status_code == 200
    assert answer.json()["status"] == "cancelled"
    assert shown == answer.json()
    assert not LAST & set(types(rest))
    check_log(stream.events, cancelled=True)


async def test_cancelling_twice_or_too_late_shows_what_is_there(peer: Peer, pause: Pause) -> None:
    first = (await start(peer))["id"]
    one = await peer.post(f"/responses/{first}/cancel")
    two = await peer.post(f"/responses/{first}/cancel")
    pause.release()
    second = (await start(peer))["id"]
    done = await ended(peer, second)
    late = await peer.post(f"/responses/{second}/cancel")

    assert one.json() == two.json()
    assert (late.status_code, late.json()) == (200, done)


async def test_another_owner_sees_nothing_of_a_run(peer: Peer, pause: Pause) -> None:
    id = (await start(peer))["id"]
    other = peer.other(authorization="Bearer other")

    for answer in (
        await other.get(f"/responses/{id}"),
        await other.get(f"/responses/{id}", stream="true"),
        await other.post(f"/responses/{id}/cancel"),
        await other.delete(f"/responses/{id}"),
    ):
        assert error_of(answer)["status"] == 404


async def test_deleted_run_stops(peer: Peer, pause: Pause, upstream: ScriptedUpstream) -> None:
    id = (await start(peer))["id"]
    await pause.reached.wait()
    async with follow(peer, id) as stream:
        await stream.until("response.in_progress")
        assert (await peer.delete(f"/responses/{id}")).status_code == 200
        await stream.rest()
    request = await upstream.request(0)
    await request.disconnected.wait(1)

    assert error_of(await peer.get(f"/responses/{id}"))["status"] == 404


# Refusals


async def test_background_without_store_is_refused(peer: Peer) -> None:
    error = await peer.refused(background=True, store=False)

    assert (error["status"], error["param"]) == (400, "background")
    assert "can only be used when `store` is true" in error["message"]


async def test_background_without_any_store_is_refused(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    serve(store=None)
    error = await Peer(client, upstream, KEY).refused(background=True)

    assert (error["status"], error["param"]) == (400, "background")


async def test_request_that_cannot_be_translated_is_refused_at_once(peer: Peer) -> None:
    error = await peer.refused(background=True, tools=[{"type": "nonsense"}])

    assert (error["status"], error["param"]) == (400, "tools[0].type")


async def test_one_run_too_many_is_refused(serve: Serve, peer: Peer, pause: Pause) -> None:
    serve(max_background_runs_per_owner=1)
    id = (await start(peer))["id"]
    error = await peer.refused(background=True)
    other = await start(peer.other(authorization="Bearer other"))
    pause.release()
    await ended(peer, id)

    assert (error["status"], error["code"]) == (429, "rate_limit_exceeded")
    assert other["status"] == "queued"


async def test_limit_of_a_route_holds_for_as_long_as_a_run(
    serve: Serve, peer: Peer, pause: Pause, upstream: ScriptedUpstream
) -> None:
    serve(routes={"only": {"upstream": upstream.url, "models": ["m"], "max_concurrent": 1}})
    id = (await start(peer))["id"]
    error = await peer.refused(background=True)
    pause.release()
    done = await ended(peer, id)

    assert error["status"] == 429
    assert done["status"] == "completed"


async def test_refusal_of_the_upstream_is_in_the_response(
    peer: Peer, upstream: ScriptedUpstream
) -> None:
    upstream.reply(json_answer(400, {"error": {"message": "No such thing.", "code": "nothing"}}))
    done = await ended(peer, (await start(peer))["id"])
    events = await replay(peer, done["id"])

    assert (done["status"], done["error"]["message"]) == ("failed", "No such thing.")
    check_log(events[:-1])
    assert types(events) == [
        "response.created",
        "response.queued",
        "response.in_progress",
        "error",
        "response.failed",
        DONE,
    ]


async def test_store_that_does_not_answer_is_an_error_at_once(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    serve(store=BrokenStore())
    error = await Peer(client, upstream, KEY).refused(background=True)

    assert (error["status"], error["code"]) == (503, "store_error")
    assert not upstream.requests


async def test_stream_of_a_store_that_fails_ends_where_it_can_be_taken_up(
    serve: Serve, peer: Peer, upstream: ScriptedUpstream
) -> None:
    store = BrokenLog()
    serve(store=store)
    upstream.reply(text_answer("Hello there"))
    id = (await start(peer))["id"]
    whole = await replay(peer, id)
    store.readable = 5
    broken = await replay(peer, id)
    store.readable = 1_000
    rest = await replay(peer, id, starting_after=broken[-1]["sequence_number"])

    assert DONE not in broken
    assert broken + rest == whole


# What it goes on from


async def test_background_response_is_continued_and_continues(
    peer: Peer, upstream: ScriptedUpstream
) -> None:
    first = await peer.ask("One?", says="One.")
    second = await peer.ask("Two?", says="Two.", background=True, previous_response_id=first["id"])
    await ended(peer, second["id"])
    await peer.ask("Three?", says="Three.", previous_response_id=second["id"])

    assert [content for _, content in peer.heard()] == ["One?", "One.", "Two?", "Two.", "Three?"]
    items = await peer.items_of(f"/responses/{second['id']}/input_items")
    assert [item["content"][0]["text"] for item in items] == ["Two?"]


async def test_conversation_is_locked_until_the_run_is_over(peer: Peer, pause: Pause) -> None:
    conversation = await peer.new_conversation()
    id = (await start(peer, conversation=conversation))["id"]
    error = await peer.refused(conversation=conversation)
    pause.release()
    await ended(peer, id)
    items = await peer.items_of(f"/conversations/{conversation}/items")

    assert (error["status"], error["code"]) == (409, "conversation_locked")
    assert [item["role"] for item in items] == ["user", "assistant"]


async def test_app_that_closes_ends_its_runs(
    serve: Serve, peer: Peer, pause: Pause, store: MemoryStore
) -> None:
    app = serve(background_drain=0)
    id = (await start(peer))["id"]
    async with follow(peer, id) as stream:
        await stream.until("response.output_text.delta")
        await app.aclose()
        rest = await stream.rest()

    assert types(rest)[-3:] == ["error", "response.failed", DONE]
    assert "was stopped" in rest[-2]["response"]["error"]["message"]


class BrokenStore(MemoryStore):
    async def start_run(self, *args: Any, **options: Any) -> None:
        raise StoreError("The store does not answer.")


class BrokenLog(MemoryStore):
    """A store that cannot read behind an event of its logs.

    Attributes:
        readable: how many events can be read.
    """

    readable = 1_000

    async def read_events(self, owner: str, id: str, *, after: int, limit: int) -> EventPage | None:
        if after + 1 >= self.readable:
            raise StoreError("The store does not answer.")
        page = await super().read_events(owner, id, after=after, limit=self.readable - after - 1)
        return page and EventPage(page.events, page.is_closed and self.readable >= 1_000)
