"""A downloaded transcript is one of `tests/transcripts/`: it replays, and makes what was recorded."""

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

import httpx2
import pytest

from tests.asgi.conftest import Stand
from tests.asgi.sockets import open_socket
from tests.inspector.conftest import Inspect
from tests.inspector.replays import made_and_recorded
from tests.inspector.viewer import Viewer
from tests.servers.answers import Answer, json_answer, text_answer, tool_answer, whole_answer
from tests.servers.scripted import ScriptedUpstream
from tests.transcript import Transcript

pytestmark = pytest.mark.anyio

TOOL = {"type": "function", "name": "get_weather", "parameters": {"type": "object"}}


def unpacked(folder: Path, files: Mapping[str, bytes]) -> Transcript:
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return Transcript(folder)


async def test_a_stream_is_made_anew(
    viewer: Viewer, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    """Event by event: ids are counted and the clock stands still, as in a replay."""
    upstream.reply(text_answer("Hello there", reasoning="Well"))
    await viewer.ask(stream=True, tools=[TOOL], temperature=0.5)

    transcript = unpacked(tmp_path, await viewer.files())

    made, recorded = made_and_recorded(transcript)
    assert made == recorded
    assert set(recorded) == {"chat.1.json", "events.sse", "response.json"}
    assert transcript.source.answers[0].body.endswith(b"data: [DONE]\n\n")


async def test_calls_of_tools_are_made_anew(
    viewer: Viewer, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.reply(tool_answer(("get_weather", {"city": "Paris"}), ("get_weather", {})))
    await viewer.ask(stream=True, tools=[TOOL])

    made, recorded = made_and_recorded(unpacked(tmp_path, await viewer.files()))

    assert made == recorded


async def test_a_document_is_made_anew(
    viewer: Viewer, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    """A client that does not stream gets the same response."""
    upstream.reply(whole_answer("Hello"))
    await viewer.ask()

    made, recorded = made_and_recorded(unpacked(tmp_path, await viewer.files()))

    assert made == recorded
    assert set(recorded) == {"chat.1.json", "response.json"}


async def test_what_a_refusal_teaches_is_learned_anew(
    viewer: Viewer, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    refusal = {"error": {"message": "Unrecognized request argument supplied: top_p", "code": None}}
    upstream.reply(json_answer(400, refusal), text_answer("Hello"))
    await viewer.ask(top_p=0.5, stream=True)
    files = await viewer.files()

    made, recorded = made_and_recorded(unpacked(tmp_path, files))

    assert made == recorded
    assert {"chat.1.json", "chat.2.json", "upstream.1.json", "upstream.2.sse"} <= files.keys()


async def test_what_was_learned_before_is_a_fact(
    viewer: Viewer, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    """Later requests begin with it, and so does their replay."""
    refusal = {"error": {"message": "Unrecognized request argument supplied: top_p", "code": None}}
    upstream.reply(json_answer(400, refusal), text_answer("Hello"), text_answer("Hello"))
    for _ in range(2):
        await viewer.ask(top_p=0.5, stream=True)

    transcript = unpacked(tmp_path, await viewer.files(2))

    made, recorded = made_and_recorded(transcript)
    assert made == recorded
    assert transcript.source.facts["refuses"] == ["top_p"]
    assert "chat.2.json" not in recorded


async def test_what_cannot_be_read_is_in_it_as_it_came(
    viewer: Viewer, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    upstream.reply(Answer(502, {"content-type": "text/html"}, [b"<h1>Bad gateway</h1>"]))
    await viewer.ask()
    await client.post("/v1/responses", content=b"{no json")

    first, second = await viewer.files(1), await viewer.files(2)

    assert first["upstream.1.txt"] == b"<h1>Bad gateway</h1>"
    assert second["request.json"] == b"{no json"
    assert json.loads(second["error.json"])["status"] == 400


async def test_a_refusal_is_refused_anew(
    viewer: Viewer, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.reply(json_answer(429, {"error": {"message": "slow down"}}))
    await viewer.ask()

    transcript = unpacked(tmp_path, await viewer.files())

    made, recorded = made_and_recorded(transcript)
    assert made["error.json"]["body"] == recorded["error.json"]["body"]
    assert recorded["error.json"]["status"] == 429


async def test_a_turn_of_a_websocket_is_a_transcript_like_any(
    viewer: Viewer, stand: Stand, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    upstream.reply(text_answer("Hello"))
    async with open_socket(stand.url) as socket:
        await socket.ask()

    made, recorded = made_and_recorded(unpacked(tmp_path, await viewer.files()))

    assert made == recorded
    assert "events.sse" in recorded


async def test_the_source_says_who_answered_and_how(
    viewer: Viewer, upstream: ScriptedUpstream
) -> None:
    upstream.reply(json_answer(200, {}, {"server": 'an "odd" one', "retry-after": "3"}))
    await viewer.ask()

    source = tomllib.loads((await viewer.files())["source.toml"].decode())

    assert source["server"] == 'an "odd" one'
    assert (source["origin"], source["dialect"]) == ("capture", "generic")
    assert source["answers"] == [
        {"status": 200, "content_type": "application/json", "headers": {"retry-after": "3"}}
    ]


async def test_what_goes_on_from_stored_responses_says_so(
    inspect: Inspect, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    inspect(store="memory:")
    viewer = Viewer(client)
    upstream.always(text_answer("Hello"))
    first = (await viewer.ask()).json()
    await viewer.ask(previous_response_id=first["id"])

    notes = [
        tomllib.loads((await viewer.files(id))["source.toml"].decode()).get("note") for id in (1, 2)
    ]

    assert notes == [None, "it goes on from what was stored, which is not in here"]


async def test_an_upstream_that_could_not_be_reached_has_no_answer(
    inspect: Inspect, client: httpx2.AsyncClient
) -> None:
    inspect(upstream="http://127.0.0.1:9/v1", upstream_retries=0)
    viewer = Viewer(client)
    await viewer.ask()

    files = await viewer.files()

    assert set(files) == {"request.json", "source.toml", "error.json"}
