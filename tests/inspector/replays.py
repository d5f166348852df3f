"""Replays of transcripts that were downloaded."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.transcript import Transcript


def made_and_recorded(transcript: Transcript) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the files that a replay makes, and those that were recorded, as what they mean."""
    with ThreadPoolExecutor(1) as thread:  # a replay has an event loop, and so have these tests
        made = thread.submit(transcript.results).result()
    recorded = transcript.reviewed()
    return (
        {name: read(name, made[name]) for name in recorded if name in made},
        {name: read(name, content) for name, content in recorded.items()},
    )


def read(name: str, content: bytes) -> Any:
    return json.loads(content) if name.endswith(".json") else content.decode()
