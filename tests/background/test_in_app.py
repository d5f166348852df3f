"""Background runs where the adapter lives in another app, and where the store cannot be opened."""

import httpx2
import pytest

from adapter import ResponsesMiddleware
from adapter.errors import StoreError
from adapter.store.memory import MemoryStore
from tests.asgi.chat_app import ChatApp
from tests.background.test_http import ended, replay, start
from tests.background.world import check_log
from tests.servers.adapter import serving
from tests.servers.scripted import ScriptedUpstream
from tests.state.conftest import KEY, Serve
from tests.state.peer import Peer

pytestmark = pytest.mark.anyio


async def test_wrapped_app_answers_after_the_request_is_over(upstream: ScriptedUpstream) -> None:
    chat = ChatApp()
    chat.more.clear()
    chat.app.add_middleware(ResponsesMiddleware, store=MemoryStore(), environ={})
    async with serving(chat.app) as url, httpx2.AsyncClient(base_url=url, verify=False) as own:
        peer = Peer(own, upstream, KEY)
        id = (await start(peer))["id"]
        await chat.asked.wait()
        chat.more.set()
        done = await ended(peer, id)
        events = (await replay(peer, id))[:-1]

    check_log(events)
    assert done["status"] == "completed"
    assert done["output"][0]["content"][0]["text"] == "Hello there"


async def test_wrapped_app_is_left_when_the_server_stops(upstream: ScriptedUpstream) -> None:
    chat = ChatApp()
    chat.more.clear()
    store = MemoryStore()
    chat.app.add_middleware(ResponsesMiddleware, store=store, environ={}, background_drain=0)
    async with serving(chat.app) as url, httpx2.AsyncClient(base_url=url, verify=False) as own:
        await start(Peer(own, upstream, KEY))
        await chat.asked.wait()

    assert chat.left.is_set()
    assert await store.orphans(float("inf"), 10) == []


async def test_store_that_cannot_be_opened_is_told_whatever_else_is_answered(
    serve: Serve, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    serve(store=ClosedStore(), store_error="answer")
    error = await Peer(client, upstream, KEY).refused(background=True)

    assert (error["status"], error["code"]) == (503, "store_error")
    assert not upstream.requests


class ClosedStore(MemoryStore):
    async def open(self) -> None:
        raise StoreError("The store cannot be reached.")
