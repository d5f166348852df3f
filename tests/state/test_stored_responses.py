"""`/responses/{id}`: retrieve, delete, input items, cancel.

Source: sheet §1; OpenAI SDK 3.51 `Response`, `ResponseItemList`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import httpx2
import pytest
from openai.types.responses import Response, ResponseItem
from pydantic import TypeAdapter

from adapter.store.memory import MemoryStore
from tests.servers.answers import text_answer, tool_answer
from tests.servers.scripted import ScriptedUpstream
from tests.state.conftest import KEY, Serve
from tests.state.peer import Peer, error_of

pytestmark = pytest.mark.anyio

UNKNOWN = "Response with id 'resp_unknown' not found."


async def test_response_is_retrieved_as_it_was_said(peer: Peer) -> None:
    said = await peer.ask("Hi", metadata={"a": "b"}, instructions="Be brief.", temperature=0.5)

    answer = await peer.get(f"/responses/{said['id']}")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == said
    Response.model_validate(answer.json())


@pytest.mark.parametrize(
    "query", [{}, {"include": "message.output_text.logprobs"}, {"stream": "false"}, {"x": "y"}]
)
async def test_query_of_retrieve_may_say_what_to_include(peer: Peer, query: Any) -> None:
    said = await peer.ask()

    assert (await peer.get(f"/responses/{said['id']}", **query)).json() == said


async def test_unknown_include_is_refused(peer: Peer) -> None:
    said = await peer.ask()

    error = error_of(await peer.get(f"/responses/{said['id']}", **{"include[]": "everything"}))

    assert (error["status"], error["param"]) == (400, "include[0]")


async def test_response_that_is_over_is_not_streamed_again(peer: Peer) -> None:
    said = await peer.ask()

    error = error_of(await peer.get(f"/responses/{said['id']}", stream="true"))

    assert (error["status"], error["param"]) == (400, "stream")


async def test_deleted_response_is_gone(peer: Peer) -> None:
    id = (await peer.ask())["id"]

    answer = await peer.delete(f"/responses/{id}")

    assert answer.json() == {"id": id, "object": "response", "deleted": True}
    assert (await peer.get(f"/responses/{id}")).status_code == 404
    assert (await peer.delete(f"/responses/{id}")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/responses/resp_unknown"),
        ("DELETE", "/responses/resp_unknown"),
        ("GET", "/responses/resp_unknown/input_items"),
        ("POST", "/responses/resp_unknown/cancel"),
    ],
)
async def test_unknown_response_is_a_404(peer: Peer, method: str, path: str) -> None:
    answer = await peer.client.request(method, f"/v1{path}", headers=peer.headers)

    assert error_of(answer) == {
        "status": 404,
        "message": UNKNOWN,
        "type": "invalid_request_error",
        "param": None,
        "code": "response_not_found",
    }


async def test_synchronous_response_cannot_be_cancelled(peer: Peer) -> None:
    id = (await peer.ask())["id"]

    error = error_of(await peer.post(f"/responses/{id}/cancel"))

    assert (error["status"], error["message"]) == (400, "Cannot cancel a synchronous response.")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/responses/a"), ("GET", "/responses/a/cancel"), ("POST", "/responses/a/input_items")],
)
async def test_other_methods_are_not_allowed(peer: Peer, method: str, path: str) -> None:
    answer = await peer.client.request(method, f"/v1{path}", headers=peer.headers)

    assert error_of(answer)["status"] == 405


# Input items

ITEMS: list[dict[str, Any]] = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {
        "type": "message",
        "role": "user",
        "content": [
            {"type": "input_text", "text": "See:"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        ],
    },
    {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "Hm"}]},
    {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "c1", "output": "1", "status": None},
    {"type": "custom_tool_call", "call_id": "c2", "name": "g", "input": "x"},
    {"type": "custom_tool_call_output", "call_id": "c2", "output": "2"},
    {"type": "message", "id": "msg_own", "role": "user", "content": "Bye"},
]


async def test_text_is_listed_as_a_message(peer: Peer) -> None:
    id = (await peer.ask("Hi"))["id"]

    page = (await peer.get(f"/responses/{id}/input_items")).json()

    (item,) = page["data"]
    assert item.pop("id").startswith("msg_")
    assert item == {
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": [{"type": "input_text", "text": "Hi"}],
    }
    assert page["object"] == "list"
    assert page["has_more"] is False
    assert page["first_id"] == page["last_id"] is not None


async def test_every_item_has_an_id_and_fits_the_types_of_the_sdk(peer: Peer) -> None:
    id = (await peer.ask(ITEMS))["id"]

    items = await peer.items_of(f"/responses/{id}/input_items")

    TypeAdapter(list[ResponseItem]).validate_python(items)
    prefixes = [item["id"].partition("_")[0] for item in items]
    assert prefixes == ["msg", "msg", "msg", "msg", "rs", "fc", "fco", "ctc", "ctco", "msg"]
    assert items[-1]["id"] == "msg_own"
    assert len({item["id"] for item in items}) == len(items)


async def test_only_its_own_input_is_listed(peer: Peer) -> None:
    first = await peer.ask("A")
    second = await peer.ask("B", previous_response_id=first["id"])

    (item,) = await peer.items_of(f"/responses/{second['id']}/input_items")

    assert item["content"][0]["text"] == "B"


async def test_list_is_the_newest_first_and_comes_in_pages(peer: Peer) -> None:
    given = [{"role": "user", "content": str(number)} for number in range(45)]
    path = f"/responses/{(await peer.ask(given))['id']}/input_items"

    pages: list[dict[str, Any]] = []
    while not pages or pages[-1]["has_more"]:
        after = {"after": pages[-1]["last_id"]} if pages else {}
        pages.append((await peer.get(path, **after)).json())

    texts = [item["content"][0]["text"] for page in pages for item in page["data"]]
    assert texts == [str(number) for number in reversed(range(45))]
    assert [len(page["data"]) for page in pages] == [20, 20, 5]
    assert [page["first_id"] for page in pages] == [page["data"][0]["id"] for page in pages]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "101"}, "limit"),
        ({"limit": "many"}, "limit"),
        ({"order": "random"}, "order"),
        ({"after": "msg_unknown"}, "after"),
    ],
)
async def test_page_that_cannot_be_is_refused(
    peer: Peer, query: dict[str, str], param: str
) -> None:
    id = (await peer.ask())["id"]

    error = error_of(await peer.get(f"/responses/{id}/input_items", **query))

    assert (error["status"], error["param"]) == (400, param)


# References to items


async def test_item_may_be_referred_to_by_its_id(peer: Peer) -> None:
    """Vercel's AI SDK does so with whatever an earlier response holds."""
    peer.upstream.reply(tool_answer(("f", {})))
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    (call,) = (await peer.send("Call", tools=[tool]))["output"]
    given = [
        {"role": "user", "content": "Call"},
        {"type": "item_reference", "id": call["id"]},
        {"type": "function_call_output", "call_id": call["call_id"], "output": "1"},
    ]

    response = await peer.ask(given, tools=[tool])

    assert [role for role, _ in peer.heard()] == ["user", "assistant", "tool"]
    items = await peer.items_of(f"/responses/{response['id']}/input_items")
    assert [item["type"] for item in items] == ["message", "function_call", "function_call_output"]
    assert items[1] == call


@pytest.mark.parametrize("stored", [True, False])
async def test_reference_without_a_type_is_understood(peer: Peer, stored: bool) -> None:
    (message,) = (await peer.ask("A", says="a"))["output"]

    await peer.ask([{"id": message["id"]}, {"role": "user", "content": "B"}], store=stored)

    assert peer.heard() == [("assistant", "a"), ("user", "B")]


async def test_items_of_an_input_may_be_referred_to(peer: Peer) -> None:
    first = await peer.ask("A")
    (item,) = await peer.items_of(f"/responses/{first['id']}/input_items")

    await peer.ask([{"type": "item_reference", "id": item["id"]}])

    assert peer.heard() == [("user", "A")]


async def test_unknown_item_is_a_404(peer: Peer) -> None:
    error = await peer.refused([{"type": "item_reference", "id": "msg_unknown"}])

    assert error == {
        "status": 404,
        "message": "Item with id 'msg_unknown' not found.",
        "type": "invalid_request_error",
        "param": "input[0].id",
        "code": "item_not_found",
    }


async def test_reference_outlives_the_response_that_it_came_from(peer: Peer) -> None:
    first = await peer.ask("A", says="a")
    (message,) = first["output"]
    second = await peer.ask([{"type": "item_reference", "id": message["id"]}])
    await peer.delete(f"/responses/{first['id']}")

    await peer.ask("B", previous_response_id=second["id"])

    assert peer.heard()[0] == ("assistant", "a\n\nHello")


async def test_id_that_is_given_twice_is_given_anew(peer: Peer) -> None:
    given = [{"id": "msg_1", "role": "user", "content": text} for text in "AB"]

    id = (await peer.ask(given))["id"]

    items = await peer.items_of(f"/responses/{id}/input_items")
    assert [item["content"][0]["text"] for item in items] == ["A", "B"]
    assert items[0]["id"] == "msg_1" != items[1]["id"]


async def test_answer_that_does_not_stream_is_stored_too(peer: Peer) -> None:
    peer.upstream.reply(text_answer("Hello"))
    said = await peer.send("Hi", stream=False)

    assert (await peer.get(f"/responses/{said['id']}")).json() == said


async def test_references_are_no_way_to_make_much_of_a_short_request(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    serve(max_history_bytes=5_000)
    peer = Peer(client, upstream, KEY)
    first = await peer.ask("x" * 2_000)
    (item,) = await peer.items_of(f"/responses/{first['id']}/input_items")
    reference = {"type": "item_reference", "id": item["id"]}
    conversation = await peer.new_conversation()

    await peer.ask([reference] * 2)
    error = await peer.refused([reference] * 3)
    added = await peer.post(f"/conversations/{conversation}/items", {"items": [reference] * 3})

    assert (error["status"], error["code"], error["param"]) == (400, "history_too_large", "input")
    assert (error_of(added)["code"], error_of(added)["param"]) == ("history_too_large", "items")


async def test_references_are_looked_up_until_one_is_not_there(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    store = CountingStore()
    serve(store=store)
    unknown = [{"type": "item_reference", "id": f"msg_{number}"} for number in range(15_000)]

    error = await Peer(client, upstream, KEY).refused(unknown)

    assert error["param"] == "input[0].id"
    assert store.asked_for == 1_000


class CountingStore(MemoryStore):
    """Knows for how many items it was asked."""

    asked_for = 0

    async def find_items(self, owner: str, ids: Sequence[str]) -> Mapping[str, bytes]:
        self.asked_for += len(ids)
        return await super().find_items(owner, ids)
