"""What many upstreams refuse is sent to none: the first request of an upstream that nobody knows is taken."""

import re
from itertools import pairwise
from typing import Any

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.learning.bodies import openai
from tests.learning.case import Body
from tests.learning.strict import TEXT, ask, strict
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
USER = {"role": "user", "content": "Hi"}
LATE = {"role": "developer", "content": "Hook."}


def call(id: str, name: str = "f") -> Body:
    return {"type": "function_call", "call_id": id, "name": name, "arguments": "{}"}


def output(id: str, said: Any = "ok") -> Body:
    return {"type": "function_call_output", "call_id": id, "output": said}


def roles(body: Body) -> list[str]:
    return [message["role"] for message in body["messages"]]


def image_in_tool(body: Body) -> bool:
    return any(m["role"] == "tool" and not isinstance(m["content"], str) for m in body["messages"])


def tools_apart(body: Body) -> bool:
    """All ids of a message's calls are answered behind it, and nothing stands between."""
    open_ids: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if message["tool_call_id"] not in open_ids:
                return True
            open_ids.remove(message["tool_call_id"])
        elif open_ids:
            return True
        else:
            open_ids = [call["id"] for call in message.get("tool_calls", ())]
    return bool(open_ids)


def odd_names(body: Body) -> bool:
    named = [tool["function"]["name"] for tool in body.get("tools", ())]
    named += [c["function"]["name"] for m in body["messages"] for c in m.get("tool_calls", ())]
    return any(not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name in named)


def late_system(body: Body) -> bool:
    return "system" in roles(body)[1:]


def fields(*names: str) -> Any:
    return lambda body: bool(set(names) & body.keys())


def tool(name: str) -> Body:
    return {"type": "function", "name": name, "parameters": None}


# (name, the client's request, what is refused)
DEFAULTS: list[tuple[str, Body, Any]] = [
    ("developer", {"instructions": "Be."}, lambda body: "developer" in roles(body)),
    ("second system", {"instructions": "Be.", "input": [LATE, USER]}, late_system),
    ("late system", {"input": [USER, LATE, USER]}, late_system),
    ("turns", {"input": [USER, USER]}, lambda b: any(x == y for x, y in pairwise(roles(b)))),
    ("image of a tool", {"input": [USER, call("1"), output("1", [IMAGE])]}, image_in_tool),
    (
        "order of tools",
        {"input": [USER, call("1"), call("2"), LATE, output("2"), output("1"), USER]},
        tools_apart,
    ),
    (
        "names of functions",
        {
            "tools": [tool("a.b c"), tool("x" * 64)],
            "input": [USER, call("1", "mcp.server/very long " + "name" * 20), output("1")],
        },
        odd_names,
    ),
    (
        "no parameters",
        {"tools": [tool("f")]},
        lambda body: body["tools"][0]["function"]["parameters"].get("type") != "object",
    ),
    (
        "what is echoed or a hint",
        {"store": True, "metadata": {"a": "b"}, "user": "u", "service_tier": "auto"}
        | {"prompt_cache_key": "k", "text": {"verbosity": "low"}},
        fields("store", "metadata", "user", "service_tier", "prompt_cache_key", "verbosity"),
    ),
    ("n", {"n": 2}, fields("n")),
    (
        "choices without tools",
        {"tool_choice": "auto", "parallel_tool_calls": True},
        fields("tools", "tool_choice", "parallel_tool_calls"),
    ),
    ("nulls", {"temperature": None, "tools": None, "user": None}, lambda b: None in b.values()),
]


@pytest.mark.parametrize(
    ("asked", "refuses"), [pytest.param(*case, id=name) for name, *case in DEFAULTS]
)
async def test_nothing_that_many_refuse_is_sent(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, asked: Body, refuses: Any
) -> None:
    start()
    upstream.always(strict(refuses, openai("No.")))

    said, _ = await ask(client, **asked)

    assert (said, len(upstream.requests)) == (TEXT, 1)


async def test_hints_that_are_not_sent_are_reported(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream
) -> None:
    start(downgrades="refuse")  # but they change nothing
    upstream.always(strict(lambda _: False, openai("No.")))

    _, told = await ask(client, user="u", service_tier="auto", prompt_cache_key="k")

    assert told[:3] == ["dropped: user", "dropped: prompt_cache_key", "dropped: service_tier"]
