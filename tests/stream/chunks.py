"""Chunks as chat servers send them, and a reader for them."""

import json
from typing import Any

from adapter.dialects import Dialect
from adapter.stream.chunks import ChunkReader
from adapter.stream.deltas import Delta

GENERIC = Dialect(name="generic", source="a test")


def reader(**options: Any) -> ChunkReader:
    return ChunkReader(GENERIC, **options)


def delta(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def call(**fields: Any) -> dict[str, Any]:
    return delta(tool_calls=[fields])


def read(chunks: ChunkReader, *given: Any) -> list[Delta]:
    return [delta for chunk in given for delta in chunks.read(json.dumps(chunk).encode())]
