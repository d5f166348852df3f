"""A whole request becomes a whole chat request."""

import json
from typing import Any

import msgspec
import pytest

from adapter.dialects import dialect_named
from adapter.errors import InvalidRequestError
from adapter.tools.kept import KeptTools
from adapter.tools.toolbox import open_toolbox
from adapter.translate.approvals import settle
from adapter.translate.items import PlacedItem
from adapter.translate.request import Options, Translation, to_chat_request
from adapter.types.chat import ChatMessage, ChatRequest
from adapter.types.input import MessageItem
from tests.translate.requests import PLAIN, call, chat, output, refusal, request, translate

TOOL = {"type": "function", "name": "f", "description": "d", "parameters": {"type": "object"}}
CHAT_TOOL = {
    "type": "function",
    "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
}


def test_the_least_request_is_translated() -> None:
    assert translate() == Translation(
        chat=ChatRequest(
            "tiny",
            (ChatMessage("user", "Hello"),),
            {"stream": True, "stream_options": {"include_usage": True}},
        ),
        toolbox=open_toolbox(()),
        tool_choice="auto",
        max_calls=None,
        call_ids=frozenset(),
        settled=settle([PlacedItem(MessageItem("user", "Hello"), "input")]),
        answer_schema=None,
        dropped=(),
        adapted=(),
    )


def test_a_request_with_everything_is_translated() -> None:
    body = chat(
        model="repo:provider",
        instructions="Be brief.",
        input=[{"role": "user", "content": "Hi"}, call("c"), output("c")],
        tools=[TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0,
    )

    assert body == {
        "model": "repo:provider",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {"id": "c", "function": {"name": "f", "arguments": "{}"}, "type": "function"}
                ],
            },
            {"role": "tool", "content": "ok", "tool_call_id": "c"},
        ],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "tools": [CHAT_TOOL],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


def test_a_null_that_the_route_adds_is_sent_as_it_is() -> None:
    options = Options(body={"tool_choice": None, "response_format": None, "reasoning_effort": None})

    body = to_chat_request(request(), PLAIN, options=options).chat.parameters

    assert options.body.items() <= body.items()


def test_without_tools_nothing_that_belongs_to_them_is_sent() -> None:
    """vLLM and SGLang refuse it."""
    body = chat(tools=[{"type": "web_search"}], tool_choice="auto", parallel_tool_calls=True)

    assert body.keys() == {"model", "messages", "stream", "stream_options"}


@pytest.mark.parametrize(("parallel", "expected"), [(False, 1), (True, None), (None, None)])
def test_only_one_call_is_let_through_where_only_one_was_asked_for(
    parallel: bool | None, expected: int | None
) -> None:
    assert translate(tools=[TOOL], parallel_tool_calls=parallel).max_calls == expected


def test_all_that_was_not_sent_is_reported() -> None:
    translation = translate(
        input=[{"role": "user", "content": "Hi"}, {"type": "web_search_call"}],
        tools=[TOOL, {"type": "web_search"}],
        unheard_of=1,
    )

    assert translation.dropped == ("unheard_of", "tools[1]", "input[1]")


def test_what_the_dialect_changed_is_reported() -> None:
    generic = dialect_named("generic")
    choice = {"type": "function", "name": "f"}

    assert translate(generic, tools=[TOOL], tool_choice=choice).adapted == ("tool_choice",)


# (name, options, fields, param)
SETTINGS: list[tuple[str, Options, dict[str, Any], str]] = [
    ("hosted tools", Options(hosted="error"), {"tools": [{"type": "web_search"}]}, "tools[0].type"),
    ("unknown fields", Options(unknown="reject"), {"unheard_of": 1}, "unheard_of"),
    (
        "fields that the upstream does not know",
        Options(downgrades="refuse"),
        {"text": {"verbosity": "low"}},
        "text.verbosity",
    ),
    (
        "what has to be sent in another form",
        Options(downgrades="refuse"),
        {"tools": [TOOL], "tool_choice": {"type": "function", "name": "f"}},
        "tool_choice",
    ),
]


@pytest.mark.parametrize(
    ("options", "fields", "param"), [pytest.param(*case, id=name) for name, *case in SETTINGS]
)
def test_what_is_dropped_otherwise_is_refused_if_set(
    options: Options, fields: dict[str, Any], param: str
) -> None:
    asked = request(**fields)

    with pytest.raises(InvalidRequestError) as caught:
        to_chat_request(asked, dialect_named("generic"), options=options)

    assert caught.value.param == param


def test_what_is_sent_as_it_is_is_no_downgrade() -> None:
    options = Options(downgrades="refuse", hosted="drop")
    asked = request(tools=[TOOL], tool_choice="auto", unheard_of=1)

    assert to_chat_request(asked, PLAIN, options=options).dropped == ("unheard_of",)


def test_fields_of_the_settings_are_sent_where_the_client_gives_none() -> None:
    options = Options(body={"top_k": 1, "temperature": 0})
    chat = to_chat_request(request(temperature=1), PLAIN, options=options).chat

    assert (chat.parameters["top_k"], chat.parameters["temperature"]) == (1, 1)


def test_fields_of_the_provider_pass_if_set() -> None:
    options = Options(pass_fields=frozenset({"transforms"}))
    translation = to_chat_request(request(transforms=[1], other=2), PLAIN, options=options)

    sent = json.loads(translation.chat.encode())
    assert (sent["transforms"], "other" in sent, translation.dropped) == ([1], False, ("other",))


def test_the_upstream_may_have_another_name_for_the_model() -> None:
    assert to_chat_request(request(), PLAIN, model="org/tiny").chat.model == "org/tiny"


def test_instructions_alone_are_nothing_to_answer() -> None:
    assert refusal(input=[], instructions="Be brief.")[1] == "input"


def test_a_translation_is_a_value() -> None:
    translation = translate(tools=[TOOL])
    before = msgspec.json.encode(translation.chat.messages)
    translate(tools=[TOOL], input="Another")

    assert msgspec.json.encode(translation.chat.messages) == before


def test_ids_of_all_calls_in_the_conversation_are_known() -> None:
    shell = {"type": "local_shell_call", "call_id": "b", "action": {"type": "exec"}}
    said = {"type": "local_shell_call_output", "call_id": "b", "output": ""}

    translation = translate(input=[call("a"), output("a"), shell, said])

    assert translation.call_ids == {"a", "b"}


def test_kept_tools_are_those_that_would_be_read() -> None:
    options = Options(kept_tools=KeptTools())
    first, again = (
        to_chat_request(request(tools=[TOOL]), PLAIN, options=options) for _ in range(2)
    )

    assert again.toolbox is first.toolbox
    assert first == again == translate(tools=[TOOL])


def test_tools_in_the_input_are_read_beside_those_that_are_kept() -> None:
    options = Options(kept_tools=KeptTools())
    found = {"type": "additional_tools", "tools": [TOOL | {"name": "g"}]}
    asked = request(tools=[TOOL], input=[{"role": "user", "content": "Hi"}, found])

    assert list(to_chat_request(asked, PLAIN, options=options).toolbox.offered) == ["f", "g"]
