"""A store that does not answer fails the response, or the response says that it was not stored."""

import logging
from typing import Any

import pytest

from adapter.errors import StoreError
from adapter.store.memory import MemoryStore
from tests.asgi.streams import open_stream
from tests.servers.answers import chunk, stream_answer, text_answer
from tests.state.conftest import Serve
from tests.state.peer import Peer, error_of

pytestmark = pytest.mark.anyio

BROKEN = "The store did not answer in time."


class BrokenStore(MemoryStore):
    """Fails at what it is told to fail at."""

    def __init__(self, *broken: str) -> None:
        super().__init__()
        self.broken = set(broken)

    async def open(self) -> None:
        self._fail("open")

    async def save(self, *args: Any, **options: Any) -> None:
        self._fail("save")
        await super().save(*args, **options)

    async def add_items(self, *args: Any, **options: Any) -> bool:
        self._fail("add_items")
        return await super().add_items(*args, **options)

    async def chain(self, *args: Any, **options: Any) -> Any:
        self._fail("chain")
        return await super().chain(*args, **options)

    async def get(self, *args: Any, **options: Any) -> Any:
        self._fail("get")
        return await super().get(*args, **options)

    async def unlock_conversation(self, *args: Any, **options: Any) -> None:
        self._fail("unlock_conversation")
        await super().unlock_conversation(*args, **options)

    async def purge(self, now: float) -> int:
        self._fail("purge")
        return await super().purge(now)

    def _fail(self, what: str) -> None:
        if what in self.broken:
            raise StoreError(BROKEN)


@pytest.fixture(params=["open", "save"])
def store(request: pytest.FixtureRequest) -> BrokenStore:
    return BrokenStore(request.param)


async def test_response_fails_with_its_store(peer: Peer) -> None:
    peer.upstream.reply(text_answer("Hello"))

    error = await peer.refused()

    assert error == {
        "status": 503,
        "message": BROKEN,
        "type": "server_error",
        "param": None,
        "code": "store_error",
    }


async def test_stream_fails_with_its_store(peer: Peer, serve: Serve) -> None:
    serve(BrokenStore("save"))
    peer.upstream.reply(text_answer("Hello"))

    async with open_stream(peer.client, headers=peer.headers) as stream:
        blocks = await stream.rest()

    assert [block["type"] for block in blocks[-3:-1]] == ["error", "response.failed"]
    assert blocks[-2]["response"]["error"] == {"code": "store_error", "message": BROKEN}


@pytest.mark.parametrize("streamed", [False, True])
async def test_response_may_say_that_it_was_not_stored(
    peer: Peer,
    serve: Serve,
    store: BrokenStore,
    streamed: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    serve(store, store_error="answer")
    if streamed:
        response = (await peer.stream())[-1]["response"]
    else:
        response = await peer.ask()

    assert (response["status"], response["store"]) == ("completed", False)
    assert BROKEN in caplog.text
    assert {record.levelno for record in caplog.records if BROKEN in record.message} == {
        logging.WARNING
    }


async def test_history_that_cannot_be_read_is_never_left_out(peer: Peer, serve: Serve) -> None:
    store = BrokenStore()
    serve(store, store_error="answer")
    first = await peer.ask()
    store.broken = {"chain"}

    error = await peer.refused(previous_response_id=first["id"])

    assert (error["status"], error["code"]) == (503, "store_error")


async def test_store_that_cannot_be_opened_fails_what_needs_it(peer: Peer, serve: Serve) -> None:
    serve(BrokenStore("open"), store_error="answer")

    error = await peer.refused(previous_response_id="resp_1")

    assert (error["status"], error["code"]) == (503, "store_error")


async def test_store_is_opened_when_it_answers_again(peer: Peer, serve: Serve) -> None:
    store = BrokenStore("open")
    serve(store)
    await peer.refused()
    store.broken = set()

    response = await peer.ask()

    assert (await peer.get(f"/responses/{response['id']}")).status_code == 200


async def test_request_that_stores_nothing_does_not_need_the_store(peer: Peer) -> None:
    assert (await peer.ask(store=False))["status"] == "completed"


async def test_retrieving_fails_with_the_store(peer: Peer, serve: Serve) -> None:
    serve(BrokenStore("get"))

    assert error_of(await peer.get("/responses/resp_1"))["status"] == 503


async def test_failure_that_cannot_be_stored_is_said_all_the_same(peer: Peer, serve: Serve) -> None:
    serve(BrokenStore("save"))
    peer.upstream.reply(stream_answer(chunk({"content": "a"}), chunk({}, "error")))

    async with open_stream(peer.client, headers=peer.headers) as stream:
        blocks = await stream.rest()

    assert blocks[-2]["type"] == "response.failed"
    assert blocks[-2]["response"]["error"]["code"] == "server_error"


async def test_conversation_that_cannot_be_unlocked_does_not_spoil_the_response(
    peer: Peer, serve: Serve
) -> None:
    serve(BrokenStore("unlock_conversation"))
    id = await peer.new_conversation()

    assert (await peer.ask(conversation=id))["status"] == "completed"


@pytest.mark.parametrize("policy", ["fail", "answer"])
async def test_conversation_that_cannot_be_appended_to(
    peer: Peer, serve: Serve, policy: str
) -> None:
    store = BrokenStore()
    serve(store, store_error=policy)
    id = await peer.new_conversation()
    store.broken = {"add_items"}
    peer.upstream.reply(text_answer("Hello"))

    answer = await peer.post(
        "/responses", {"model": "m", "input": "Hi", "store": False, "conversation": id}
    )

    assert answer.status_code == (503 if policy == "fail" else 200)


async def test_purge_that_fails_is_only_logged(
    peer: Peer, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    serve(BrokenStore("purge"))

    await peer.ask()

    assert "could not be deleted" in caplog.text
