"""`previous_response_id`: the whole chain is shown to the model, and only what may be continued is.

Source: sheet §3 and §13; the API's reference of `previous_response_id`.
"""

import msgspec
import pytest

from adapter.asgi.owner import owner_of
from adapter.store.memory import MemoryStore
from tests.servers.answers import Answer, chunk, stream_answer, text_answer, tool_answer
from tests.state.conftest import KEY, Serve
from tests.state.peer import Peer

pytestmark = pytest.mark.anyio

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}


def failed_answer() -> Answer:
    return stream_answer(chunk({"content": "Hel"}), chunk({}, "error"))


async def test_response_goes_on_from_the_one_before(peer: Peer) -> None:
    first = await peer.ask("My name is Ann.", says="Hello Ann.")

    second = await peer.ask("Who am I?", says="Ann.", previous_response_id=first["id"])

    assert second["previous_response_id"] == first["id"]
    assert peer.heard() == [
        ("user", "My name is Ann."),
        ("assistant", "Hello Ann."),
        ("user", "Who am I?"),
    ]


@pytest.mark.parametrize("streamed", [False, True])
async def test_chain_of_fifty_is_shown_whole(peer: Peer, streamed: bool) -> None:
    previous = None
    for number in range(50):
        fields = {"says": f"Answer {number}", "previous_response_id": previous}
        if streamed:
            events = await peer.stream(f"Question {number}", **fields)
            previous = events[-1]["response"]["id"]
        else:
            previous = (await peer.ask(f"Question {number}", **fields))["id"]

    heard = peer.heard()
    assert len(heard) == 99
    assert heard[:2] == [("user", "Question 0"), ("assistant", "Answer 0")]
    assert heard[-2:] == [("assistant", "Answer 48"), ("user", "Question 49")]


async def test_response_may_be_continued_twice(peer: Peer) -> None:
    root = await peer.ask("A", says="a")
    await peer.ask("B", says="b", previous_response_id=root["id"])

    await peer.ask("C", says="c", previous_response_id=root["id"])

    assert peer.heard() == [("user", "A"), ("assistant", "a"), ("user", "C")]


async def test_instructions_are_not_inherited(peer: Peer) -> None:
    first = await peer.ask("A", says="a", instructions="Be brief.")

    second = await peer.ask("B", previous_response_id=first["id"])

    assert second["instructions"] is None
    assert [role for role, _ in peer.heard()] == ["user", "assistant", "user"]


async def test_output_of_a_tool_is_given_to_the_call_before(peer: Peer) -> None:
    peer.upstream.reply(tool_answer(("get_weather", {"city": "Paris"})))
    first = await peer.send("Weather?", tools=[WEATHER])
    (call,) = first["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "Sunny"}

    await peer.ask([output], tools=[WEATHER], previous_response_id=first["id"])

    assert [role for role, _ in peer.heard()] == ["user", "assistant", "tool"]
    assert peer.heard()[-1][1] == "Sunny"


async def test_reasoning_is_a_part_of_the_history(peer: Peer) -> None:
    peer.upstream.reply(text_answer("Four.", reasoning="Two and two."))
    first = await peer.send("2+2?")

    await peer.ask("Sure?", previous_response_id=first["id"])

    assistant = peer.upstream.requests[-1].json["messages"][1]
    assert assistant["reasoning_content"] == "Two and two."


async def test_incomplete_response_may_be_continued(peer: Peer) -> None:
    peer.upstream.reply(text_answer("Once upon", finish_reason="length"))
    first = await peer.send("A story", max_output_tokens=2)
    assert first["status"] == "incomplete"

    await peer.ask("Go on", previous_response_id=first["id"])

    assert peer.heard()[1:] == [("assistant", "Once upon"), ("user", "Go on")]


async def test_failed_response_is_kept_but_not_continued(peer: Peer) -> None:
    peer.upstream.reply(failed_answer())
    stream = await peer.client.post(
        "/v1/responses",
        json={"model": "m", "input": "Hi", "stream": True},
        headers=peer.headers,
    )
    id = stream.text.split('"id":"')[1].split('"')[0]

    error = await peer.refused("Go on", previous_response_id=id)

    assert (await peer.get(f"/responses/{id}")).json()["status"] == "failed"
    assert (error["status"], error["param"]) == (400, "previous_response_id")
    assert "failed" in error["message"]


@pytest.mark.parametrize("status", ["queued", "in_progress"])
async def test_response_that_is_still_made_is_not_continued(
    peer: Peer, store: MemoryStore, status: str
) -> None:
    id = (await peer.ask())["id"]
    record = await store.get(owner_of(KEY, None), id)
    assert record is not None
    await store.save(msgspec.structs.replace(record, status=status))

    error = await peer.refused(previous_response_id=id)

    assert (error["status"], error["param"]) == (400, "previous_response_id")
    assert f"is still {status}" in error["message"]


async def test_unknown_response_is_refused(peer: Peer) -> None:
    error = await peer.refused(previous_response_id="resp_unknown")

    assert error == {
        "status": 400,
        "message": "Previous response with id 'resp_unknown' not found.",
        "type": "invalid_request_error",
        "param": "previous_response_id",
        "code": "previous_response_not_found",
    }
    assert peer.upstream.requests == []


@pytest.mark.parametrize("length", [3, 40])
async def test_chain_with_a_deleted_link_is_refused(peer: Peer, length: int) -> None:
    ids: list[str] = []
    for _ in range(length):
        response = await peer.ask("Hi", previous_response_id=ids[-1] if ids else None)
        ids.append(response["id"])
    await peer.delete(f"/responses/{ids[1]}")

    error = await peer.refused(previous_response_id=ids[-1])

    assert (error["status"], error["code"]) == (400, "previous_response_not_found")
    assert "deleted" in error["message"]


async def test_chain_that_is_too_large_is_refused(peer: Peer, serve: Serve) -> None:
    serve(max_history_bytes=5_000)
    first = await peer.ask("x" * 3_000)
    second = await peer.ask("x" * 3_000, previous_response_id=first["id"])

    error = await peer.refused(previous_response_id=second["id"])

    assert (error["status"], error["code"]) == (400, "history_too_large")
    assert error["param"] == "previous_response_id"


async def test_request_goes_on_from_one_thing_only(peer: Peer) -> None:
    error = await peer.refused(previous_response_id="resp_1", conversation="conv_1")

    assert error["status"] == 400
    assert "mutually exclusive" in error["message"]


async def test_history_alone_is_no_question(peer: Peer) -> None:
    """It is: the model is asked to go on, as OpenAI's does it with an empty input."""
    first = await peer.ask("A", says="a")

    second = await peer.ask([], says="b", previous_response_id=first["id"])

    assert second["status"] == "completed"


@pytest.mark.parametrize("streamed", [False, True])
async def test_what_is_not_stored_cannot_be_continued(peer: Peer, streamed: bool) -> None:
    if streamed:
        events = await peer.stream(store=False)
        assert [events[0]["response"]["store"], events[-1]["response"]["store"]] == [False, False]
        id = events[-1]["response"]["id"]
    else:
        response = await peer.ask(store=False)
        assert response["store"] is False
        id = response["id"]

    error = await peer.refused(previous_response_id=id)

    assert error["code"] == "previous_response_not_found"


async def test_response_is_stored_before_it_is_said_to_be_complete(peer: Peer) -> None:
    events = await peer.stream(says="Hello")
    last = events[-1]["response"]

    assert [events[0]["response"]["store"], last["store"]] == [True, True]
    assert (await peer.get(f"/responses/{last['id']}")).json() == last
