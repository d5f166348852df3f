"""The ways of asking for a response, each of which must end in exactly one way.

A way asks, holds all that it is told to the rule book, and returns how the response ended.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx2
import msgspec

from adapter.stream.grammar import check
from tests.asgi.sockets import LAST, open_socket
from tests.asgi.streams import DONE, parse
from tests.chaos.fault import LEAKS

# Long answers are read event by event, and held to the rule book, on machines that are busy.
TIME_LIMIT_SECONDS = 30.0
REQUEST = {"model": "scripted", "input": "Hi"}


class Ending(msgspec.Struct, frozen=True):
    """How a response ended.

    Attributes:
        status: `completed`, `incomplete` or `failed`.
        text: of its messages.
        error: why it failed.
        output: its items.
    """

    status: str
    text: str = ""
    error: Mapping[str, Any] | None = None
    output: tuple[Any, ...] = ()


class Asking(msgspec.Struct, frozen=True):
    """Whom to ask.

    Attributes:
        url: of the adapter.
        client: a client of it.
        tools: of the request.
    """

    url: str
    client: httpx2.AsyncClient
    tools: tuple[Any, ...] = ()

    @property
    def body(self) -> dict[str, Any]:
        return {**REQUEST, "tools": list(self.tools)} if self.tools else REQUEST


Way = Callable[[Asking], Awaitable[Ending]]


async def stream(asking: Asking) -> Ending:
    body = {**asking.body, "stream": True}
    async with asking.client.stream("POST", "/v1/responses", json=body) as answer:
        if answer.status_code != 200:
            await answer.aread()
            return refused(answer)
        return await _read(answer)


async def whole(asking: Asking) -> Ending:
    return _ending(await asking.client.post("/v1/responses", json=asking.body))


async def background(asking: Asking) -> Ending:
    """Ask, follow the log to its end, and look at what is kept."""
    client = asking.client
    answer = await client.post("/v1/responses", json={**asking.body, "background": True})
    if answer.status_code != 200:
        return refused(answer)
    assert answer.json()["status"] == "queued"
    path = f"/v1/responses/{answer.json()['id']}"
    async with client.stream("GET", path, params={"stream": "true"}) as log:
        assert log.status_code == 200
        told = await _read(log)
    kept = _ending(await client.get(path))
    assert kept == told
    return kept


async def websocket(asking: Asking) -> Ending:
    """Ask, and see that the connection serves another request."""
    async with open_socket(asking.url) as socket:
        await socket.create(**asking.body)
        events = [await socket.next()]
        if events[0]["type"] == "error" and "sequence_number" not in events[0]:
            return Ending("failed", error=_sane(events[0]["error"]))
        while events[-1]["type"] not in LAST:
            events.append(await socket.next())
        await socket.send({"type": "response.nonsense"})
        await socket.error()
    return _last(events)


WAYS: dict[str, Way] = {
    "stream": stream,
    "whole": whole,
    "background": background,
    "websocket": websocket,
}


async def _read(answer: httpx2.Response) -> Ending:
    """Read an event stream to its end: one terminal event, and one `[DONE]` behind it."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = parse(await answer.aread())
    assert blocks.count(DONE) == 1
    assert blocks[-1] == DONE
    return _last([block for block in blocks if isinstance(block, dict)])


def _last(events: list[dict[str, Any]]) -> Ending:
    assert check(events) == []
    assert [event["type"] for event in events if event["type"] in LAST] == [events[-1]["type"]]
    return of_response(events[-1]["response"])


def _ending(answer: httpx2.Response) -> Ending:
    return of_response(answer.json()) if answer.status_code == 200 else refused(answer)


def of_response(response: Any) -> Ending:
    """Return how a response ended, which must be said without contradiction."""
    status, error = response["status"], response["error"]
    assert (status == "failed") == (error is not None)
    assert (status == "incomplete") == (response["incomplete_details"] is not None)
    _no_leak(json.dumps(error))
    texts = [
        part["text"]
        for item in response["output"]
        if item["type"] == "message"
        for part in item["content"]
        if part["type"] == "output_text"
    ]
    items = tuple((item["type"], item.get("status")) for item in response["output"])
    return Ending(status, "".join(texts), error, items)


def refused(answer: httpx2.Response) -> Ending:
    """Return the end of a response that is told as an error of HTTP, in OpenAI's form."""
    assert 400 <= answer.status_code < 600
    assert answer.headers["content-type"] == "application/json"
    assert answer.json().keys() == {"error"}
    return Ending("failed", error=_sane(answer.json()["error"]))


def _sane(error: dict[str, Any]) -> dict[str, Any]:
    assert {"message", "type", "param", "code"} <= error.keys()
    assert isinstance(error["message"], str)
    assert error["message"]
    _no_leak(json.dumps(error))
    return error


def _no_leak(text: str) -> None:
    assert [mark for mark in LEAKS if mark.lower() in text.lower()] == []
    assert len(text) < 4000


async def in_time(way: Way, asking: Asking) -> Ending:
    """Ask in a way, within the time limit."""
    async with asyncio.timeout(TIME_LIMIT_SECONDS):
        return await way(asking)
