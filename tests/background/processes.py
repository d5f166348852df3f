"""Adapters in processes of their own, on one store, in front of one model server."""

import json
import signal
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2

from tests.asgi.streams import DONE, parse
from tests.cli.process import Process, running
from tests.servers.answers import Answer, Hang, Pause, chunk, stream_answer, text_answer
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream

# Short, so that a test need not wait for what takes 20 s by default; longer than a busy machine stalls.
LEASE_SECONDS = 3.0
LIMIT_SECONDS = 30.0  # the promise for runs whose process was killed
LAST = {"response.completed", "response.incomplete", "response.failed"}


class Model:
    """Answers by what it is told to do: the first word of the last message.

        hello   says how many messages it was sent
        pause   says `Hello`, and ` there` once `pause` is released
        hang    says nothing the first time, and how many messages it was sent from then on

    Attributes:
        upstream: the server.
        pause: where `pause` stops.
        hung: how often it was told to hang.
    """

    def __init__(self, upstream: ScriptedUpstream) -> None:
        self.upstream = upstream
        self.pause = Pause()
        self.hung = 0
        upstream.always(self._answer)

    def _answer(self, request: Request) -> Answer:
        messages = request.json["messages"]
        content = messages[-1]["content"]
        if content == "pause":
            words = [chunk({"content": "Hello"}), self.pause, chunk({"content": " there"})]
            return stream_answer(*words, chunk({}, "stop"))
        if content == "hang":
            self.hung += 1
            if self.hung == 1:
                return Answer(before=[Hang()])
        return text_answer(f"I was sent {len(messages)}")


class Replica:
    """One adapter.

    Args:
        process: it.
        client: of it.
    """

    def __init__(self, process: Process, client: httpx2.Client) -> None:
        self.process = process
        self.client = client

    def post(self, path: str, body: Any = None) -> dict[str, Any]:
        return _json(self.client.post(f"/v1{path}", json=body))

    def create(self, input: str, *, given: Sequence[Any] = (), **fields: Any) -> dict[str, Any]:
        """Return the response to a message, behind other items."""
        items = [*given, {"role": "user", "content": input}]
        return self.post("/responses", {"model": "m", "input": items, **fields})

    def start(self, input: str) -> str:
        response = self.create(input, background=True)
        assert response["status"] == "queued"
        id: str = response["id"]
        return id

    def get(self, id: str) -> dict[str, Any]:
        return _json(self.client.get(f"/v1/responses/{id}"))

    @contextmanager
    def follow(self, id: str, **query: Any) -> Generator[Iterator[Any]]:
        """Hand out the blocks of the stream of a response."""
        params = {"stream": "true", **query}
        with self.client.stream("GET", f"/v1/responses/{id}", params=params) as answer:
            assert answer.status_code == 200, answer.read()
            yield _blocks(answer)

    def replay(self, id: str, **query: Any) -> list[Any]:
        """Return the events of a response once it is over."""
        with self.follow(id, **query) as blocks:
            events = list(blocks)
        assert events.pop() == DONE
        return events

    def until(self, id: str, type: str) -> None:
        """Return when a response has said an event of this type."""
        with self.follow(id) as blocks:
            next(block for block in blocks if block["type"] == type)

    def kill(self) -> None:
        assert self.process.stop(signal.SIGKILL) == -signal.SIGKILL


@contextmanager
def replica(upstream: ScriptedUpstream, store_url: str, *arguments: str) -> Generator[Replica]:
    """Start an adapter; it is stopped in the end."""
    options = {
        "--upstream": upstream.url,
        "--store": store_url,
        "--port": "0",
        "--background-lease": str(LEASE_SECONDS),
        "--background-drain": "0",
    }
    words = [word for pair in options.items() for word in pair]
    with ExitStack() as stack:
        process = stack.enter_context(running("serve", *words, *arguments))
        url = process.wait_for_url()
        client = httpx2.Client(base_url=url, timeout=LIMIT_SECONDS, verify=False)
        yield Replica(process, stack.enter_context(client))


def text_of(response: dict[str, Any]) -> str:
    text: str = response["output"][-1]["content"][0]["text"]
    return text


def _json(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = json.loads(answer.content)
    return body


def _blocks(answer: httpx2.Response) -> Iterator[Any]:
    cut = b""
    for part in answer.iter_raw():
        whole, separator, cut = (cut + part).rpartition(b"\n\n")
        if separator:
            yield from parse(whole + separator)
