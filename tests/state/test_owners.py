"""Everything belongs to whoever made it, and is not there for anybody else."""

from typing import Any

import pytest

from adapter.asgi.owner import owner_of
from adapter.errors import InvalidRequestError
from adapter.store.memory import MemoryStore
from tests.state.conftest import KEY, Serve
from tests.state.peer import Peer, error_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/responses/{response}"),
        ("DELETE", "/responses/{response}"),
        ("GET", "/responses/{response}/input_items"),
        ("POST", "/responses/{response}/cancel"),
        ("GET", "/conversations/{conversation}"),
        ("POST", "/conversations/{conversation}"),
        ("DELETE", "/conversations/{conversation}"),
        ("GET", "/conversations/{conversation}/items"),
        ("POST", "/conversations/{conversation}/items"),
        ("GET", "/conversations/{conversation}/items/{item}"),
        ("DELETE", "/conversations/{conversation}/items/{item}"),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer another"}])
async def test_what_is_anothers_is_not_there(
    peer: Peer, method: str, path: str, headers: dict[str, str]
) -> None:
    conversation = await peer.new_conversation()
    response = (await peer.ask(conversation=conversation))["id"]
    item = (await peer.items_of(f"/conversations/{conversation}/items"))[0]["id"]
    url = "/v1" + path.format(response=response, conversation=conversation, item=item)
    body = {"metadata": {}, "items": []} if method == "POST" else None

    theirs = await peer.client.request(method, url, json=body, headers=headers)
    unknown = await peer.client.request(method, url + "x", json=body, headers=headers)
    ours = await peer.client.request(method, url, json=body, headers=peer.headers)

    assert theirs.status_code == 404
    assert ours.status_code in (200, 400)
    if path.endswith("}"):  # and nothing tells the two apart
        assert unknown.text.replace("x'", "'") == theirs.text


async def test_response_of_another_is_not_continued(peer: Peer) -> None:
    id = (await peer.ask())["id"]

    error = await peer.other(authorization="Bearer another").refused(previous_response_id=id)

    assert (error["status"], error["code"]) == (400, "previous_response_not_found")


async def test_conversation_of_another_is_not_continued(peer: Peer) -> None:
    id = await peer.new_conversation()

    error = await peer.other(authorization="Bearer another").refused(conversation=id)

    assert error["status"] == 404


async def test_item_of_another_is_not_referred_to(peer: Peer) -> None:
    (item,) = (await peer.ask())["output"]
    stranger = peer.other(authorization="Bearer another")

    error = await stranger.refused([{"type": "item_reference", "id": item["id"]}])

    assert error["status"] == 404


async def test_clients_without_a_key_share(peer: Peer) -> None:
    id = (await peer.other().ask())["id"]

    assert (await peer.other().get(f"/responses/{id}")).status_code == 200


async def test_header_of_a_gateway_names_the_owner(peer: Peer, serve: Serve) -> None:
    serve(owner_header="X-Tenant")
    ann, bob = (peer.other(**KEY, **{"x-tenant": name}) for name in ("ann", "bob"))
    id = (await ann.ask())["id"]

    assert (await ann.get(f"/responses/{id}")).status_code == 200
    assert (await bob.get(f"/responses/{id}")).status_code == 404


async def test_request_without_the_header_is_refused_if_it_stores(peer: Peer, serve: Serve) -> None:
    serve(owner_header="x-tenant")

    error = await peer.refused()
    retrieved = error_of(await peer.get("/responses/resp_x"))

    assert (error["status"], error["code"]) == (401, "missing_owner")
    assert (retrieved["status"], retrieved["code"]) == (401, "missing_owner")
    assert (await peer.ask(store=False))["status"] == "completed"


async def test_owner_is_no_credential(peer: Peer, store: MemoryStore) -> None:
    id = (await peer.ask())["id"]

    record = await store.get(owner_of(KEY, None), id)

    assert record is not None
    assert len(record.owner) == 64
    assert "key-of-the-client" not in record.owner


@pytest.mark.parametrize(
    ("one", "other", "are_same"),
    [
        ({"authorization": "Bearer k"}, {"authorization": "bearer  k "}, True),
        ({"authorization": "k"}, {"authorization": "Bearer k"}, True),
        ({"authorization": "Bearer k"}, {"authorization": "Bearer K"}, False),
        ({"authorization": "Bearer k"}, {}, False),
        ({"api-key": "k"}, {"api-key": "k"}, True),
        ({"api-key": "k"}, {"api-key": "K"}, False),
        ({"x-api-key": "k"}, {}, False),
    ],
)
def test_owner_is_the_key(one: Any, other: Any, are_same: bool) -> None:
    assert (owner_of(one, None) == owner_of(other, None)) is are_same


async def test_two_owners_are_none(peer: Peer, serve: Serve) -> None:
    """A gateway that adds its header behind the client's own must not let it choose."""
    serve(owner_header="X-Tenant")
    both = [("x-tenant", "victim"), ("X-Tenant", "ann"), *KEY.items()]

    answer = await peer.client.get("/v1/responses/resp_x", headers=both)

    assert error_of(answer)["message"] == "Invalid header 'x-tenant': expected it once."


def test_header_is_no_authorization() -> None:
    named = owner_of({"x-tenant": "k"}, "x-tenant")

    assert named != owner_of({"authorization": "Bearer k"}, None)
    with pytest.raises(InvalidRequestError):
        owner_of({"x-tenant": " "}, "x-tenant")
