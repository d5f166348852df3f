"""What goes through a real server is recorded: both sides, in their order, and what was changed."""

import asyncio
import json
from typing import Any

import httpx2
import pytest

from adapter.inspector.recorder import Bounds
from tests.asgi.conftest import Stand
from tests.asgi.sockets import open_socket
from tests.asgi.streams import open_stream
from tests.inspector.conftest import Inspect
from tests.inspector.viewer import Viewer, joined, kinds
from tests.servers.answers import Pause, chunk, json_answer, sse, stream_answer, text_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio
SECRET = "sk-of-the-client-0123456789"


async def test_a_stream_is_recorded_from_both_sides(
    viewer: Viewer, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Hello there"))

    answer = await viewer.ask(stream=True)

    detail = await viewer.detail()
    assert joined(detail, "sent") == answer.text
    assert json.loads(joined(detail, "request")) == {"model": "m", "input": "Hi", "stream": True}
    assert json.loads(joined(detail, "chat")) == upstream.requests[0].json
    assert joined(detail, "chunk").endswith("data: [DONE]\n\n")
    assert kinds(detail)[:4] == ["request", "chat", "answer", "chunk"]
    assert {"start", "sent", "end", "over"} <= set(kinds(detail)[4:])
    summary = detail["summary"]
    assert (summary["state"], summary["model"], summary["preview"]) == ("completed", "m", "Hi")
    assert summary["usage"]["output_tokens"] == 5
    assert 0 < summary["first_delta"] < summary["seconds"]
    assert summary["response_id"].startswith("resp_")


async def test_chunks_stand_before_the_events_that_they_became(
    viewer: Viewer, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    pause = Pause()
    one, two = chunk({"content": "One"}), chunk({"content": "Two"})
    upstream.reply(stream_answer(one, pause, two, chunk({}, "stop")))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        pause.release()
        await stream.rest()

    log = [entry for entry in (await viewer.detail())["entries"] if "data" in entry]
    found = [
        (entry["kind"], word)
        for entry in log
        for word in ("One", "Two")
        if entry["kind"] in {"chunk", "sent"} and f':"{word}"' in entry["data"]
    ]
    assert found[:4] == [("chunk", "One"), ("sent", "One"), ("chunk", "Two"), ("sent", "Two")]
    times = [entry["at"] for entry in log]
    assert times == sorted(times)


async def test_a_document_is_recorded(viewer: Viewer, upstream: ScriptedUpstream) -> None:
    upstream.reply(text_answer("Hello"))

    answer = await viewer.ask()

    detail = await viewer.detail()
    assert json.loads(joined(detail, "sent")) == answer.json()
    assert detail["summary"]["response_id"] == answer.json()["id"]
    assert detail["summary"]["state"] == "completed"


async def test_drops_are_recorded_with_the_call_that_they_were_for(
    viewer: Viewer, upstream: ScriptedUpstream
) -> None:
    upstream.reply(text_answer("Hello"))

    await viewer.ask(tools=[{"type": "web_search"}], unheard_of=1)

    detail = await viewer.detail()
    (chat,) = [entry for entry in detail["entries"] if entry["kind"] == "chat"]
    assert sorted(chat["dropped"]) == ["tools[0]", "unheard_of"]
    assert detail["summary"]["dropped"] == 2


async def test_what_a_refusal_teaches_is_recorded_as_another_call(
    viewer: Viewer, upstream: ScriptedUpstream
) -> None:
    refusal = {"error": {"message": "Unrecognized request argument supplied: top_p", "code": None}}
    upstream.reply(json_answer(400, refusal), text_answer("Hello"))

    await viewer.ask(top_p=0.5)

    chats = [entry for entry in (await viewer.detail())["entries"] if entry["kind"] == "chat"]
    assert [chat["turn"] for chat in chats] == [1, 2]
    assert [chat["dropped"] for chat in chats] == [[], ["top_p"]]


async def test_what_was_refused_is_recorded(viewer: Viewer) -> None:
    answer = await viewer.ask(input=5)

    detail = await viewer.detail()
    assert answer.status_code == 400
    assert (detail["summary"]["status"], detail["summary"]["state"]) == (400, "failed")
    assert detail["summary"]["error"]["param"] == "input"
    assert "chat" not in kinds(detail)


async def test_a_request_is_seen_while_it_runs(
    viewer: Viewer, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "One"}), pause, chunk({}, "stop")))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
        running = await viewer.detail()
        pause.release()
        await stream.rest()
    rest = await viewer.get(f"requests/1?after={running['next']}")

    assert running["summary"]["state"] == "running"
    assert '"content":"One"' in joined(running, "chunk")
    assert rest.json()["summary"]["state"] == "completed"
    assert "request" not in kinds(rest.json())
    assert joined(rest.json(), "sent").endswith("data: [DONE]\n\n")


async def test_a_client_that_goes_is_recorded(
    viewer: Viewer, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "One"}), pause))

    async with open_stream(client) as stream:
        await stream.until("response.output_text.delta")
    async with client.stream("GET", "/adapter/ui/api/feed") as feed:
        async for line in feed.aiter_lines():
            if '"state":"disconnected"' in line:
                break
    pause.release()

    assert (await viewer.detail())["summary"]["state"] == "disconnected"


async def test_turns_of_a_websocket_are_requests_of_their_own(
    viewer: Viewer, stand: Stand, upstream: ScriptedUpstream
) -> None:
    upstream.always(text_answer("Hello"))

    async with open_socket(stand.url) as socket:
        await socket.ask(input="First")
        await socket.ask(input="Second")
        await socket.refused(input=5)

    details = [await viewer.detail(id) for id in (1, 2, 3)]
    assert [d["summary"]["way"] for d in details] == ["websocket"] * 3
    assert [d["summary"]["preview"] for d in details] == ["First", "Second", ""]
    assert [d["summary"]["state"] for d in details] == ["completed", "completed", "failed"]
    assert [d["summary"]["turns"] for d in details] == [1, 1, 0]
    assert '"type":"response.completed"' in joined(details[1], "sent")


async def test_lanes_of_a_websocket_are_kept_apart(
    viewer: Viewer, stand: Stand, upstream: ScriptedUpstream
) -> None:
    upstream.always(lambda request: text_answer(request.json["messages"][0]["content"]))

    async with open_socket(stand.url) as socket:
        for lane in ("a", "b"):
            await socket.create(input=f"lane {lane}", stream_id=lane)
        await socket.turns(2)

    for id in (1, 2):
        detail = await viewer.detail(id)
        lane = json.loads(joined(detail, "request"))["stream_id"]
        frames = [entry["data"] for entry in detail["entries"] if entry["kind"] == "sent"]
        assert all(f'"stream_id":"{lane}"' in frame for frame in frames)
        assert f'"content":" {lane}"' in joined(detail, "chunk")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_run_in_the_background_is_recorded_to_its_end(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream, stream: bool
) -> None:
    """Its request is answered long before."""
    inspect(store="memory:")
    viewer = Viewer(client)
    pause = Pause()
    upstream.reply(stream_answer(chunk({"content": "One"}), pause, chunk({}, "stop")))

    async with client.stream("GET", "/adapter/ui/api/feed") as feed:
        if stream:
            pause.release()
        await viewer.ask(background=True, stream=stream)
        running = await viewer.detail()
        pause.release()
        async with asyncio.timeout(5):
            async for line in feed.aiter_lines():
                if '"state":"completed"' in line:
                    break

    detail = await viewer.detail()
    assert running["summary"]["state"] in (
        {"running", "queued"} if not stream else {"running", "completed"}
    )
    assert detail["summary"]["turns"] == 1
    made = joined(detail, "sent" if stream else "made")
    assert made.count("event: response.output_text.delta") == 1
    assert "event: response.completed" in made


async def test_what_is_passed_on_is_recorded(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """The upstream's own Responses API answers: there is nothing to translate."""
    route = {"upstream": upstream.url, "dialect": "generic", "api": "responses", "default": True}
    inspect(upstream=None, dialect="auto", routes={"own": route})
    document = {"id": "resp_1", "status": "completed", "output": []}
    upstream.reply(json_answer(200, document), to="/v1/responses")

    await Viewer(client).ask()

    detail = await Viewer(client).detail()
    assert json.loads(joined(detail, "sent")) == document
    assert (detail["summary"]["turns"], detail["summary"]["response_id"]) == (0, "resp_1")


async def test_a_compaction_is_recorded(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    inspect(sealing_keys=["0123456789abcdef"])
    upstream.reply(text_answer("They said hello."))

    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}]}
    await client.post("/v1/responses/compact", json=body)

    detail = await Viewer(client).detail()
    assert detail["summary"]["path"] == "/v1/responses/compact"
    assert kinds(detail)[:2] == ["request", "chat"]


async def test_the_counting_of_tokens_is_recorded(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    inspect(dialect="llama.cpp")
    upstream.always(json_answer(200, {"tokens": [1, 2, 3], "prompt": "Hi"}), to="/apply-template")
    upstream.always(json_answer(200, {"tokens": [1, 2, 3]}), to="/tokenize")
    upstream.always(text_answer("x"))

    await client.post("/v1/responses/input_tokens", json={"model": "m", "input": "Hi"})

    summary = (await Viewer(client).detail())["summary"]
    assert summary["path"] == "/v1/responses/input_tokens"
    assert summary["turns"] >= 1


async def test_the_list_of_models_still_comes_from_the_upstream(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """A watched upstream can what the one behind it can."""
    own = {"upstream": upstream.url, "dialect": "generic"}
    inspect(upstream=None, routes={"a": {**own, "default": True}, "b": {**own, "models": ["x"]}})

    models = await client.get("/v1/models")

    assert "scripted" in [entry["id"] for entry in models.json()["data"]]


async def test_secrets_are_nowhere_in_what_is_shown(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    """The client's key, the upstream's, and an MCP server's; also where an upstream quotes one."""
    ours, theirs = "sk-of-the-upstream-0123456789", "mcp-token-0123456789"
    inspect(upstream_api_key=ours, hosted_tools="drop")
    upstream.reply(text_answer(f"neither {ours} nor {SECRET} nor {theirs}"))
    tool = {"type": "mcp", "server_label": "d", "server_url": "https://m.example"}
    tools = [{**tool, "authorization": theirs, "headers": {"X-Any": "another-0123456789"}}]
    headers = {"authorization": f"Bearer {SECRET}", "cookie": "session=0123456789"}

    await Viewer(client, headers).ask(tools=tools, stream=True, metadata={"a_key": "k-0123456789"})

    viewer = Viewer(client)
    detail, files = json.dumps(await viewer.detail()), await viewer.files()
    shown = detail + "".join(content.decode() for content in files.values())
    for secret in (
        ours,
        SECRET,
        theirs,
        "another-0123456789",
        "session=0123456789",
        "k-0123456789",
    ):
        assert secret not in shown
    assert json.loads(files["request.json"])["tools"][0]["authorization"] == "***"


async def test_nothing_is_kept_beyond_the_bounds(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    inspect(Bounds(requests=2))
    upstream.always(text_answer("Hello"))
    viewer = Viewer(client)

    for _ in range(3):
        await viewer.ask()

    assert (await viewer.get("requests/1")).status_code == 404
    assert (await viewer.get("requests/3")).status_code == 200


def events_of(text: str) -> list[tuple[str, Any]]:
    blocks = [block.split("\n") for block in text.split("\n\n") if block.startswith("event:")]
    return [(name[7:], json.loads(data[6:])) for name, data in blocks]


async def test_the_feed_tells_of_requests_and_of_their_end(
    viewer: Viewer, upstream: ScriptedUpstream, client: httpx2.AsyncClient
) -> None:
    upstream.reply(stream_answer(*sse(chunk({"content": "Hi"}), chunk({}, "stop"), done=False)))
    text = ""

    async with client.stream("GET", "/adapter/ui/api/feed") as feed:
        parts = feed.aiter_text()
        text += await anext(parts)
        await viewer.ask(stream=True)
        while '"state":"completed"' not in text:
            text += await anext(parts)
        await client.delete("/adapter/ui/api/requests")
        while "event: gone" not in text:
            text += await anext(parts)

    events = events_of(text)
    assert events[0] == ("all", [])
    assert events[-1] == ("gone", {"id": "1"})
    assert {name for name, _ in events[1:-1]} == {"request"}


async def test_feeds_end_when_the_server_is_going(
    inspect: Inspect, client: httpx2.AsyncClient
) -> None:
    """Else it would wait for them."""
    app = inspect()

    async with client.stream("GET", "/adapter/ui/api/feed") as feed:
        parts = feed.aiter_text()
        await anext(parts)
        app.close_soon()
        rest = [part async for part in parts]

    assert "".join(rest) == ""
