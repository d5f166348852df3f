"""Several adapters on one store: what one has begun, another one knows, shows, ends and takes over."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.background.processes import LAST, Model, Replica, replica, text_of
from tests.background.world import check_log
from tests.servers.postgres import PostgresServer, postgres_programs, shared_postgres
from tests.servers.redis import RedisServer, redis_binary, shared_redis
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

__all__ = ["shared_postgres", "shared_redis"]

# What is missing is told once, by the tests of the stores.
BACKENDS = ["sqlite"]
BACKENDS += ["postgres"] if postgres_programs() is not None else []
BACKENDS += ["redis"] if redis_binary() is not None else []


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


@pytest.fixture(scope="module", params=BACKENDS)
def store_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    match request.param:
        case "sqlite":
            folder: Path = tmp_path_factory.mktemp("store")
            return f"sqlite:///{folder}/store.db"
        case "postgres":
            database: PostgresServer = request.getfixturevalue("shared_postgres")
            return database.new_database()
        case _:
            server: RedisServer = request.getfixturevalue("shared_redis")
            return f"{server.url}?prefix={uuid4().hex}"


@pytest.fixture(scope="module")
def pair(upstream: ScriptedUpstream, store_url: str) -> Iterator[tuple[Replica, Replica]]:
    with replica(upstream, store_url) as a, replica(upstream, store_url) as b:
        yield a, b


@pytest.fixture
def a(pair: tuple[Replica, Replica]) -> Replica:
    return pair[0]


@pytest.fixture
def b(pair: tuple[Replica, Replica]) -> Replica:
    return pair[1]


def test_chain_goes_on_in_another_process(a: Replica, b: Replica, model: Model) -> None:
    first = a.create("hello")
    second = b.create("hello", previous_response_id=first["id"])
    third = a.create("hello", previous_response_id=second["id"], background=True)
    b.replay(third["id"])
    fourth = b.create("hello", previous_response_id=third["id"])

    assert text_of(b.get(third["id"])) == "I was sent 5"
    assert text_of(fourth) == "I was sent 7"


def test_run_is_followed_from_another_process(a: Replica, b: Replica, model: Model) -> None:
    id = a.start("pause")
    with b.follow(id) as blocks:
        before = []
        for event in blocks:
            before.append(event)
            if event["type"] == "response.output_text.delta":
                break
        polled = b.get(id)
        model.pause.release()
        *after, _done = blocks
    events = [*before, *after]

    check_log(events)
    assert polled["status"] in {"queued", "in_progress"}
    assert events[-1]["type"] == "response.completed"
    assert a.replay(id) == b.replay(id) == events
    assert b.replay(id, starting_after=4) == events[5:]
    assert b.get(id) == a.get(id) == events[-1]["response"]


def test_run_is_cancelled_from_another_process(a: Replica, b: Replica, model: Model) -> None:
    id = a.start("pause")
    a.until(id, "response.output_text.delta")
    with a.follow(id) as blocks:
        cancelled = b.post(f"/responses/{id}/cancel")
        events = [block for block in blocks if isinstance(block, dict)]
    model.upstream.requests[0].disconnected.wait_in_thread(1)

    check_log(events, cancelled=True)
    assert not LAST & {event["type"] for event in events}
    assert cancelled["status"] == "cancelled"
    assert a.get(id) == cancelled
    assert a.post(f"/responses/{id}/cancel") == cancelled


def test_run_is_deleted_from_another_process(a: Replica, b: Replica, model: Model) -> None:
    id = a.start("pause")
    a.until(id, "response.output_text.delta")
    assert b.client.delete(f"/v1/responses/{id}").status_code == 200
    model.upstream.requests[0].disconnected.wait_in_thread(1)

    assert a.client.get(f"/v1/responses/{id}").status_code == 404


def test_killed_process_loses_nothing_that_it_promised(
    upstream: ScriptedUpstream, store_url: str, b: Replica, model: Model
) -> None:
    """What had said nothing is run again; what had begun to speak ends as failed."""
    with replica(upstream, store_url) as victim:
        done = victim.create("hello")
        done_behind = victim.create("hello", background=True)["id"]
        victim.replay(done_behind)
        silent, speaking = victim.start("hang"), victim.start("pause")
        victim.until(speaking, "response.output_text.delta")
        with b.follow(speaking) as blocks:
            victim.kill()
            *failed, _done = blocks
        completed = b.replay(silent)

    check_log(failed)
    check_log(completed)
    assert failed[-1]["type"] == "response.failed"
    assert "was lost" in b.get(speaking)["error"]["message"]
    assert completed[-1]["type"] == "response.completed"
    assert text_of(b.get(silent)) == "I was sent 1"
    assert b.get(done["id"]) == done
    assert text_of(b.get(done_behind)) == "I was sent 1"


def test_run_that_needs_the_key_of_its_client_ends_as_failed(
    upstream: ScriptedUpstream, store_url: str, b: Replica, model: Model
) -> None:
    key = {"authorization": "Bearer key-of-the-client"}
    with replica(upstream, store_url) as victim:
        victim.client.headers.update(key)
        id = victim.start("hang")
        victim.until(id, "response.in_progress")
        upstream.request_in_thread(0)
        victim.kill()
    answers = [b.client.get(f"/v1/responses/{id}", headers=key)]
    while answers[-1].json()["status"] != "failed":
        answers.append(b.client.get(f"/v1/responses/{id}", headers=key))

    assert model.hung == 1
    assert b.client.get(f"/v1/responses/{id}").status_code == 404  # still its owner's alone


def test_stopped_process_hands_its_runs_over(
    upstream: ScriptedUpstream, store_url: str, b: Replica, model: Model
) -> None:
    with replica(upstream, store_url) as leaving:
        silent, speaking = leaving.start("hang"), leaving.start("pause")
        leaving.until(speaking, "response.output_text.delta")
        upstream.request_in_thread(1)
        code = leaving.process.stop()
    failed, completed = b.replay(speaking), b.replay(silent)

    assert code in {0, -15}
    assert "Traceback" not in leaving.process.output, leaving.process.output
    check_log(failed)
    check_log(completed)
    assert "was stopped" in failed[-1]["response"]["error"]["message"]
    assert completed[-1]["type"] == "response.completed"


def test_workers_share_a_store(upstream: ScriptedUpstream, store_url: str, model: Model) -> None:
    with replica(upstream, store_url, "--workers", "2") as workers:
        workers.process.wait_for(r"(?s)(Application startup complete.*){2}")
        workers.client.headers["connection"] = "close"  # each request to whichever worker
        ids = [workers.start("hello") for _ in range(6)]
        for id in ids:
            check_log(workers.replay(id))
        texts = {text_of(workers.get(id)) for id in ids}
        code = workers.process.stop()

    assert texts == {"I was sent 1"}
    assert code == 0
    assert "Traceback" not in workers.process.output, workers.process.output


def test_workers_open_what_one_of_them_sealed(upstream: ScriptedUpstream, model: Model) -> None:
    """One key is made before the workers are."""
    with replica(upstream, "none", "--workers", "2") as workers:
        workers.process.wait_for(r"(?s)(Application startup complete.*){2}")
        workers.client.headers["connection"] = "close"
        compacted = workers.post("/responses/compact", {"model": "m", "input": "hello"})
        (sealed,) = [item for item in compacted["output"] if item["type"] == "compaction"]
        upstream.requests.clear()
        for _ in range(8):
            workers.create("hello", given=[sealed])

    heard = [request.json["messages"] for request in upstream.requests]
    assert len(heard) == 8
    assert all("I was sent" in str(messages[0]["content"]) for messages in heard)
