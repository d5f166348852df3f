"""Fetches under uvloop, which connects sockets in its own way."""

import asyncio

import pytest
import uvloop

from adapter.errors import InvalidRequestError
from adapter.fetch.base import Fetched
from adapter.fetch.fetch import Fetcher
from adapter.fetch.guard import UrlPolicy
from tests.fetch.names import Names
from tests.servers.answers import Answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream


async def get(server: ScriptedUpstream, *, allow_private: bool) -> Fetched:
    address = server.url.removeprefix("http://127.0.0.1:").removesuffix("/v1")
    policy = UrlPolicy(
        allow_http=True, allow_private=allow_private, allowed_ports=(int(address), 80)
    )
    fetcher = Fetcher(policy, resolver=Names(images=[["127.0.0.1"]]))
    async with asyncio.timeout(5):
        return await fetcher.get(f"http://images.example:{address}/a.png", param="input")


def test_allowed_address_is_fetched_from() -> None:
    with scripted_upstream() as server:
        server.reply(Answer(chunks=[b"ok"]), to="/a.png")

        assert uvloop.run(get(server, allow_private=True)).body == b"ok"


def test_refused_address_is_not_connected_to() -> None:
    with scripted_upstream() as server:
        with pytest.raises(InvalidRequestError):
            uvloop.run(get(server, allow_private=False))

        assert server.connections_opened == 0
