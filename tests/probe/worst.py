"""The worst server that still answers: it refuses whatever is optional, and is odd in the rest.

It has no list of models, says no with web pages and without a reason, names calls without ids and
indexes, leaves thoughts in the text, tells no usage, never says that it is done, repeats the key
that it was given, hangs once, and breaks off once.
"""

import json
from typing import Any

from tests.servers.answers import (
    Answer,
    Hang,
    Reset,
    Step,
    chunk,
    json_answer,
    stream_answer,
)
from tests.servers.requests import Request

PAGE = Answer(400, {"content-type": "text/html"}, [b"<html>Bad Request</html>"], framing="length")
CRASH = Answer(500, {"content-type": "text/html"}, [b"<html>Oops</html>"], framing="length")
MUTE = json_answer(422, {"detail": "Unprocessable"})
HANG = Answer(before=[Hang()])
BROKEN = Answer(headers={"content-type": "text/event-stream"}, chunks=[b"data: ", Reset()])

_NEVER_TAKEN = {
    "temperature",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "presence_penalty",
    "seed",
    "chat_template_kwargs",
    "thinking",
    "enable_thinking",
    "x_adapter_probe",
}


def answer(request: Request) -> Answer:
    """Answer a chat request."""
    body = request.json
    if body["messages"] == "none":
        return _weird(chunk({"content": "fine"}))
    if _NEVER_TAKEN & body.keys():
        return PAGE
    if "reasoning_effort" in body:
        key = request.headers.get("authorization", "")
        return json_answer(422, {"error": f"\x1b[31mno effort for you,\n{key}"})
    if not body["stream"]:
        return CRASH
    return _answer_to_messages(body) or _answer_to_format(body) or _answer_to_tools(body) or _TALK


def _answer_to_messages(body: dict[str, Any]) -> Answer | None:
    roles = [message["role"] for message in body["messages"]]
    if "tool" in roles:
        return CRASH
    if roles in (["user", "user"], ["user", "assistant", "system", "user"]):
        return json_answer(400, {"object": "error", "message": "roles must alternate"})
    if "developer" in roles or "system" in roles:
        return PAGE
    parts = [part["type"] for part in body["messages"][0]["content"] if isinstance(part, dict)]
    if "file" in parts:
        return BROKEN
    return CRASH if "image_url" in parts else None


def _answer_to_format(body: dict[str, Any]) -> Answer | None:
    match body.get("response_format"):
        case {"type": "json_object"}:
            return _weird(chunk({"content": "Hello, and no JSON"}))
        case {"type": "json_schema"}:
            return MUTE
        case _:
            return None


def _answer_to_tools(body: dict[str, Any]) -> Answer | None:
    if "tools" not in body or "logprobs" in body:
        return None
    if body["tools"][0]["function"].get("strict"):
        return HANG
    if body.get("tool_choice") == "required":
        return _TALK
    if "London" in body["messages"][0]["content"]:
        return _weird(_call("Paris"), _call("London"))
    return _weird(_call("Paris"))


def _call(city: str) -> dict[str, Any]:
    """Return a call without an id and an index, and with an object where text should be."""
    function = {"name": "get_weather", "arguments": {"city": city}}
    return chunk({"role": "assistant", "content": None, "tool_calls": [{"function": function}]})


def _weird(*chunks: dict[str, Any]) -> Answer:
    """Return a stream with all that may stand around what is said, and without an end."""
    around: list[dict[str, Any] | Step] = [
        b": hello\r\n\r\n",
        b"event: ping\r\ndata:\r\n\r\n",
        chunk(choices=[], usage=None),
        chunk(choices=None),
        chunk(choices=[{"index": 0, "delta": None}]),
    ]
    said: list[Step] = [b"data:" + json.dumps(each).encode() + b"\r\n\r\n" for each in chunks]
    return stream_answer(*around, *said, done=False)


_THOUGHTS = (" I", " should", " say", " something", "</thi", "nk>", "Hel", "lo", "!")
_TALK = _weird(*(chunk({"role": "assistant", "content": word}) for word in _THOUGHTS))
