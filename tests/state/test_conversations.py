"""`/conversations`: create, retrieve, update, delete, and their items.

Source: sheet §1; OpenAI SDK 3.51 `Conversation`, `ConversationItemList`.
"""

from typing import Any

import pytest
from openai.types.conversations import Conversation, ConversationItemList

from tests.state.peer import Peer, error_of

pytestmark = pytest.mark.anyio

MESSAGES = [{"role": "user", "content": text} for text in ("A", "B", "C")]


def texts(items: list[dict[str, Any]]) -> list[str]:
    return [item["content"][0]["text"] for item in items]


async def test_conversation_is_created_and_retrieved(peer: Peer) -> None:
    answer = await peer.post("/conversations", {"metadata": {"topic": "demo"}})

    created = answer.json()
    assert Conversation.model_validate(created)
    assert created["id"].startswith("conv_")
    assert (created["object"], created["metadata"]) == ("conversation", {"topic": "demo"})
    assert (await peer.get(f"/conversations/{created['id']}")).json() == created


@pytest.mark.parametrize("body", [None, {}, {"items": None, "metadata": None}])
async def test_conversation_may_begin_with_nothing(peer: Peer, body: Any) -> None:
    created = (await peer.post("/conversations", body)).json()

    assert created["metadata"] == {}
    assert await peer.items_of(f"/conversations/{created['id']}/items") == []


async def test_empty_list_has_no_ids(peer: Peer) -> None:
    id = await peer.new_conversation()

    page = (await peer.get(f"/conversations/{id}/items")).json()

    assert page == {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}


async def test_conversation_may_begin_with_items(peer: Peer) -> None:
    id = await peer.new_conversation(items=MESSAGES)

    items = await peer.items_of(f"/conversations/{id}/items")

    assert texts(items) == ["A", "B", "C"]


async def test_metadata_is_replaced(peer: Peer) -> None:
    id = await peer.new_conversation(metadata={"a": "1"})

    updated = (await peer.post(f"/conversations/{id}", {"metadata": {"b": "2"}})).json()

    assert updated["metadata"] == {"b": "2"}
    assert (await peer.get(f"/conversations/{id}")).json() == updated


async def test_deleted_conversation_is_gone(peer: Peer) -> None:
    id = await peer.new_conversation(items=MESSAGES)

    answer = await peer.delete(f"/conversations/{id}")

    assert answer.json() == {"id": id, "object": "conversation.deleted", "deleted": True}
    assert (await peer.get(f"/conversations/{id}")).status_code == 404
    assert (await peer.get(f"/conversations/{id}/items")).status_code == 404


async def test_items_are_added_and_shown(peer: Peer) -> None:
    id = await peer.new_conversation()

    answer = await peer.post(f"/conversations/{id}/items", {"items": MESSAGES})

    added = answer.json()
    assert ConversationItemList.model_validate(added)
    assert texts(added["data"]) == ["A", "B", "C"]
    assert await peer.items_of(f"/conversations/{id}/items") == added["data"]
    item = added["data"][1]
    assert (await peer.get(f"/conversations/{id}/items/{item['id']}")).json() == item


async def test_list_is_the_newest_first_and_comes_in_pages(peer: Peer) -> None:
    id = await peer.new_conversation(items=MESSAGES)
    path = f"/conversations/{id}/items"

    first = (await peer.get(path, limit=2)).json()
    second = (await peer.get(path, limit=2, after=first["last_id"])).json()

    assert (texts(first["data"]), first["has_more"]) == (["C", "B"], True)
    assert (texts(second["data"]), second["has_more"]) == (["A"], False)


async def test_item_is_deleted(peer: Peer) -> None:
    id = await peer.new_conversation(items=MESSAGES)
    items = await peer.items_of(f"/conversations/{id}/items")
    path = f"/conversations/{id}/items/{items[1]['id']}"

    answer = await peer.delete(path)

    assert answer.json() == (await peer.get(f"/conversations/{id}")).json()
    assert texts(await peer.items_of(f"/conversations/{id}/items")) == ["A", "C"]
    assert (await peer.get(path)).status_code == 404
    assert (await peer.delete(path)).status_code == 404


async def test_item_whose_id_is_taken_gets_another(peer: Peer) -> None:
    item = {"id": "msg_1", "role": "user", "content": "A"}
    id = await peer.new_conversation(items=[item])

    await peer.post(f"/conversations/{id}/items", {"items": [item | {"content": "B"}]})

    items = await peer.items_of(f"/conversations/{id}/items")
    assert texts(items) == ["A", "B"]
    assert items[0]["id"] == "msg_1" != items[1]["id"]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({}, 400, "items"),
        ({"items": "text"}, 400, "items"),
        ({"items": [{"type": "thing"}]}, 400, "items[0].type"),
        ({"items": [{"type": "message", "role": "martian"}]}, 400, "items[0].role"),
        ({"items": MESSAGES * 7}, 400, "items"),
        ({"items": [{"type": "item_reference", "id": "msg_x"}]}, 404, "items[0].id"),
    ],
)
async def test_items_that_cannot_be_are_refused(
    peer: Peer, body: Any, status: int, param: str
) -> None:
    id = await peer.new_conversation()

    error = error_of(await peer.post(f"/conversations/{id}/items", body))

    assert (error["status"], error["param"]) == (status, param)


async def test_metadata_that_cannot_be_is_refused(peer: Peer) -> None:
    error = error_of(await peer.post("/conversations", {"metadata": {"a": "x" * 513}}))

    assert (error["status"], error["code"]) == (400, "string_above_max_length")


async def test_body_that_is_not_json_is_refused(peer: Peer) -> None:
    answer = await peer.client.post("/v1/conversations", content=b"{", headers=peer.headers)

    assert error_of(answer)["code"] == "invalid_json"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/conversations/conv_x"),
        ("POST", "/conversations/conv_x"),
        ("DELETE", "/conversations/conv_x"),
        ("GET", "/conversations/conv_x/items"),
        ("POST", "/conversations/conv_x/items"),
        ("GET", "/conversations/conv_x/items/msg_x"),
        ("DELETE", "/conversations/conv_x/items/msg_x"),
    ],
)
async def test_unknown_conversation_is_a_404(peer: Peer, method: str, path: str) -> None:
    answer = await peer.client.request(
        method,
        f"/v1{path}",
        json={"metadata": {}, "items": []} if method == "POST" else None,
        headers=peer.headers,
    )

    error = error_of(answer)
    assert (error["status"], error["code"]) == (404, "conversation_not_found")
    assert error["message"] == "Conversation with id 'conv_x' not found."


async def test_unknown_item_is_a_404(peer: Peer) -> None:
    id = await peer.new_conversation()

    for answer in (
        await peer.get(f"/conversations/{id}/items/msg_x"),
        await peer.delete(f"/conversations/{id}/items/msg_x"),
    ):
        assert error_of(answer)["message"] == "Item with id 'msg_x' not found."


async def test_page_behind_an_unknown_item_is_refused(peer: Peer) -> None:
    id = await peer.new_conversation()

    error = error_of(await peer.get(f"/conversations/{id}/items", after="msg_x"))

    assert (error["status"], error["param"]) == (400, "after")
