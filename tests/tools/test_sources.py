"""Sources in what hosted tools have found."""

import json
from typing import Any

import pytest

from adapter.tools.sources import MAX_SOURCES, find_sources, with_sources
from adapter.types.hosted import Source, ToolResult

A, B = Source("https://a.example/x", "A"), Source("https://b.example/")
FOUND: list[tuple[str, ToolResult, tuple[Source, ...]]] = [
    ("nothing", ToolResult("Nothing."), ()),
    ("a link", ToolResult("See [A](https://a.example/x)."), (A,)),
    ("a bare URL", ToolResult("See https://b.example/."), (B,)),
    ("one twice", ToolResult("https://a.example/x [A](https://a.example/x)"), (A,)),
    ("JSON", ToolResult(json.dumps({"results": [{"url": A.url, "title": "A"}]})), (A,)),
    ("JSON of other names", ToolResult(json.dumps([{"link": A.url, "name": "A"}])), (A,)),
    ("what is structured", ToolResult("Done.", structured={"url": B.url}), (B,)),
    ("no web address", ToolResult(json.dumps({"url": "file:///etc/passwd"})), ()),
    ("half of JSON", ToolResult('{"url": "https://b.example/'), (B,)),
]


@pytest.mark.parametrize(
    ("result", "expected"), [pytest.param(*row[1:], id=row[0]) for row in FOUND]
)
def test_sources_are_found(result: ToolResult, expected: tuple[Source, ...]) -> None:
    assert find_sources(result) == expected


def test_there_are_not_too_many() -> None:
    result = ToolResult(" ".join(f"https://a.example/{n}" for n in range(1000)))

    assert len(find_sources(result)) == MAX_SOURCES


def test_deep_json_is_searched_as_text() -> None:
    text = "[" * 5000 + f'"{B.url}"' + "]" * 5000

    assert find_sources(ToolResult(text)) == (B,)


@pytest.mark.parametrize(
    "result",
    [
        ToolResult("https://b.example/", sources=(A,)),
        ToolResult("https://x.y", error={"type": "x"}),
    ],
)
def test_what_is_said_already_is_kept(result: Any) -> None:
    assert with_sources(result) == result
