"""The strict upstream is strict: what a real server refuses, it refuses; what all take, it takes."""

from typing import Any

import pytest

from tests.clients.upstream.brain import answer
from tests.clients.upstream.rules import (
    nine_character_ids,
    no_reasoning,
    no_strict,
    no_system,
    no_user_after_tool,
    plain_parameters,
    reasoning_with_calls,
    refusal,
    roles_alternate,
)
from tests.clients.upstream.saying import Call, Say
from tests.clients.upstream.scenes import COMMON_SCENES, PROMPTS

Body = dict[str, Any]
USER = {"role": "user", "content": "Hi"}
PARAMETERS = {"type": "object", "properties": {}}
FUNCTION = {"name": "f", "description": "d", "parameters": PARAMETERS, "strict": True}
TOOL = {"type": "function", "function": FUNCTION}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
OUTPUT = {"role": "tool", "tool_call_id": "call_1", "content": "done"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}


def calling(*calls: Any, **fields: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": "", "tool_calls": list(calls), **fields}


def body(*messages: Any, **fields: Any) -> Body:
    return {"model": "m", "messages": list(messages or [USER]), "stream": True, **fields}


def called(**function: Any) -> Body:
    return body(USER, calling({**CALL, "function": {**CALL["function"], **function}}), OUTPUT)


WHOLE = body(
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Look"}, IMAGE]},
    calling(CALL, reasoning_content="Hm."),
    OUTPUT,
    {"role": "assistant", "content": "Done."},
    USER,
    tools=[TOOL],
    tool_choice={"type": "function", "function": {"name": "f"}},
    parallel_tool_calls=True,
    stream_options={"include_usage": True},
    max_tokens=5,
    temperature=0,
)


def test_what_every_server_takes_is_taken() -> None:
    assert refusal(body()) is None
    assert refusal(WHOLE) is None


REFUSED: dict[str, Body] = {
    "an unknown field": body(store=False),
    "null": body(temperature=None),
    "no messages": {"model": "m", "messages": []},
    "a developer": body({"role": "developer", "content": "Be brief."}, USER),
    "a late system message": body(USER, {"role": "system", "content": "Be brief."}),
    "an unknown key of a message": body({**USER, "id": "msg_1"}),
    "an empty user": body({"role": "user", "content": ""}),
    "a user with null": body({"role": "user", "content": None}),
    "no parts": body({"role": "user", "content": []}),
    "parts of an assistant": body(
        USER, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}
    ),
    "an unknown part": body({"role": "user", "content": [{"type": "input_text", "text": "a"}]}),
    "an unknown detail": body(
        {
            "role": "user",
            "content": [{**IMAGE, "image_url": {**IMAGE["image_url"], "detail": "original"}}],
        }
    ),
    "an output without a call": body(USER, OUTPUT),
    "a call without an output": body(USER, calling(CALL)),
    "a call without an output, in between": body(USER, calling(CALL), USER),
    "outputs in another order": body(
        USER, calling({**CALL, "id": "call_0"}, CALL), OUTPUT, {**OUTPUT, "tool_call_id": "call_0"}
    ),
    "a call without an id": body(USER, calling({**CALL, "id": ""}), {**OUTPUT, "tool_call_id": ""}),
    "a long id": body(
        USER, calling({**CALL, "id": "c" * 41}), {**OUTPUT, "tool_call_id": "c" * 41}
    ),
    "an unknown key of a call": body(USER, calling({**CALL, "namespace": "n"}), OUTPUT),
    "broken arguments": called(arguments='{"a":'),
    "no arguments": called(arguments=""),
    "arguments that are a list": called(arguments="[]"),
    "a call of a name with a dot": called(name="a.b"),
    "no tools": body(tools=[]),
    "a choice without tools": body(tool_choice="auto"),
    "parallel calls without tools": body(parallel_tool_calls=False),
    "a hosted tool": body(tools=[{"type": "web_search"}]),
    "a flat function": body(tools=[{"type": "function", **FUNCTION}]),
    "a tool with a dot": body(
        tools=[{"type": "function", "function": {**FUNCTION, "name": "a.b"}}]
    ),
    "an unknown key of a tool": body(
        tools=[{"type": "function", "function": {**FUNCTION, "defer_loading": True}}]
    ),
    "null parameters": body(
        tools=[{"type": "function", "function": {**FUNCTION, "parameters": {}}}]
    ),
    "two tools of a name": body(tools=[TOOL, TOOL]),
    "a choice of another tool": body(
        tools=[TOOL], tool_choice={"type": "function", "function": {"name": "g"}}
    ),
    "allowed tools": body(tools=[TOOL], tool_choice={"type": "allowed_tools"}),
    "options of a stream that is none": {
        **body(stream_options={"include_usage": True}),
        "stream": False,
    },
    "top logprobs alone": body(top_logprobs=1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_strict_server_refuses_is_refused(name: str) -> None:
    assert refusal(REFUSED[name]) is not None


def test_rules_of_a_variant_refuse_what_its_server_does() -> None:
    two_users = body(USER, USER)

    assert refusal(two_users) is None
    assert "must alternate" in str(refusal(two_users, roles_alternate))
    assert refusal(WHOLE, roles_alternate) is None
    assert "after role 'tool'" in str(
        refusal(body(USER, calling(CALL), OUTPUT, USER), no_user_after_tool)
    )
    assert "System role" in str(refusal(WHOLE, no_system))
    assert "reasoning_content" in str(refusal(WHOLE, no_reasoning))
    assert "is missing" in str(refusal(body(USER, calling(CALL), OUTPUT), reasoning_with_calls))
    assert "length of 9" in str(refusal(WHOLE, nine_character_ids))
    assert "strict" in str(refusal(WHOLE, no_strict))
    assert "parallel_tool_calls" in str(refusal(WHOLE, plain_parameters))


def test_the_brain_calls_what_it_was_offered_and_reads_the_output() -> None:
    prompt = {"role": "user", "content": PROMPTS["weather"]}
    tool = {"type": "function", "function": {**FUNCTION, "name": "far__get_weather"}}
    asked = body(prompt, tools=[tool])
    call = Call("far__get_weather", {"city": "Paris"})

    said = answer(asked, COMMON_SCENES)
    after = answer(body(prompt, calling(CALL), OUTPUT, tools=[tool]), COMMON_SCENES)

    assert said.calls == (call,)
    assert after.text == "The weather: done."


def test_the_brain_says_what_it_was_not_offered() -> None:
    asked = body({"role": "user", "content": PROMPTS["weather"]})

    assert answer(asked, COMMON_SCENES) == Say("I was not offered: get_weather.")
    assert answer(body(), COMMON_SCENES) == Say("I do not know what to say to that.")
