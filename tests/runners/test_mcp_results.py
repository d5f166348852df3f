"""`to_result`: what the SDK's servers do not send, and the limits."""

import base64
from typing import Any

import pytest

from adapter.runners.mcp.failures import http_failure, refused_by_server
from adapter.runners.mcp.listing import Listing, Lists
from adapter.runners.mcp.results import to_result
from adapter.types.hosted import ListedTool, ToolResult
from adapter.types.parts import InputText

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n").decode()


LARGE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(60)).decode()


def image(data: str, media_type: str = "image/png") -> dict[str, Any]:
    return {"type": "image", "data": data, "mimeType": media_type}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        pytest.param({"content": []}, ToolResult(), id="nothing"),
        pytest.param(
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            ToolResult("a\nb"),
            id="texts",
        ),
        pytest.param(
            {"content": [], "structuredContent": [1, "é"]},
            ToolResult('[1,"é"]', structured=[1, "é"]),
            id="structured_alone",
        ),
        pytest.param(
            {"content": [{"type": "text", "text": ""}], "structuredContent": {"a": 1}},
            ToolResult("", structured={"a": 1}),
            id="structured_beside_a_text",
        ),
        pytest.param(
            {"content": [], "isError": True},
            ToolResult(
                "The tool failed and gave no reason.",
                error={"type": "mcp_tool_execution_error", "content": []},
            ),
            id="error_without_a_reason",
        ),
        pytest.param(
            {"content": [image("%%%")]},
            ToolResult("[image/png, not readable]"),
            id="image_that_is_no_base64",
        ),
        pytest.param(
            {"content": [image("aGVsbG8=", "image/svg+xml")]},
            ToolResult("[image/svg+xml, 5 bytes]"),
            id="image_that_no_model_reads",
        ),
        pytest.param(
            {"content": [{"type": "audio", "data": "aGVsbG8=", "mimeType": "audio/ogg"}]},
            ToolResult("[audio/ogg, 5 bytes]"),
            id="recording_that_no_model_hears",
        ),
        pytest.param(
            {"content": [{"type": "hologram"}]}, ToolResult("[hologram]"), id="unknown_block"
        ),
        pytest.param(
            {"content": [{"type": "resource_link", "name": "n", "title": "T", "uri": "u:x"}]},
            ToolResult("[T](u:x)"),
            id="link",
        ),
    ],
)
def test_result(result: dict[str, Any], expected: ToolResult) -> None:
    assert to_result(result, 10_000) == expected


def test_image_with_another_type_than_it_says_is_what_it_is() -> None:
    result = to_result({"content": [image(PNG, "image/jpeg")]}, 10_000)

    assert result.content[0].image_url == f"data:image/png;base64,{PNG}"  # type: ignore[union-attr]


@pytest.mark.parametrize("block", [{"type": "text", "text": "x" * 90}, image(LARGE)])
def test_size_counts_all_that_is_shown(block: dict[str, Any]) -> None:
    result = to_result({"content": [block] * 2}, 120)

    assert result.error is not None
    assert result.error["message"] == "The MCP server sent more than 120 bytes."


def test_long_reason_is_cut() -> None:
    assert len(refused_by_server(-1, "x" * 9000).message) == 2001
    assert refused_by_server(-1, "").message == "The MCP server gave no reason."


def test_unknown_status_has_no_name() -> None:
    assert http_failure(799).message == "The MCP server answered with HTTP status 799."


def listing(size: int, ttl_seconds: float | None = None) -> Listing:
    return Listing((ListedTool("a", {}),), ttl_seconds, size)


def test_lists_are_kept_within_a_size() -> None:
    lists = Lists(100.0)
    for number in range(40):
        lists.keep(bytes([number]), listing(1024 * 1024))

    kept = [number for number in range(40) if lists.get(bytes([number]))]

    assert kept == list(range(8, 40))


@pytest.mark.parametrize(
    ("ours", "theirs", "kept"), [(0, None, 0), (9, 0, 0), (9, 5, 5), (5, 9, 5)]
)
def test_list_is_kept_for_the_shorter_time(ours: float, theirs: float | None, kept: int) -> None:
    now = 0.0
    lists = Lists(ours, lambda: now)
    lists.keep(b"x", listing(1, theirs))

    seen = 0
    while lists.get(b"x") is not None:
        seen += 1
        now = float(seen)

    assert seen == kept


def test_texts_beside_images_are_content_too() -> None:
    result = to_result({"content": [{"type": "text", "text": "a"}, image(PNG)]}, 10_000)

    assert result.content[0] == InputText("a")
    assert result.output == "a\n[image]"
