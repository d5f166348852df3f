"""A conversation to a request for its summary, and a summary to a conversation again.

Source: sheet §1 and §4; OpenAI's compaction guide; openai/codex `compact_remote_v2.rs`.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import decode, encode

from adapter.dialects import DIALECTS
from adapter.errors import InvalidRequestError
from adapter.translate.compaction import (
    MAX_KEPT_BYTES,
    MAX_SUMMARY_CHARS,
    expand,
    summary_of,
    thoughts_of,
    to_compacted_response,
    to_summary_request,
    whole_conversation,
    without_oldest,
    without_trigger,
)
from adapter.translate.items import PlacedItem, read_input
from adapter.translate.replay import History
from adapter.translate.request import Options, Translation, to_chat_request
from adapter.types.input import MessageItem
from adapter.types.items import (
    Compaction,
    FunctionCall,
    Message,
    OutputText,
    Reasoning,
    ReasoningText,
)
from adapter.types.request import ReasoningOptions, ResponseRequest
from adapter.types.response import Response, Usage

GENERIC = DIALECTS["generic"]
TRIGGER = {"type": "compaction_trigger"}
SHOWN = "Summary of the conversation so far:\n<summary>\n{}\n</summary>"


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def call(call_id: str) -> dict[str, Any]:
    return {"type": "function_call", "call_id": call_id, "name": "f", "arguments": "{}"}


def output(call_id: str) -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": call_id, "output": "1"}


def sealed(text: str) -> dict[str, Any]:
    return {"type": "compaction", "id": "cmp_1", "encrypted_content": f"ours:{text}"}


def open_sealed(content: str) -> str | None:
    return content.removeprefix("ours:") if content.startswith("ours:") else None


def request_of(given: Any, **fields: Any) -> ResponseRequest:
    return ResponseRequest(model="m", input=Raw(encode(given)), **fields)


def items_of(given: Any) -> list[PlacedItem]:
    return read_input(Raw(encode(given)), "input").items


def translated(given: Any, options: Options | None = None) -> Translation:
    options = options or Options(open_compaction=open_sealed)
    return to_chat_request(request_of(given), GENERIC, options=options)


def said(translation: Translation) -> list[tuple[str, Any]]:
    return [(message.role, message.content) for message in translation.chat.messages]


def response(*items: Any, usage: Usage | None = None) -> Response:
    return Response(
        id="resp_1",
        created_at=7,
        status="completed",
        model="m",
        output=items,
        text={},
        reasoning={},
        usage=usage,
    )


def new_ids() -> Callable[[str], str]:
    numbers = count()
    return lambda prefix: f"{prefix}_{next(numbers)}"


# The trigger


def test_trigger_at_the_end_is_taken_off() -> None:
    request = without_trigger(request_of([user("Hi"), TRIGGER], user="me"))

    assert request == request_of([user("Hi")], user="me")


@pytest.mark.parametrize(
    "given",
    [
        pytest.param("compaction_trigger", id="text"),
        pytest.param([], id="nothing"),
        pytest.param([user("Hi")], id="no trigger"),
        pytest.param([TRIGGER, user("Hi")], id="not the last"),
        pytest.param([user("compaction_trigger")], id="the word alone"),
        pytest.param([7, "compaction_trigger"], id="no item"),
        pytest.param(TRIGGER, id="no list"),
    ],
)
def test_other_requests_ask_for_no_compaction(given: Any) -> None:
    assert without_trigger(request_of(given)) is None


def test_request_without_input_asks_for_no_compaction() -> None:
    assert without_trigger(ResponseRequest(model="m")) is None


def test_trigger_that_something_comes_after_is_refused_with_its_path() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        translated([user("Hi"), TRIGGER, user("Ho")])

    assert (caught.value.code, caught.value.param) == ("invalid_value", "input[1]")


def test_trigger_is_no_item_of_the_conversation() -> None:
    """An earlier request of a WebSocket, replayed as history, may have asked for compaction."""
    read = read_input(Raw(encode([user("Hi"), TRIGGER])), "input")

    assert [placed.at for placed in read.items] == ["input[0]"]
    assert (read.triggers, read.skipped) == (["input[1]"], [])


# The request for a summary


def test_whole_conversation_is_the_history_and_what_is_said() -> None:
    history = History((PlacedItem(MessageItem("user", "One")),))

    found = whole_conversation(request_of([user("Two")]), history)

    assert [placed.item.content for placed in found] == ["One", "Two"]  # type: ignore[union-attr]


def test_whole_conversation_may_stand_under_its_other_name() -> None:
    request = ResponseRequest(model="m", input_items=Raw(encode([user("Hi")])))

    assert [placed.at for placed in whole_conversation(request, None)] == ["input_items[0]"]


def test_summary_is_asked_for_without_tools_and_without_what_shapes_an_answer() -> None:
    request = request_of(
        [user("Hi")],
        instructions="Be brief.",
        temperature=0.5,
        reasoning=ReasoningOptions(effort="low"),
        tools=[Raw(b'{"type": "function", "name": "f"}')],
        tool_choice=Raw(b'"required"'),
        parallel_tool_calls=False,
        top_logprobs=3,
        max_output_tokens=5,
        stream=True,
        extras={"stop": Raw(b'"x"'), "chat_template_kwargs": Raw(b"{}")},
    )

    asked = to_summary_request(request, 100)

    prompt = decode(asked.input)
    assert "summary" in prompt
    assert asked == ResponseRequest(
        model="m",
        input=asked.input,
        instructions="Be brief.",
        temperature=0.5,
        reasoning=ReasoningOptions(effort="low"),
        max_output_tokens=100,
        extras={"chat_template_kwargs": Raw(b"{}")},
    )


def test_summary_is_the_last_thing_that_the_model_is_asked() -> None:
    items = tuple(items_of([user("Hi"), call("a"), output("a"), assistant("Ho")]))
    asked = to_summary_request(request_of([]), None)

    chat = to_chat_request(asked, GENERIC, history=History(items)).chat

    roles = [message.role for message in chat.messages]
    assert roles == ["user", "assistant", "tool", "assistant", "user"]
    assert chat.messages[-1].content == decode(asked.input)
    assert (
        not {"tools", "tool_choice", "max_tokens", "max_completion_tokens"} & chat.parameters.keys()
    )


# What does not fit


def test_older_half_is_left_out_up_to_a_turn_and_the_beginning_stays() -> None:
    given = [
        {"role": "system", "content": "S"},
        {"role": "developer", "content": "D"},
        user("1"),
        call("a"),
        output("a"),
        assistant("2"),
        user("3"),
        assistant("4"),
    ]

    rest = without_oldest(items_of(given))

    assert rest is not None
    kept = [placed.item.content for placed in rest]  # type: ignore[union-attr]
    assert kept == ["S", "D", "3", "4"]
    assert [placed.at for placed in rest] == ["input[0]", "input[1]", "input[6]", "input[7]"]


def test_question_may_be_left_out_before_what_came_of_it() -> None:
    given = items_of([user("1"), call("a"), output("a"), call("b"), output("b")])

    assert without_oldest(given) == tuple(given[3:])


@pytest.mark.parametrize(
    "given",
    [
        [],
        [user("1")],
        [{"role": "system", "content": "S"}, user("1")],
        [call("a"), call("b"), output("a"), output("b")],
    ],
)
def test_nothing_is_left_out_of_next_to_nothing(given: list[Any]) -> None:
    assert without_oldest(items_of(given)) is None


# The summary


def test_summary_is_the_text_of_the_answer() -> None:
    answer = response(
        Reasoning("rs_1"),
        Message("msg_1", "completed", content=(OutputText(" One "),)),
        FunctionCall("fc_1", "call_1", "f", "{}", "completed"),
        Message("msg_2", "completed", content=(OutputText("Two\n"),)),
    )

    assert summary_of(answer) == "One \nTwo"
    assert summary_of(response()) == ""


def test_thoughts_are_the_text_of_reasoning() -> None:
    answer = response(
        Reasoning("rs_1", content=(ReasoningText(" One"), ReasoningText("Two "))),
        Reasoning("rs_2"),
        Message("msg_1", "completed", content=(OutputText("Three"),)),
    )

    assert thoughts_of(answer) == "One\nTwo"


def test_summary_is_bounded() -> None:
    answer = response(Message("msg_1", "completed", content=(OutputText("x" * 10**6),)))

    assert len(summary_of(answer)) == MAX_SUMMARY_CHARS


# On the way back


@pytest.mark.parametrize("kind", ["compaction", "compaction_summary", "context_compaction"])
def test_what_we_sealed_becomes_a_user_message(kind: str) -> None:
    translation = translated([user("Hi"), sealed("So far.") | {"type": kind}, user("Go on.")])

    assert said(translation) == [("user", f"Hi\n\n{SHOWN.format('So far.')}\n\nGo on.")]
    assert translation.dropped == ()


@pytest.mark.parametrize(
    "item",
    [
        {"type": "compaction", "encrypted_content": "gAAAAABp4W-pQG0E"},
        {"type": "compaction", "encrypted_content": ""},
        {"type": "compaction", "encrypted_content": None},
        {"type": "compaction"},
    ],
)
def test_what_others_sealed_is_skipped_and_reported(item: dict[str, Any]) -> None:
    translation = translated([item, user("Hi")])

    assert said(translation) == [("user", "Hi")]
    assert translation.dropped == ("input[0]",)


def test_nothing_is_opened_without_a_key() -> None:
    translation = translated([sealed("So far."), user("Hi")], Options())

    assert said(translation) == [("user", "Hi")]
    assert translation.dropped == ("input[0]",)


def test_what_stands_before_a_summary_is_superseded_but_for_messages_of_users_and_operators() -> (
    None
):
    given = [
        {"role": "developer", "content": "D"},
        user("1"),
        {"type": "reasoning", "summary": [], "content": []},
        assistant("2"),
        call("a"),
        output("a"),
        sealed("Old."),
        sealed("New."),
        user("3"),
    ]

    shown, dropped = expand(items_of(given), open_sealed)

    assert [placed.item for placed in shown] == [
        MessageItem("developer", "D"),
        MessageItem("user", "1"),
        MessageItem("user", SHOWN.format("New.")),
        MessageItem("user", "3"),
    ]
    assert dropped == [f"input[{index}]" for index in range(2, 7)]


def test_call_that_is_answered_after_the_summary_stays() -> None:
    translation = translated(
        [user("1"), call("a"), call("b"), output("b"), sealed("S"), output("a")]
    )

    roles = [message.role for message in translation.chat.messages]
    assert roles == ["user", "assistant", "tool", "user"]
    assert translation.dropped == ("input[2]", "input[3]")


def test_call_that_is_answered_by_its_name_after_the_summary_stays() -> None:
    answer = {"type": "function_call_output", "name": "f", "output": "1"}

    translation = translated([user("1"), call("a"), sealed("S"), answer])

    roles = [message.role for message in translation.chat.messages]
    assert roles == ["user", "assistant", "tool", "user"]


def test_foreign_item_supersedes_nothing() -> None:
    foreign = {"type": "compaction", "encrypted_content": "x"}

    translation = translated([user("1"), assistant("2"), foreign, user("3")])

    assert said(translation) == [("user", "1"), ("assistant", "2"), ("user", "3")]


def test_foreign_item_of_the_history_is_reported_without_a_path() -> None:
    history = History(tuple(PlacedItem(placed.item) for placed in items_of([sealed("x")])))

    translation = to_chat_request(request_of("Hi"), GENERIC, history=history)

    assert translation.dropped == ("compaction",)


# /responses/compact


def test_user_messages_are_kept_word_for_word_with_ids_and_status() -> None:
    parts = [
        {"type": "input_text", "text": "See", "prompt_cache_breakpoint": {"x": [1]}},
        {"type": "input_image", "image_url": "data:,"},
        {"type": "input_image", "image_url": "data:,", "detail": "low"},
    ]
    given = [
        {"role": "system", "content": "S"},
        user("One"),
        assistant("Two"),
        {"type": "message", "role": "user", "id": "msg_mine", "content": parts},
        call("a"),
        output("a"),
    ]
    compaction = Compaction("cmp_1", "x")

    compacted = to_compacted_response(
        request_of(given), response(compaction, usage=Usage(3, output_tokens=4)), new_ids()
    )

    assert decode(encode(compacted)) == {
        "id": "resp_1",
        "object": "response.compaction",
        "created_at": 7,
        "output": [
            {
                "id": "msg_0",
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [{"type": "input_text", "text": "One"}],
            },
            {
                "id": "msg_mine",
                "type": "message",
                "status": "completed",
                "role": "user",
                "content": [parts[0], parts[1] | {"detail": "auto"}, parts[2]],
            },
            {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"},
        ],
        "usage": {
            "input_tokens": 3,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 0,
        },
    }


@pytest.mark.parametrize(
    ("request_", "texts"),
    [
        pytest.param(request_of("Hi"), ["Hi"], id="text"),
        pytest.param(request_of(user("Hi")), ["Hi"], id="one item"),
        pytest.param(request_of({"role": "user", "content": None}), [], id="no content"),
        pytest.param(
            ResponseRequest(model="m", input_items=Raw(encode([user("Hi")]))),
            ["Hi"],
            id="under its other name",
        ),
    ],
)
def test_messages_are_kept_in_whatever_form_they_came(
    request_: ResponseRequest, texts: list[str]
) -> None:
    compacted = to_compacted_response(request_, response(Compaction("cmp_1", "x")), new_ids())

    parts = [part for item in decode(encode(compacted))["output"][:-1] for part in item["content"]]
    assert [part["text"] for part in parts] == texts
    assert compacted.usage == Usage()


def test_newest_messages_are_kept_as_far_as_they_fit() -> None:
    long = "x" * (MAX_KEPT_BYTES // 3)
    given = [user(f"{number}{long}") for number in range(6)]

    compacted = to_compacted_response(
        request_of(given), response(Compaction("cmp_1", "x")), new_ids()
    )

    messages = decode(encode(compacted))["output"][:-1]
    assert [message["content"][0]["text"][0] for message in messages] == ["4", "5"]


def test_newest_message_is_kept_however_long_it_is() -> None:
    given = [user("1"), user("2" * MAX_KEPT_BYTES)]

    compacted = to_compacted_response(
        request_of(given), response(Compaction("cmp_1", "x")), new_ids()
    )

    assert len(compacted.output) == 2
