"""A lost run that this process takes over: it does what its request says, or says why it cannot."""

import json
from typing import Any

import msgspec
import pytest

from adapter.asgi.owner import owner_of
from adapter.background.handover import Handover, upstream_hash
from adapter.store.base import ResponseRecord
from adapter.store.memory import MemoryStore
from tests.background.test_http import replay
from tests.background.world import check_log
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream
from tests.state.conftest import KEY
from tests.state.peer import Peer

pytestmark = pytest.mark.anyio


async def lose(store: MemoryStore, address: str, **fields: Any) -> str:
    """Store a run whose process is gone, and return its id."""
    body = json.dumps({"model": "m", "input": "Hi", "background": True, **fields}).encode()
    record = ResponseRecord(
        id="resp_lost",
        owner=owner_of(KEY, None),
        created_at=1_790_000_000.0,
        status="queued",
        response=json.dumps({"id": "resp_lost", "status": "queued", "output": []}).encode(),
        background=True,
        request=Handover(msgspec.Raw(body), {}, upstream_hash(address)).encode(),
        previous_id=fields.get("previous_response_id"),
    )
    await store.start_run(record, "lost", 0)
    return record.id


async def test_lost_run_goes_on_from_what_was_said_before(
    peer: Peer, store: MemoryStore, upstream: ScriptedUpstream
) -> None:
    first = await peer.ask("One?", says="One.")
    upstream.reply(text_answer("Two."))
    id = await lose(store, upstream.url, input="Two?", previous_response_id=first["id"])
    events = (await replay(peer, id))[:-1]

    check_log(events)
    assert events[-1]["type"] == "response.completed"
    assert (events[0]["response"]["id"], events[0]["response"]["created_at"]) == (id, 1790000000)
    assert peer.heard() == [("user", "One?"), ("assistant", "One."), ("user", "Two?")]
    assert upstream.requests[-1].headers.get("authorization") is None


@pytest.mark.parametrize(
    ("address", "fields", "reason"),
    [
        pytest.param("http://other/v1", {}, "another upstream", id="other upstream"),
        pytest.param(None, {"previous_response_id": "resp_gone"}, "not found", id="parent is gone"),
        pytest.param(
            None, {"tools": [{"type": "nonsense"}]}, "tools[0]", id="cannot be translated"
        ),
    ],
)
async def test_lost_run_that_cannot_be_made_here_says_why(
    peer: Peer,
    store: MemoryStore,
    upstream: ScriptedUpstream,
    address: str | None,
    fields: dict[str, Any],
    reason: str,
) -> None:
    id = await lose(store, address or upstream.url, **fields)
    events = (await replay(peer, id))[:-1]

    assert [event["type"] for event in events] == ["error", "response.failed"]
    assert reason in events[-1]["response"]["error"]["message"]
    assert not upstream.requests
