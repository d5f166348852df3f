"""The forms in which servers refuse a request: (text, …) to the whole answer.

Source: `observed.md` §3 (vLLM, SGLang, llama.cpp, transformers: seen), `reported.md` §3.2 and §3.4.
"""

import json
from typing import Any

from tests.servers.answers import Answer, json_answer, stream_answer

BAD = "invalid_request_error"


def openai(text: str, param: str | None = None, code: str | None = None) -> Answer:
    """OpenAI, Azure, Groq, DeepSeek, Kimi, xAI."""
    error = {"message": text, "type": BAD, "param": param, "code": code}
    return json_answer(400, {"error": error})


def vllm(text: str, param: str | None = None) -> Answer:
    error = {"message": text, "type": "BadRequestError", "param": param, "code": 400}
    return json_answer(400, {"error": error})


def sglang(text: str) -> Answer:
    """SGLang, and vLLM before 0.10: not under a key."""
    return json_answer(
        400,
        {
            "object": "error",
            "message": text,
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        },
    )


def llama_cpp(text: str, status: int = 400) -> Answer:
    """Some faults of the client come as 500."""
    return json_answer(status, {"error": {"code": status, "message": text, "type": "server_error"}})


def detail(text: str) -> Answer:
    """Transformers."""
    return json_answer(422, {"detail": text})


def fastapi(text: str, *loc: str | int, kind: str = "extra_forbidden") -> Answer:
    """Any server that checks with pydantic and says so."""
    return json_answer(422, {"detail": [_pydantic(text, loc, kind)]})


def mistral(text: str, *loc: str | int, kind: str = "extra_forbidden") -> Answer:
    found = {"detail": [_pydantic(text, loc, kind)]}
    return json_answer(
        422, {"object": "error", "message": found, "type": BAD, "param": None, "code": None}
    )


def gemini(text: str) -> Answer:
    """A list, although there is one error."""
    error = {"code": 400, "message": text, "status": "INVALID_ARGUMENT"}
    return json_answer(400, [{"error": error}])


def groq(text: str) -> Answer:
    return json_answer(400, {"error": {"message": text, "type": BAD}})


def cerebras(text: str) -> Answer:
    """At the top level, with a code and a parameter that say nothing."""
    return json_answer(
        400, {"message": text, "type": BAD, "param": "validation_error", "code": "wrong_api_format"}
    )


def minimax(text: str) -> Answer:
    """With status 200."""
    return json_answer(200, {"base_resp": {"status_code": 2013, "status_msg": text}})


def minimax_stream(text: str) -> Answer:
    return stream_answer({"base_resp": {"status_code": 2013, "status_msg": text}}, done=False)


def in_stream(text: str) -> Answer:
    """vLLM and SGLang for what they find out late: status 200, and the first event is the error."""
    error = {"message": text, "type": "BadRequestError", "param": None, "code": 400}
    return stream_answer({"error": error})


def openrouter(text: str) -> Answer:
    """What the provider behind it said, inside."""
    raw = json.dumps({"error": {"message": text, "type": BAD}})
    metadata = {"raw": raw, "provider_name": "OpenAI"}
    error = {"message": "Provider returned error", "code": 400, "metadata": metadata}
    return json_answer(400, {"error": error})


def plain(text: str) -> Answer:
    return Answer(400, {"content-type": "text/plain; charset=utf-8"}, [text.encode()])


def ollama(text: str) -> Answer:
    error = {"message": text, "type": BAD, "param": None, "code": None}
    return json_answer(400, {"error": error})


def _pydantic(text: str, loc: tuple[str | int, ...], kind: str) -> dict[str, Any]:
    return {"type": kind, "loc": ["body", *loc], "msg": text, "input": "…"}
