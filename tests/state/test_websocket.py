"""The WebSocket mode with a store: what the connection does not remember is looked up."""

from collections.abc import AsyncIterator

import pytest

from tests.asgi.conftest import Stand
from tests.asgi.sockets import Socket, open_socket
from tests.servers.answers import Hang, chunk, stream_answer, text_answer
from tests.state.conftest import KEY, Serve
from tests.state.peer import Peer
from tests.state.test_store_failures import BrokenStore

pytestmark = pytest.mark.anyio


@pytest.fixture
async def socket(stand: Stand, peer: Peer) -> AsyncIterator[Socket]:
    async with open_socket(stand.url, headers=KEY) as socket:
        yield socket


async def test_response_is_stored_and_said_so(socket: Socket, peer: Peer) -> None:
    peer.upstream.reply(text_answer("Hello"))

    response = await socket.ask()

    assert response["store"] is True
    assert (await peer.get(f"/responses/{response['id']}")).json() == response


async def test_response_of_http_is_continued(socket: Socket, peer: Peer) -> None:
    first = await peer.ask("A", says="a")
    peer.upstream.reply(text_answer("b"), text_answer("c"))

    second = await socket.ask(input="B", previous_response_id=first["id"])
    third = await socket.ask(input="C", previous_response_id=second["id"])

    assert [text for _, text in peer.heard()] == ["A", "a", "B", "b", "C"]
    await peer.ask("D", previous_response_id=third["id"])
    assert [text for _, text in peer.heard()] == ["A", "a", "B", "b", "C", "c", "D"]


async def test_response_is_continued_on_another_connection(
    socket: Socket, stand: Stand, peer: Peer
) -> None:
    peer.upstream.reply(text_answer("a"), text_answer("b"))
    first = await socket.ask(input="A")

    async with open_socket(stand.url, headers=KEY) as other:
        await other.ask(input="B", previous_response_id=first["id"])

    assert [text for _, text in peer.heard()] == ["A", "a", "B"]


async def test_what_is_not_stored_is_known_to_its_connection_alone(
    socket: Socket, stand: Stand, peer: Peer
) -> None:
    peer.upstream.reply(text_answer("a"), text_answer("b"))
    first = await socket.ask(input="A", store=False)

    second = await socket.ask(input="B", store=False, previous_response_id=first["id"])
    async with open_socket(stand.url, headers=KEY) as other:
        error = await other.refused(input="C", previous_response_id=second["id"])

    assert error["error"]["code"] == "previous_response_not_found"
    assert [text for _, text in peer.heard()] == ["A", "a", "B"]


async def test_what_continues_an_unstored_response_is_not_stored(
    socket: Socket, peer: Peer
) -> None:
    """Its chain could never be shown."""
    peer.upstream.reply(text_answer("a"), text_answer("b"))
    first = await socket.ask(input="A", store=False)

    second = await socket.ask(input="B", previous_response_id=first["id"])

    assert second["store"] is False
    assert (await peer.get(f"/responses/{second['id']}")).status_code == 404


async def test_warm_up_is_stored_too(socket: Socket, peer: Peer) -> None:
    first = await socket.ask(input="A", generate=False)
    peer.upstream.reply(text_answer("b"))
    second = await socket.ask(input="B", previous_response_id=first["id"])

    assert (first["store"], second["store"]) == (True, True)
    await peer.ask("C", previous_response_id=second["id"])
    assert [text for _, text in peer.heard()] == ["A\n\nB", "b", "C"]


async def test_unknown_response_is_refused(socket: Socket) -> None:
    error = await socket.refused(previous_response_id="resp_x")

    assert (error["status"], error["error"]["code"]) == (400, "previous_response_not_found")
    assert error["error"]["param"] == "previous_response_id"


async def test_response_of_another_is_refused(stand: Stand, socket: Socket, peer: Peer) -> None:
    first = await peer.ask()

    async with open_socket(stand.url, headers={"authorization": "Bearer another"}) as other:
        error = await other.refused(previous_response_id=first["id"])

    assert error["error"]["code"] == "previous_response_not_found"


async def test_conversation_is_gone_on_with(socket: Socket, peer: Peer) -> None:
    id = await peer.new_conversation()
    peer.upstream.reply(text_answer("a"), text_answer("b"))

    first = await socket.ask(input="A", conversation=id)
    await socket.ask(input="B", conversation={"id": id})

    assert first["conversation"] == {"id": id}
    assert [text for _, text in peer.heard()] == ["A", "a", "B"]
    assert len(await peer.items_of(f"/conversations/{id}/items")) == 4


async def test_conversation_is_free_when_the_client_has_left(stand: Stand, peer: Peer) -> None:
    id = await peer.new_conversation()
    peer.upstream.reply(stream_answer(chunk({"content": "a"}), Hang()))
    async with open_socket(stand.url, headers=KEY) as socket:
        await socket.create(conversation=id)
        await socket.until("response.output_text.delta")
    request = await peer.upstream.request(0)
    await request.disconnected.wait()

    assert (await peer.ask(conversation=id))["status"] == "completed"


async def test_item_is_referred_to(socket: Socket, peer: Peer) -> None:
    (item,) = (await peer.ask("A", says="a"))["output"]
    peer.upstream.reply(text_answer("b"), text_answer("c"))

    second = await socket.ask(input=[{"type": "item_reference", "id": item["id"]}])
    await socket.ask(input="C", previous_response_id=second["id"])

    assert [text for _, text in peer.heard()] == ["a\n\nb", "C"]


async def test_warm_up_without_its_store_is_answered(
    stand: Stand, serve: Serve, peer: Peer
) -> None:
    serve(BrokenStore("save"), store_error="answer")
    async with open_socket(stand.url, headers=KEY) as socket:
        response = await socket.ask(generate=False)

    assert response["store"] is False
