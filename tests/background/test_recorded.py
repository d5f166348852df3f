"""Our events of background runs are those that OpenAI's API was recorded to send.

Sources: the recordings of pydantic-ai in `tests/data/recorded`, of February 2026.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.asgi.streams import DONE, read_stream
from tests.background.test_http import replay
from tests.servers.answers import chunk, stream_answer
from tests.servers.scripted import ScriptedUpstream
from tests.state.peer import Peer

pytestmark = pytest.mark.anyio

RECORDED = Path(__file__).parents[1] / "data" / "recorded"
STREAMS = (
    "pyai-background_mode_streaming_vcr.0",
    "pyai-background_mode_streaming_continuation_vcr.0",
    "pyai-background_mode_streaming_starting_after_vcr.0",
)
RESUMED = "pyai-background_mode_streaming_starting_after_vcr.1"


def recorded(name: str) -> list[dict[str, Any]]:
    lines = (RECORDED / f"{name}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line]


def outline(events: list[Any]) -> list[tuple[Any, ...]]:
    """Return what tells streams of the same words apart, but for ids."""
    return [
        (
            event["type"],
            event["sequence_number"],
            event.get("delta"),
            event.get("response", {}).get("status"),
            event.get("response", {}).get("background"),
            event.get("item", {}).get("status"),
        )
        for event in events
        if event != DONE
    ]


def say(upstream: ScriptedUpstream, events: list[dict[str, Any]]) -> None:
    """Have the model say the words of a recording."""
    words = [chunk({"content": event["delta"]}) for event in events if "delta" in event]
    upstream.reply(stream_answer(*words, chunk({}, "stop")))


@pytest.mark.parametrize("name", STREAMS)
async def test_stream_is_as_recorded(name: str, peer: Peer, upstream: ScriptedUpstream) -> None:
    expected = recorded(name)
    say(upstream, expected)
    stream = await read_stream(peer.client, headers=peer.headers, background=True)

    assert outline(stream.events) == outline(expected)


async def test_resumed_stream_is_as_recorded(peer: Peer, upstream: ScriptedUpstream) -> None:
    expected = recorded(RESUMED)
    say(upstream, expected)
    stream = await read_stream(peer.client, headers=peer.headers, background=True)
    resumed = await replay(peer, stream.events[0]["response"]["id"], starting_after=0)

    assert outline(resumed) == outline(expected)
