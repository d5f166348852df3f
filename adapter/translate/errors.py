"""What upstreams say when they refuse or fail, in the shape of the Responses API.

Source: `observed.md` §3 and `reported.md` §3.2 (the shapes), sheet §8 (what they become). Why an
upstream refused is told by `adapter.translate.causes`.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapter.errors import UpstreamError
from adapter.translate.causes import NO_QUOTA, find_cause

MAX_MESSAGE_CHARS = 1000  # SGLang's validation errors are 41 KB, with its file paths
_MAX_READ_CHARS = 16_000  # of a message, to tell its cause
# llama.cpp answers 500 for what the client may not send (images to a text model, roles that a
# template does not know, …), and llama-cpp-python for whatever pydantic finds.
_CLIENT_FAULT = re.compile(
    r"not supported|must be|is required|[Ff]ailed to parse|[Uu]nexpected (?:message )?role|'loc': \("
)
# What errors inside a stream have in place of a status.
_BAD_REQUEST = re.compile(r"bad_?request|invalid_?(?:request|argument)", re.IGNORECASE)
_json = msgspec.json.Decoder()
# What frameworks say of a path that they do not have; a model that is not there is named.
_NO_ROUTE_TEXTS = frozenset({"not found", "file not found", "method not allowed"})
_MINIMAX_STATUSES = {
    1002: 429,
    1004: 401,
    1008: 402,
    1026: 400,
    1027: 400,
    1039: 400,
    2013: 400,
    2049: 401,
}
_TEXT_TYPES = ("text/plain", "application/json", "text/event-stream")
_TYPES = {429: "too_many_requests"}  # Open Responses' name
_CODES = {
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
}
# What servers of other people's put into their messages, and nobody should be shown: stack traces
# (Python, whose last line stays; Java and node; Go) and web pages.
_TRACES = re.compile(
    r"Traceback \(most recent call last\):.*?(?=^[A-Za-z_][\w.]*(?::|$)|\Z)"
    r'|File "[^"\n]*", line \d+(?:, in [^\s"]+)?'
    r"|^[ \t]+at [^\n]*$"
    r"|^goroutine \d+ \[.*"
    r"|<(?:!doctype|html|head|body)\b.*",
    re.DOTALL | re.MULTILINE | re.IGNORECASE,
)
# OpenRouter wraps what the provider behind it said.
_WRAPPED = "provider returned error"


def http_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Return the error for an HTTP answer that is not 200.

    4xx keep their status, except that a 404 or 405 of the whole route is a wrong URL (502).
    Other statuses become 502, or stay 503 and 504, unless the words tell a fault of the request.
    """
    kept = {name: headers[name] for name in ("retry-after", "retry-after-ms") if name in headers}
    error = _parse(body)
    if status == 500 and error is not None and _CLIENT_FAULT.search(str(error.get("message"))):
        status = 400
    if status in (404, 405) and (error is None or _is_no_route(error)):
        return UpstreamError(
            f"The upstream has no chat completions at this address (status {status}). "
            "Check the base URL.",
            headers=kept,
        )
    if error is None:
        text = _plain_text(headers, body) if 400 <= status < 500 else ""
        error = {"message": text or f"The upstream answered {status} without an error message."}
    return _error(error, _client_status(status), kept)


def stream_error(raw: Any) -> UpstreamError:
    """Return the error for an error object that came in place of a chunk.

    Args:
        raw: the decoded object, or what stood under its `error` key.
    """
    error = _unwrap(raw) or {"message": "The upstream reported an error without a message."}
    return _error(error, _client_status(_status(error)), {})


def _status(error: Mapping[str, Any]) -> int:
    code = error.get("code")
    if isinstance(code, str) and code.isdecimal() and len(code) == 3:
        code = int(code)
    if isinstance(code, int) and 400 <= code < 600:
        return code
    return 400 if _BAD_REQUEST.search(f"{error.get('type')} {error.get('status')}") else 502


def _parse(body: bytes) -> dict[str, Any] | None:
    """Return the error in a body, whatever its form; None if there is none."""
    try:
        return _unwrap(_json.decode(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _unwrap(value: Any, levels: int = 8) -> dict[str, Any] | None:
    """Find the message in the known forms of error.

    `{"error": {…}}`, `{"error": "text"}`, `{"object": "error", "message": …}`, `{"detail": "text"}`,
    `{"detail": [{"msg": …}]}`, `[{"error": …}]` (Gemini), `{"base_resp": {…}}` (MiniMax).
    """
    if isinstance(value, str):
        return {"message": value} if value else None
    if isinstance(value, list):
        return _unwrap(value[0], levels - 1) if value and levels else None
    if not isinstance(value, dict):
        return None
    match value:
        case {"error": inner} if inner and levels:
            return _unwrap(inner, levels - 1)
        case {"message": inner} if inner and levels:
            found = _unwrap(inner, levels - 1)
            return found and {**value, "message": found["message"]}
        case {"detail": inner} if inner and levels:
            return _unwrap(inner, levels - 1)
        case {"msg": str(message)}:
            place = value.get("loc")
            steps = place if isinstance(place, list) else []
            path = ".".join(str(step) for step in steps if isinstance(step, str | int))
            return {"message": f"{message} ({path})" if path else message}
        case {"base_resp": {"status_msg": str(message)} as told}:
            code = told.get("status_code")
            known = isinstance(code, int)
            return {"message": message, "code": _MINIMAX_STATUSES.get(code) if known else None}
        case _:
            return None


def _is_no_route(error: Mapping[str, Any]) -> bool:
    return str(error.get("message")).strip(" .").lower() in _NO_ROUTE_TEXTS


def _client_status(status: int) -> int:
    return status if 400 <= status < 500 or status in (503, 504) else 502


def _error(error: dict[str, Any], status: int, headers: Mapping[str, str]) -> UpstreamError:
    error = _from_provider(error)
    error = {**error, "message": str(error.get("message"))[:_MAX_READ_CHARS]}
    param, code = error.get("param"), error.get("code")
    cause = find_cause(error, status)
    if cause is not None:
        status, code, param = cause.status, cause.code, param or cause.param
    if code == NO_QUOTA:
        headers = {**headers, "x-should-retry": "false"}  # OpenAI's SDKs would come back after 429
    refusal = UpstreamError(
        _message(error["message"]),
        status=status,
        type=_TYPES.get(status, "invalid_request_error") if 400 <= status < 500 else None,
        code=code if isinstance(code, str) and code else _CODES.get(status),
        param=param if isinstance(param, str) and len(param) <= 200 else None,
        headers=headers,
    )
    if refusal.type == "invalid_request_error" and refusal.code == UpstreamError.default_code:
        refusal.code = None  # a fault of the request, which the upstream did not classify
    return refusal


def _message(text: str) -> str:
    message = " ".join(_TRACES.sub("", text).split())
    if len(message) > MAX_MESSAGE_CHARS:
        message = message[:MAX_MESSAGE_CHARS] + "…"
    return message or "The upstream reported an error without a message that can be shown."


def _from_provider(error: dict[str, Any]) -> dict[str, Any]:
    """Return the error with the message of the provider behind a gateway, if it has one."""
    metadata = error.get("metadata")
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    is_wrapped = str(error.get("message")).strip(" .").lower() == _WRAPPED
    if not is_wrapped or not isinstance(raw, str) or not raw.strip():
        return error
    inner = _parse(raw.encode(errors="replace")) or {"message": raw}
    return {**error, "message": inner["message"]}


def _plain_text(headers: Mapping[str, str], body: bytes) -> str:
    """Return the body if it is a short text for people, not a page of HTML."""
    text = body[: MAX_MESSAGE_CHARS * 4].decode(errors="replace").strip()
    if not headers.get("content-type", "").startswith(_TEXT_TYPES) or text.startswith("<"):
        return ""
    return text
