"""Limits of admission: what is too much is refused at once, with a 429 that says when to come back."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from adapter.asgi.access.hashes import to_sha256
from adapter.asgi.access.limits import MAX_BUCKETS, Places, Rates
from adapter.asgi.app import make_sidecar
from adapter.errors import AdapterError
from tests.asgi.conftest import Stand, Start
from tests.asgi.many_routes import Put, put
from tests.asgi.sockets import open_socket
from tests.asgi.streams import REQUEST, open_stream
from tests.servers.answers import Pause, chunk, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

__all__ = ["put"]  # a fixture
pytestmark = pytest.mark.anyio


@pytest.fixture
def pause(upstream: ScriptedUpstream) -> Pause:
    """Have the first answer of the upstream wait in its middle, and give others at once."""
    pause = Pause()
    upstream.reply(
        stream_answer(chunk({"content": "Hel"}), pause, chunk({"content": "lo"}, "stop"))
    )
    upstream.always(text_answer("Hello"))
    return pause


def bearer(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {name}-key"}


def check_refusal(answer: httpx2.Response) -> None:
    error = answer.json()["error"]
    assert answer.status_code == 429
    assert (error["type"], error["code"]) == ("too_many_requests", "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("setting", ["max_requests", "max_streams"])
async def test_more_at_one_time_than_the_process_may_have_is_refused(
    start: Start, client: httpx2.AsyncClient, pause: Pause, setting: str
) -> None:
    start(**{setting: 1})

    async with open_stream(client) as running:
        await running.until("response.created")
        refused = await client.post("/v1/responses", json=REQUEST | {"stream": True})
        pause.release()
        await running.rest()
    after = await client.post("/v1/responses", json=REQUEST | {"stream": True})

    check_refusal(refused)
    assert after.status_code == 200


async def test_requests_without_a_stream_are_no_streams(
    start: Start, client: httpx2.AsyncClient, pause: Pause
) -> None:
    start(max_streams=1)

    async with open_stream(client) as running:
        await running.until("response.created")
        answer = await client.post("/v1/responses", json=REQUEST)
        pause.release()

    assert answer.status_code == 200


@pytest.mark.parametrize("setting", ["max_requests_per_owner", "max_streams_per_owner"])
async def test_limit_of_one_owner_leaves_room_for_others(
    start: Start, client: httpx2.AsyncClient, pause: Pause, setting: str
) -> None:
    start(**{setting: 1})
    streamed = REQUEST | {"stream": True}

    async with open_stream(client, headers=bearer("a")) as running:
        await running.until("response.created")
        refused = await client.post("/v1/responses", json=streamed, headers=bearer("a"))
        spared = await client.post("/v1/responses", json=streamed, headers=bearer("b"))
        pause.release()

    check_refusal(refused)
    assert "of yours" in refused.json()["error"]["message"]
    assert spared.status_code == 200


async def test_what_a_sidecar_passes_on_is_counted(
    put: Put, client: httpx2.AsyncClient, upstream: ScriptedUpstream, pause: Pause
) -> None:
    put(make_sidecar, upstream=upstream.url, max_requests=1)

    async with open_stream(client) as running:
        await running.until("response.created")
        refused = await client.get("/v1/models")
        pause.release()
        await running.rest()

    check_refusal(refused)
    assert (await client.get("/v1/models")).status_code == 200


async def test_place_of_a_client_that_leaves_is_free_again(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, pause: Pause
) -> None:
    start(max_requests=1)

    async with open_stream(client) as running:
        await running.until("response.created")
    await (await upstream.request(0)).disconnected.wait()

    assert (await client.post("/v1/responses", json=REQUEST)).status_code == 200


async def test_refused_request_takes_no_place(start: Start, client: httpx2.AsyncClient) -> None:
    start(max_requests=1, max_requests_per_owner=1)

    statuses = [(await client.post("/v1/responses", content=b"{")).status_code for _ in range(3)]

    assert statuses == [400] * 3


@pytest.fixture
def keyed(start: Start, tmp_path: Path) -> Callable[..., None]:
    """Put up an app with a key `a-key` that has these limits, and one without, `b-key`."""

    def put_up(limits: str, **options: Any) -> None:
        file = tmp_path / "keys.toml"
        tables = [f'[keys.{name}]\nhash = "{to_sha256(f"{name}-key".encode())}"' for name in "ab"]
        file.write_text("\n".join([tables[0], limits, tables[1]]))
        start(api_keys_file=str(file), **options)

    return put_up


@pytest.mark.parametrize(
    ("limits", "options"),
    [
        ("max_requests = 1", {}),
        ("max_streams = 1", {}),
        ("max_requests = 1", {"max_requests_per_owner": 5}),
        ("max_streams = 1", {"max_streams_per_owner": 5}),
    ],
)
async def test_key_has_limits_of_its_own(
    keyed: Any, client: httpx2.AsyncClient, pause: Pause, limits: str, options: Any
) -> None:
    keyed(limits, **options)
    streamed = REQUEST | {"stream": True}

    async with open_stream(client, headers=bearer("a")) as running:
        await running.until("response.created")
        refused = await client.post("/v1/responses", json=streamed, headers=bearer("a"))
        spared = await client.post("/v1/responses", json=streamed, headers=bearer("b"))
        pause.release()

    check_refusal(refused)
    assert spared.status_code == 200


async def test_requests_per_minute_are_counted_by_key(
    keyed: Any, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    keyed("requests_per_minute = 2", requests_per_minute=4)
    upstream.always(text_answer("Hello"))

    def ask(name: str) -> Any:
        return client.post("/v1/responses", json=REQUEST, headers=bearer(name))

    first = [await ask("a") for _ in range(3)]
    second = [await ask("b") for _ in range(5)]

    assert [answer.status_code for answer in first] == [200, 200, 429]
    assert [answer.status_code for answer in second] == [200] * 4 + [429]
    check_refusal(first[-1])
    assert "2 per minute" in first[-1].json()["error"]["message"]


async def test_more_websockets_than_there_may_be_are_refused(start: Start, stand: Stand) -> None:
    start(max_websockets=1)

    async with open_socket(stand.url), AsyncExitStack() as second:
        with pytest.raises(InvalidStatus) as refused:
            await second.enter_async_context(open_socket(stand.url))

    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["retry-after"] == "1"


async def test_turns_of_a_websocket_are_streams(
    start: Start, stand: Stand, client: httpx2.AsyncClient, pause: Pause
) -> None:
    start(max_streams=1, websocket=True)

    async with open_stream(client) as running, open_socket(stand.url) as socket:
        await running.until("response.created")
        refused = await socket.refused()
        pause.release()
        await running.rest()
        response = await socket.ask()

    assert (refused["status"], refused["error"]["code"]) == (429, "rate_limit_exceeded")
    assert response["status"] == "completed"


async def test_frames_of_a_websocket_are_requests_whatever_they_ask(
    start: Start, stand: Stand
) -> None:
    start(requests_per_minute=2)

    async with open_socket(stand.url) as socket:
        warm = await socket.ask(generate=False)
        no_request = await socket.refused(model=1)
        refused = await socket.refused(generate=False)

    assert warm["status"] == "completed"
    assert no_request["status"] == 400
    assert (refused["status"], refused["error"]["code"]) == (429, "rate_limit_exceeded")


def test_place_is_left_whatever_happens() -> None:
    places = Places("requests", 1, 1)

    for _ in range(3):
        with pytest.raises(ZeroDivisionError), places.take("a"):
            raise ZeroDivisionError

    assert places.taken == 0


def test_bucket_fills_again() -> None:
    now = 0.0
    rates = Rates(60, clock=lambda: now)
    for _ in range(60):
        rates.spend("a")
    with pytest.raises(AdapterError) as refused:
        rates.spend("a")
    assert refused.value.headers == {"retry-after": "1"}

    now = 1.0
    rates.spend("a")

    with pytest.raises(AdapterError):
        rates.spend("a")


def test_rate_below_one_a_minute_tells_the_whole_wait() -> None:
    rates = Rates(0.5, clock=lambda: 0.0)
    rates.spend("a")

    with pytest.raises(AdapterError) as refused:
        rates.spend("a")

    assert refused.value.headers == {"retry-after": "120"}


def test_invented_owners_do_not_fill_the_memory() -> None:
    rates = Rates(1, clock=lambda: 0.0)

    for number in range(MAX_BUCKETS + 10):
        rates.spend(str(number))

    assert len(rates._buckets) == MAX_BUCKETS
