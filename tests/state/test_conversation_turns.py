"""`conversation` on a request: history from it, input and output into it, one response at a time.

Source: sheet §3; the API's reference of `conversation`.
"""

from typing import Any

import pytest

from adapter.asgi.owner import owner_of
from adapter.store.memory import MemoryStore
from tests.asgi.streams import open_stream
from tests.servers.answers import Hang, Pause, chunk, stream_answer, text_answer, tool_answer
from tests.state.conftest import Serve
from tests.state.peer import Peer, error_of

pytestmark = pytest.mark.anyio


async def said_in(peer: Peer, id: str) -> list[Any]:
    items = await peer.items_of(f"/conversations/{id}/items")
    return [item["content"][0]["text"] if "content" in item else item["type"] for item in items]


@pytest.mark.parametrize("as_object", [False, True])
async def test_conversation_is_told_by_its_id(peer: Peer, as_object: bool) -> None:
    id = await peer.new_conversation()

    response = await peer.ask(conversation={"id": id} if as_object else id)

    assert response["conversation"] == {"id": id}


async def test_response_without_one_says_nothing_of_it(peer: Peer) -> None:
    assert "conversation" not in await peer.ask()


@pytest.mark.parametrize("streamed", [False, True])
async def test_input_and_output_become_a_part_of_it(peer: Peer, streamed: bool) -> None:
    id = await peer.new_conversation(items=[{"role": "user", "content": "I am Ann."}])
    ask = peer.stream if streamed else peer.ask

    await ask("Remember it.", says="I will.", conversation=id)
    await ask("Who am I?", says="Ann.", conversation=id)

    heard = [text for _, text in peer.heard()]
    assert heard == ["I am Ann.\n\nRemember it.", "I will.", "Who am I?"]
    assert await said_in(peer, id) == ["I am Ann.", "Remember it.", "I will.", "Who am I?", "Ann."]


async def test_items_have_the_ids_of_the_response(peer: Peer) -> None:
    id = await peer.new_conversation()

    response = await peer.ask(conversation=id)

    items = await peer.items_of(f"/conversations/{id}/items")
    own = await peer.items_of(f"/responses/{response['id']}/input_items")
    assert items == [*own, *response["output"]]


async def test_tools_are_called_across_turns(peer: Peer) -> None:
    id = await peer.new_conversation()
    tools = [{"type": "function", "name": "f", "parameters": {"type": "object"}}]
    peer.upstream.reply(tool_answer(("f", {})))
    (call,) = (await peer.send("Call", tools=tools, conversation=id))["output"]
    output = {"type": "function_call_output", "call_id": call["call_id"], "output": "1"}

    await peer.ask([output], says="One.", tools=tools, conversation=id)

    assert await said_in(peer, id) == ["Call", "function_call", "function_call_output", "One."]


async def test_response_of_a_conversation_may_be_continued_by_its_id(peer: Peer) -> None:
    """Its own input and output only: a conversation has no previous response."""
    id = await peer.new_conversation()
    await peer.ask("A", says="a", conversation=id)
    second = await peer.ask("B", says="b", conversation=id)

    await peer.ask("C", previous_response_id=second["id"])

    assert [text for _, text in peer.heard()] == ["B", "b", "C"]


async def test_response_that_is_not_stored_becomes_a_part_of_it_too(peer: Peer) -> None:
    id = await peer.new_conversation()

    response = await peer.ask("A", says="a", conversation=id, store=False)

    assert response["store"] is False
    assert await said_in(peer, id) == ["A", "a"]
    assert (await peer.get(f"/responses/{response['id']}")).status_code == 404


async def test_failed_response_leaves_it_as_it_was(peer: Peer) -> None:
    id = await peer.new_conversation()
    peer.upstream.reply(stream_answer(chunk({"content": "Hel"}), chunk({}, "error")))

    async with open_stream(peer.client, headers=peer.headers, conversation=id) as stream:
        blocks = await stream.rest()

    assert blocks[-2]["type"] == "response.failed"
    assert await said_in(peer, id) == []


async def test_unknown_conversation_is_a_404(peer: Peer) -> None:
    error = await peer.refused(conversation="conv_x")

    assert (error["status"], error["code"]) == (404, "conversation_not_found")


async def test_conversation_that_is_no_id_is_refused(peer: Peer) -> None:
    error = await peer.refused(conversation={"name": "mine"})

    assert (error["status"], error["param"]) == (400, "conversation")


async def test_conversation_that_is_too_large_is_refused(peer: Peer, serve: Serve) -> None:
    serve(max_history_bytes=1000)
    id = await peer.new_conversation(items=[{"role": "user", "content": "x" * 2000}])

    error = await peer.refused(conversation=id)

    assert (error["code"], error["param"]) == ("history_too_large", "conversation")


# One response at a time


async def test_second_response_is_refused_while_the_first_is_made(peer: Peer) -> None:
    id = await peer.new_conversation()
    pause = Pause()
    peer.upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({}, "stop")))

    async with open_stream(peer.client, headers=peer.headers, conversation=id) as stream:
        await stream.until("response.output_text.delta")
        answer = await peer.post(
            "/responses", {"model": "m", "input": "B", "conversation": {"id": id}}
        )
        pause.release()
        await stream.rest()

    error = error_of(answer)
    assert (error["status"], error["code"]) == (409, "conversation_locked")
    assert answer.headers["retry-after"] == "1"
    await peer.ask("C", conversation=id)


async def test_conversation_is_free_before_the_response_is_said_to_be_complete(
    peer: Peer, store: MemoryStore
) -> None:
    """Its client goes on at once."""
    id = await peer.new_conversation()
    peer.upstream.reply(text_answer("a"))

    async with open_stream(peer.client, headers=peer.headers, conversation=id) as stream:
        await stream.until("response.completed")
        is_free = await store.lock_conversation(owner_of(peer.headers, None), id, "another", 1)

    assert is_free


async def test_conversation_is_free_when_the_client_has_left(peer: Peer) -> None:
    id = await peer.new_conversation()
    peer.upstream.reply(stream_answer(chunk({"content": "a"}), Hang()))
    async with open_stream(peer.client, headers=peer.headers, conversation=id) as stream:
        await stream.until("response.output_text.delta")
    request = await peer.upstream.request(0)
    await request.disconnected.wait()

    response = await peer.ask("B", conversation=id)

    assert response["status"] == "completed"
    assert await said_in(peer, id) == ["B", "Hello"]


@pytest.mark.parametrize("fault", ["refused", "failed"])
async def test_conversation_is_free_after_a_failure(peer: Peer, fault: str) -> None:
    id = await peer.new_conversation()
    if fault == "refused":
        await peer.refused(conversation=id, tool_choice="required")
    else:
        peer.upstream.reply(stream_answer(chunk({}, "error")))
        error = await peer.refused(conversation=id)
        assert error["status"] >= 500

    assert (await peer.ask(conversation=id))["status"] == "completed"


async def test_deleted_conversation_does_not_spoil_the_response(peer: Peer) -> None:
    id = await peer.new_conversation()
    pause = Pause()
    peer.upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({}, "stop")))

    async with open_stream(peer.client, headers=peer.headers, conversation=id) as stream:
        await stream.until("response.output_text.delta")
        await peer.delete(f"/conversations/{id}")
        pause.release()
        last = (await stream.rest())[-2]["response"]

    assert last["status"] == "completed"
    assert (await peer.get(f"/responses/{last['id']}")).status_code == 200


async def test_conversations_do_not_wait_for_each_other(peer: Peer) -> None:
    ids = [await peer.new_conversation() for _ in range(2)]
    pause = Pause()
    peer.upstream.reply(stream_answer(chunk({"content": "a"}), pause, chunk({}, "stop")))
    async with open_stream(peer.client, headers=peer.headers, conversation=ids[0]) as stream:
        await stream.until("response.output_text.delta")

        peer.upstream.reply(text_answer("b"))
        response = await peer.send("B", conversation=ids[1])
        pause.release()
        await stream.rest()

    assert response["status"] == "completed"
