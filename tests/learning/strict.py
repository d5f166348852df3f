"""An upstream that refuses one thing, and what a client makes of its answers."""

from collections.abc import Callable
from typing import Any

import httpx2

from tests.asgi.streams import parse, text_of
from tests.learning.case import Body
from tests.servers.answers import Answer, text_answer
from tests.servers.requests import Request

TEXT = '{"a": 1}'  # fits every format that is asked for


def strict(refuses: Callable[[Body], bool], refusal: Answer) -> Callable[[Request], Answer]:
    """Return the reply of an upstream that refuses one thing."""
    return lambda request: refusal if refuses(request.json) else text_answer(TEXT)


async def ask(client: httpx2.AsyncClient, **fields: Any) -> tuple[str, list[str]]:
    """Return the text of a whole answer, and what its headers tell, as `Case.told` has it."""
    body = {"model": "m", "input": "Hi", **fields}
    answer = await client.post("/v1/responses", json=body)
    assert answer.status_code == 200, answer.text
    if body.get("stream"):
        events = parse(answer.content)
        assert events[-2]["type"] == "response.completed"
        return text_of(events), _told(answer.headers)
    output = answer.json()["output"]
    return output[-1]["content"][0]["text"], _told(answer.headers)


async def fail(client: httpx2.AsyncClient, **fields: Any) -> tuple[int, Any, Any, str]:
    """Return status, code, param and message of an error."""
    answer = await client.post("/v1/responses", json={"model": "m", "input": "Hi", **fields})
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["param"], error["message"]


def _told(headers: httpx2.Headers) -> list[str]:
    return [
        f"{name}: {path}"
        for name in ("dropped", "adapted")
        for path in headers.get(f"x-adapter-{name}", "").split(", ")
    ]
