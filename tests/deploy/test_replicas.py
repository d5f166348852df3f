"""Two adapters on one Redis behind nginx, as `deploy/` has them, are one server."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from queue import Queue
from threading import Event
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from websockets.sync.client import connect

from tests.background.processes import LIMIT_SECONDS, Model, Replica, replica, text_of
from tests.deploy.balancer import Balancer, balancer
from tests.servers.redis import RedisServer, shared_redis
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

__all__ = ["shared_redis"]

pytestmark = pytest.mark.needs("nginx", "redis-server")


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
def model(upstream: ScriptedUpstream) -> Iterator[Model]:
    upstream.requests.clear()
    model = Model(upstream)
    yield model
    model.pause.release()


class Setup:
    """Two replicas behind a balancer.

    Attributes:
        balancer: it.
        client: of the balancer, with a new connection for each request.
    """

    def __init__(self, upstream: ScriptedUpstream, store_url: str, stack: ExitStack) -> None:
        self._stacks = [stack.enter_context(ExitStack()) for _ in range(2)]
        self._make = lambda: replica(upstream, store_url, "--shutdown-delay", "1")
        self.replicas = [each.enter_context(self._make()) for each in self._stacks]
        urls = [str(each.client.base_url) for each in self.replicas]
        self.balancer: Balancer = stack.enter_context(balancer(*urls))
        self.client = Replica(
            self.replicas[0].process,
            stack.enter_context(
                httpx2.Client(
                    base_url=self.balancer.url,
                    timeout=LIMIT_SECONDS,
                    headers={"connection": "close"},
                )
            ),
        )

    def restart(self, index: int) -> int:
        """Put a new replica in the place of one, in the order that the guide tells."""
        self.balancer.take_out(index)
        code = self.replicas[index].process.stop()
        self._stacks[index].close()
        self.replicas[index] = self._stacks[index].enter_context(self._make())
        self.balancer.put_in(index, str(self.replicas[index].client.base_url))
        return code


@pytest.fixture
def setup(upstream: ScriptedUpstream, shared_redis: RedisServer) -> Iterator[Setup]:
    with ExitStack() as stack:
        yield Setup(upstream, f"{shared_redis.url}?prefix={uuid4().hex}", stack)


def test_chain_goes_on_at_whichever_replica(setup: Setup, model: Model) -> None:
    response = setup.client.create("hello")
    for _ in range(5):
        response = setup.client.create("hello", previous_response_id=response["id"])

    assert text_of(response) == "I was sent 11"
    assert [text_of(each.get(response["id"])) for each in setup.replicas] == ["I was sent 11"] * 2


def test_event_goes_through_the_balancer_when_it_comes(setup: Setup, model: Model) -> None:
    """The model stops in the middle until the first half has arrived."""
    body = {"model": "m", "input": "pause", "stream": True}
    with setup.client.client.stream("POST", "/v1/responses", json=body) as answer:
        lines = answer.iter_lines()
        first = next(line for line in lines if '"delta":"Hello"' in line)
        model.pause.release()
        rest = list(lines)

    assert first.startswith("data: ")
    assert "event: response.completed" in rest


def test_background_run_is_followed_through_the_balancer(setup: Setup, model: Model) -> None:
    id = setup.client.start("pause")
    with setup.client.follow(id) as one, setup.client.follow(id) as other:
        model.pause.release()
        seen = [[block for block in blocks if isinstance(block, dict)] for blocks in (one, other)]

    assert seen[0] == seen[1]
    assert seen[0][-1]["type"] == "response.completed"
    assert setup.client.get(id) == seen[0][-1]["response"]


def test_websocket_goes_through_the_balancer(setup: Setup, model: Model) -> None:
    url = setup.balancer.url.replace("http", "ws", 1) + "/v1/responses"
    frame: dict[str, Any] = {"type": "response.create", "model": "m", "input": "hello"}
    with connect(url) as socket:
        for expected in ("I was sent 1", "I was sent 3"):
            socket.send(json.dumps(frame))
            while (event := json.loads(socket.recv(LIMIT_SECONDS)))["type"] != "response.completed":
                pass
            frame["previous_response_id"] = event["response"]["id"]

            assert text_of(event["response"]) == expected


def test_rolling_restart_loses_no_request(setup: Setup, model: Model) -> None:
    """Clients go on asking, each on its own conversation, while both replicas are replaced."""
    over = Event()
    answered: Queue[str] = Queue()

    def converse() -> int:
        response, turns = setup.client.create("hello"), 1
        while not over.is_set():
            response = setup.client.create("hello", previous_response_id=response["id"])
            turns += 1
            answered.put(response["id"])
        assert text_of(response) == f"I was sent {2 * turns - 1}"
        return turns

    with ThreadPoolExecutor(4) as pool:
        clients = [pool.submit(converse) for _ in range(4)]
        try:
            for index in range(2):
                answered.get(timeout=LIMIT_SECONDS)
                setup.restart(index)
            for _ in range(answered.qsize() + 4):
                answered.get(timeout=LIMIT_SECONDS)
        finally:
            over.set()
        turns = [client.result(LIMIT_SECONDS) for client in clients]

    assert min(turns) > 1


def test_stream_ends_by_itself_at_a_replica_that_is_stopped(setup: Setup, model: Model) -> None:
    body = {"model": "m", "input": "pause", "stream": True}
    with (
        ThreadPoolExecutor(2) as pool,
        setup.client.client.stream("POST", "/v1/responses", json=body) as answer,
    ):
        lines = answer.iter_lines()
        next(line for line in lines if '"delta":"Hello"' in line)
        stopping = [pool.submit(each.process.stop) for each in setup.replicas]
        for each in setup.replicas:
            _wait_until_closed(each)
        model.pause.release()
        rest = list(lines)
        for stop in stopping:
            stop.result(LIMIT_SECONDS)

    assert "event: response.completed" in rest


def _wait_until_closed(replica: Replica) -> None:
    """Return when a replica takes no more connections."""
    url = str(replica.client.base_url)
    while True:
        try:
            httpx2.get(f"{url}/v1/models", headers={"connection": "close"})
        except httpx2.TransportError:
            return
