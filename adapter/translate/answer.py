"""What upstreams say besides the answer: errors and usage, in the shapes of the Responses API.

Source: `observed.md` §3 and `reported.md` §3.2 (the shapes), sheet §6 and §8 (what they become).
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from adapter.errors import UpstreamError
from adapter.types.response import InputTokensDetails, OutputTokensDetails, Usage

MAX_MESSAGE_CHARS = 1000  # SGLang's validation errors are 41 KB, with its file paths
# llama.cpp answers 500 for what the client may not send (images to a text model, …).
_CLIENT_FAULT = re.compile(r"not supported|must be|is required|[Ff]ailed to parse")
_json = msgspec.json.Decoder()
# What frameworks say of a path that they do not have; a model that is not there is named.
_NO_ROUTE_TEXTS = frozenset({"not found", "file not found", "method not allowed"})
_MINIMAX_STATUSES = {1002: 429, 1004: 401, 1026: 400, 1027: 400, 1039: 400, 2013: 400, 2049: 401}
_TEXT_TYPES = ("text/plain", "application/json", "text/event-stream")

# Words by which servers say that the prompt does not fit; Codex acts on the code.
_OVERFLOW_TEXTS = (
    "context length",  # vLLM, SGLang, OpenAI
    "context_length_exceeded",
    "exceed_context_size",  # llama.cpp
    "exceeds the available context size",
    "maximum context",
    "context window",
    "prompt is too long",
    "input is too long",
    "too many tokens",
    "`inputs` tokens + `max_new_tokens` must be",  # TGI
)


def http_error(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Return the error for an HTTP answer that is not 200.

    4xx keep their status, except that a 404 or 405 of the whole route is a wrong URL (502).
    Other statuses become 502, or stay 503 and 504.
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
    code = error.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 502
    return _error(error, _client_status(status), {})


def read_usage(raw: Any) -> Usage | None:
    """Return usage of whatever form, in whole integers; None if there is none.

    vLLM's details may be null, SGLang and Kimi keep counts at the top level, DeepSeek has names of
    its own (`observed.md` §2, `reported.md` §3.2). xAI counts reasoning beside the completion, but
    into the total (LiteLLM xai/chat).
    """
    if not isinstance(raw, dict):
        return None
    prompt = _details(raw, "prompt_tokens_details", "input_tokens_details")
    completion = _details(raw, "completion_tokens_details", "output_tokens_details")
    input_tokens = _count(raw, "prompt_tokens", "input_tokens")
    output_tokens = _count(raw, "completion_tokens", "output_tokens")
    cached = _count(prompt, "cached_tokens") or _count(
        raw, "cached_tokens", "prompt_cache_hit_tokens"
    )
    written = _count(prompt, "cache_write_tokens", "created_cache_tokens") or _count(
        raw, "cache_write_tokens"
    )
    reasoning = _count(completion, "reasoning_tokens") or _count(raw, "reasoning_tokens")
    total = _count(raw, "total_tokens")
    if total == input_tokens + output_tokens + reasoning:
        output_tokens += reasoning
    return Usage(
        input_tokens=input_tokens,
        input_tokens_details=InputTokensDetails(cached, written),
        output_tokens=output_tokens,
        output_tokens_details=OutputTokensDetails(reasoning),
        total_tokens=total or input_tokens + output_tokens,
    )


def add_usage(first: Usage | None, second: Usage | None) -> Usage | None:
    """Return the sum; what is not known counts nothing."""
    if first is None or second is None:
        return first or second
    cached, output = first.input_tokens_details, first.output_tokens_details
    return Usage(
        first.input_tokens + second.input_tokens,
        InputTokensDetails(
            cached.cached_tokens + second.input_tokens_details.cached_tokens,
            cached.cache_write_tokens + second.input_tokens_details.cache_write_tokens,
        ),
        first.output_tokens + second.output_tokens,
        OutputTokensDetails(
            output.reasoning_tokens + second.output_tokens_details.reasoning_tokens
        ),
        first.total_tokens + second.total_tokens,
    )


def _details(raw: dict[str, Any], *names: str) -> dict[str, Any]:
    for name in names:
        if isinstance(found := raw.get(name), dict):
            return found
    return {}


def _count(raw: dict[str, Any], *names: str) -> int:
    for name in names:
        value = raw.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 2**63:
            return int(value)
    return 0


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
            path = ".".join(map(str, place)) if isinstance(place, list) else ""
            return {"message": f"{message} ({path})" if path else message}
        case {"base_resp": {"status_msg": str(message)}}:
            status = _MINIMAX_STATUSES.get(_count(value["base_resp"], "status_code"))
            return {"message": message, "code": status}
        case _:
            return None


def _is_no_route(error: Mapping[str, Any]) -> bool:
    return str(error.get("message")).strip(" .").lower() in _NO_ROUTE_TEXTS


def _client_status(status: int) -> int:
    return status if 400 <= status < 500 or status in (503, 504) else 502


def _error(error: dict[str, Any], status: int, headers: Mapping[str, str]) -> UpstreamError:
    message = " ".join(str(error.get("message")).split())
    if len(message) > MAX_MESSAGE_CHARS:
        message = message[:MAX_MESSAGE_CHARS] + "…"
    param, code = error.get("param"), error.get("code")
    if status != 429 and is_overflow(error):  # "too many tokens" may mean: per minute
        status, code = 400, "context_length_exceeded"
    refusal = UpstreamError(
        message,
        status=status,
        type=_TYPES.get(status, "invalid_request_error") if 400 <= status < 500 else None,
        code=code if isinstance(code, str) and code else _CODES.get(status),
        param=param if isinstance(param, str) and len(param) <= 200 else None,
        headers=headers,
    )
    if refusal.type == "invalid_request_error" and refusal.code == UpstreamError.default_code:
        refusal.code = None  # a fault of the request, which the upstream did not classify
    return refusal


_TYPES = {429: "too_many_requests"}  # Open Responses' name
_CODES = {
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
}


def is_overflow(error: Mapping[str, Any]) -> bool:
    """Tell whether an error says that the prompt does not fit into the model's context."""
    said = (error.get(key) for key in ("message", "type", "code"))
    text = " ".join(words for words in said if isinstance(words, str)).lower()
    return any(words in text for words in _OVERFLOW_TEXTS)


def _plain_text(headers: Mapping[str, str], body: bytes) -> str:
    """Return the body if it is a short text for people, not a page of HTML."""
    text = body[: MAX_MESSAGE_CHARS * 4].decode(errors="replace").strip()
    if not headers.get("content-type", "").startswith(_TEXT_TYPES) or text.startswith("<"):
        return ""
    return text
