"""Nothing secret is in the store: no key of a client, none of the upstream, none of an MCP server."""

from typing import Any

import msgspec
import pytest

from adapter.asgi.owner import owner_of
from adapter.store.memory import MemoryStore
from tests.servers.answers import json_answer
from tests.state.conftest import Serve
from tests.state.peer import Peer

pytestmark = pytest.mark.anyio

CANARY = "canary-0123456789"
MCP = {
    "type": "mcp",
    "server_label": "demo",
    "server_url": "https://mcp.example/",
    "authorization": CANARY,
    "headers": {"x-api-key": CANARY},
}


async def everything(store: MemoryStore, response: dict[str, Any]) -> str:
    """Return all that the store has of a response."""
    owner = owner_of({"authorization": f"Bearer {CANARY}"}, None)
    record = await store.get(owner, response["id"])
    assert record is not None
    kept = msgspec.json.encode(msgspec.to_builtins(record, builtin_types=(bytes,))).decode()
    kept += record.response.decode() + record.input.decode() + record.request.decode()
    if record.conversation_id is not None:
        page = await store.list_items(owner, record.conversation_id, limit=100)
        assert page is not None
        kept += "".join(item.data.decode() for item in page.items)
    return kept


@pytest.fixture
def holder(peer: Peer) -> Peer:
    return peer.other(**{"authorization": f"Bearer {CANARY}", "x-api-key": CANARY})


@pytest.mark.parametrize("kind", ["additional_tools", "tool_search_output"])
async def test_secrets_of_tools_in_the_input_are_not_kept(
    holder: Peer, store: MemoryStore, kind: str
) -> None:
    item = {"type": kind, "role": "developer", "call_id": None, "tools": [MCP]}
    given = [item, {"role": "user", "content": "Hi"}]
    id = await holder.new_conversation(items=[item])

    response = await holder.ask(given, conversation=id)

    kept = await everything(store, response)
    assert "mcp.example" in kept
    assert CANARY not in kept


async def test_secrets_of_tools_are_not_kept(holder: Peer, store: MemoryStore) -> None:
    response = await holder.ask(tools=[MCP])

    kept = await everything(store, response)
    assert "mcp.example" in kept
    assert CANARY not in kept


async def test_key_that_an_upstream_quotes_is_not_kept(holder: Peer, store: MemoryStore) -> None:
    error = {"error": {"message": f"Incorrect API key provided: {CANARY}", "code": "invalid"}}
    holder.upstream.reply(json_answer(401, error))

    answer = await holder.refused()

    assert CANARY not in answer["message"]


async def test_key_of_the_upstream_is_not_kept(
    holder: Peer, store: MemoryStore, serve: Serve
) -> None:
    serve(upstream_api_key="other-" + CANARY)

    assert CANARY not in await everything(store, await holder.ask())
