"""What came of a call, from the protocol's words into ours. Pure.

Source: MCP 2025-11-25 and 2026-07-28, `CallToolResult`; OpenAI SDK 3.51 `McpCall`.
"""

import base64
import binascii
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from adapter.runners.mcp.failures import Failure, too_large
from adapter.translate.media import sniff_media_type, to_data_url
from adapter.types.hosted import ToolResult
from adapter.types.parts import AudioData, InputAudio, InputImage, InputText, Part

# What chat completions take; by the media types that servers use for them.
_AUDIO_FORMATS: Final = {
    "audio/wav": "wav",
    "audio/wave": "wav",
    "audio/x-wav": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
}

_encode = msgspec.json.Encoder().encode


def to_result(result: dict[str, Any], max_bytes: int) -> ToolResult:
    """Return the result of a call.

    Images and recordings are shown to the model, and named in the text; what neither can hold is
    named with its size.

    Args:
        result: a `CallToolResult` as JSON.
        max_bytes: of all of it, as the model and the client get it.
    """
    blocks: list[dict[str, Any]] = result["content"]
    structured = result.get("structuredContent")
    parts = [part for block in blocks for part in _parts(block)]
    text = "\n".join(_texts(parts))
    if not parts and structured is not None:
        text = _encode(structured).decode()
    error = None
    if result.get("isError"):
        text = text or "The tool failed and gave no reason."
        error = {"type": "mcp_tool_execution_error", "content": blocks}
    is_seen = any(not isinstance(part, InputText) for part in parts)
    made = ToolResult(text, tuple(parts) if is_seen else (), error, structured=structured)
    if len(_encode((made.output, made.content, error))) > max_bytes:
        return to_failure(too_large(max_bytes))
    return made


def to_failure(failure: Failure) -> ToolResult:
    """Return the result of a call that could not be made."""
    return ToolResult(failure.message, error=failure.error())


def _parts(block: dict[str, Any]) -> Iterable[Part]:
    match block["type"]:
        case "text":
            yield InputText(block["text"])
        case "image" | "audio":
            yield _media(block["data"], block["mimeType"], "")
        case "resource":
            yield _resource(block["resource"])
        case "resource_link":
            yield InputText(_link(block))
        case other:
            yield InputText(f"[{other}]")


def _resource(resource: dict[str, Any]) -> Part:
    if "text" in resource:
        return InputText(resource["text"])
    kind = resource.get("mimeType", "application/octet-stream")
    return _media(resource["blob"], kind, resource["uri"])


def _media(data: str, media_type: str, uri: str) -> Part:
    """Return what the bytes are; their first ones are believed rather than the media type."""
    name = f"{uri} " if uri else ""
    try:
        body = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        return InputText(f"[{name}{media_type}, not readable]")
    if (image := sniff_media_type(body)) is not None:
        return InputImage(to_data_url(image, body))
    if (audio := _AUDIO_FORMATS.get(media_type.lower())) is not None:
        return InputAudio(AudioData(data, audio))
    return InputText(f"[{name}{media_type}, {len(body)} bytes]")


def _link(block: dict[str, Any]) -> str:
    name = block.get("title") or block["name"]
    about = f": {block['description']}" if block.get("description") else ""
    return f"[{name}]({block['uri']}){about}"


def _texts(parts: Iterable[Part]) -> Iterable[str]:
    for part in parts:
        match part:
            case InputText(text):
                yield text
            case InputImage():
                yield "[image]"
            case _:
                yield "[audio]"
