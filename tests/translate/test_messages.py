"""Input items become chat messages that every server takes."""

from typing import Any

import pytest

from adapter.dialects import Dialect
from adapter.translate.items import PlacedItem
from adapter.translate.request import Options, to_chat_request
from adapter.types.input import Call, CallOutput, MessageItem
from tests.translate.requests import (
    PLAIN,
    call,
    chat_call,
    messages,
    nested,
    output,
    refusal,
    request,
    translate,
)


def said(role: str, content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **fields}


def thought(text: str, **fields: Any) -> dict[str, Any]:
    return {"type": "reasoning", "summary": [{"type": "summary_text", "text": text}], **fields}


IMAGE = {"type": "input_image", "image_url": "data:image/png;base64,AA=="}
CHAT_IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}

# (name, input, messages)
CONVERSATIONS: list[tuple[str, Any, list[Any]]] = [
    ("a string", "Hi", [said("user", "Hi")]),
    ("a message without a type", [said("user", "Hi")], [said("user", "Hi")]),
    ("one message that is not in a list", said("user", "Hi"), [said("user", "Hi")]),
    (
        "roles",
        [said("developer", "a"), said("user", "b"), said("assistant", "c"), said("system", "d")],
        [said("system", "a"), said("user", "b"), said("assistant", "c"), said("system", "d")],
    ),
    (
        "text parts are joined without a separator",
        [
            said(
                "user",
                [{"type": "input_text", "text": "Hel"}, {"type": "input_text", "text": "lo"}],
            )
        ],
        [said("user", "Hello")],
    ),
    (
        "an answer as we gave it, with nulls of an SDK",
        [
            {
                "type": "message",
                "id": "msg_1",
                "status": "completed",
                "phase": None,
                "role": "assistant",
                "content": [
                    {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
                ],
            },
            said("user", "And?"),
        ],
        [said("assistant", "Hi"), said("user", "And?")],
    ),
    ("an answer without content", [said("assistant", None)], [said("assistant", "")]),
    ("an empty answer", [said("assistant", [])], [said("assistant", "")]),
    (
        "a refusal",
        [said("assistant", [{"type": "refusal", "refusal": "No."}])],
        [said("assistant", "", refusal="No.")],
    ),
    (
        "text and a refusal",
        [
            said(
                "assistant",
                [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "No."}],
            )
        ],
        [said("assistant", "a", refusal="No.")],
    ),
    (
        "what the model did in one go is one message",
        [
            said("user", "Hi"),
            thought("Hm."),
            said("assistant", "I look."),
            call("c1"),
            call("c2"),
            output("c1", "1"),
            output("c2", "2"),
        ],
        [
            said("user", "Hi"),
            said(
                "assistant",
                "I look.",
                reasoning_content="Hm.",
                tool_calls=[chat_call("c1"), chat_call("c2")],
            ),
            said("tool", "1", tool_call_id="c1"),
            said("tool", "2", tool_call_id="c2"),
        ],
    ),
    (
        "two goes are two messages",
        [call("c1"), output("c1"), thought("Hm."), call("c2"), output("c2")],
        [
            said("assistant", "", tool_calls=[chat_call("c1")]),
            said("tool", "ok", tool_call_id="c1"),
            said("assistant", "", reasoning_content="Hm.", tool_calls=[chat_call("c2")]),
            said("tool", "ok", tool_call_id="c2"),
        ],
    ),
    (
        "text behind a call is another message",
        [call("c1"), output("c1"), said("assistant", "So.")],
        [
            said("assistant", "", tool_calls=[chat_call("c1")]),
            said("tool", "ok", tool_call_id="c1"),
            said("assistant", "So."),
        ],
    ),
    (
        "outputs stand behind their calls, in the order of the calls",
        [
            output("c2", "2"),
            call("c1"),
            call("c2"),
            said("user", "Well?"),
            output("c1", "1"),
        ],
        [
            said("assistant", "", tool_calls=[chat_call("c1"), chat_call("c2")]),
            said("tool", "1", tool_call_id="c1"),
            said("tool", "2", tool_call_id="c2"),
            said("user", "Well?"),
        ],
    ),
    (
        "an id that is used again: the first output answers the first call",
        [call("c"), output("c", "1"), said("user", "Again"), call("c"), output("c", "2")],
        [
            said("assistant", "", tool_calls=[chat_call("c")]),
            said("tool", "1", tool_call_id="c"),
            said("user", "Again"),
            said("assistant", "", tool_calls=[chat_call("c")]),
            said("tool", "2", tool_call_id="c"),
        ],
    ),
    (
        "several thoughts",
        [thought("Hm."), thought("So."), said("assistant", "Hi")],
        [said("assistant", "Hi", reasoning_content="Hm.\nSo.")],
    ),
    (
        "raw reasoning counts more than its summary",
        [
            thought("short", content=[{"type": "reasoning_text", "text": "long"}]),
            said("assistant", "Hi"),
        ],
        [said("assistant", "Hi", reasoning_content="long")],
    ),
    (
        "a thought without text",
        [{"type": "reasoning", "summary": [], "encrypted_content": "x"}, said("assistant", "Hi")],
        [said("assistant", "Hi")],
    ),
    (
        "a thought that nothing follows",
        [said("user", "Hi"), thought("Hm."), said("user", "Well?")],
        [said("user", "Hi"), said("user", "Well?")],
    ),
    (
        "two answers, one after the other",
        [said("assistant", "a"), said("assistant", "b")],
        [said("assistant", "a"), said("assistant", "b")],
    ),
    (
        "parts of an output are results of their own",
        [
            call("c"),
            output("c", [{"type": "input_text", "text": "o"}, {"type": "text", "text": "k"}]),
        ],
        [
            said("assistant", "", tool_calls=[chat_call("c")]),
            said("tool", "o\nk", tool_call_id="c"),
        ],
    ),
    (
        "an output without anything",
        [call("c"), output("c", None)],
        [
            said("assistant", "", tool_calls=[chat_call("c")]),
            said("tool", "", tool_call_id="c"),
        ],
    ),
    (
        "images in outputs follow in one user message, behind all outputs",
        [
            call("c1"),
            call("c2"),
            output("c1", [IMAGE]),
            output("c2", [{"type": "input_text", "text": "seen"}, IMAGE]),
        ],
        [
            said("assistant", "", tool_calls=[chat_call("c1"), chat_call("c2")]),
            said("tool", "(see the next message)", tool_call_id="c1"),
            said("tool", "seen", tool_call_id="c2"),
            said(
                "user",
                [
                    {"type": "text", "text": "(output of call c1)"},
                    CHAT_IMAGE,
                    {"type": "text", "text": "(output of call c2)"},
                    CHAT_IMAGE,
                ],
            ),
        ],
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [pytest.param(given, expected, id=name) for name, given, expected in CONVERSATIONS],
)
def test_items_become_messages(given: Any, expected: list[Any]) -> None:
    assert messages(given) == expected


def opened(given: Any) -> str | None:
    """Return the reasoning that is sent for one item of it, where only "sealed" can be opened."""
    options = Options(open_sealed=lambda sealed: "Long." if sealed == "sealed" else None)
    asked = request(input=[given, said("assistant", "Hi")])
    found = to_chat_request(asked, PLAIN, options=options).chat.messages[0].reasoning_content
    return found if isinstance(found, str) else None


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(thought("Short.", encrypted_content="sealed"), "Long.", id="ours"),
        pytest.param(thought("Short.", encrypted_content="gAAA"), "Short.", id="somebody else's"),
        pytest.param(thought("Short."), "Short.", id="not sealed"),
        pytest.param({"type": "reasoning", "encrypted_content": "gAAA"}, None, id="nothing else"),
    ],
)
def test_sealed_reasoning_counts_more_than_its_summary(given: Any, expected: str | None) -> None:
    assert opened(given) == expected


def test_instructions_come_first() -> None:
    assert messages("Hi", instructions="Be brief.") == [
        said("system", "Be brief."),
        said("user", "Hi"),
    ]


@pytest.mark.parametrize("instructions", [None, ""])
def test_no_instructions_are_no_message(instructions: str | None) -> None:
    assert messages("Hi", instructions=instructions) == [said("user", "Hi")]


# (name, arguments, what is sent)
ARGUMENTS = [
    ("an object", '{"a": 1}', '{"a": 1}'),
    ("an object that is not in a string", {"a": [1, "é"]}, '{"a":[1,"é"]}'),
    ("nothing", "", "{}"),
    ("blanks", " \n", "{}"),
    ("null", None, "{}"),
    ("half an object", '{"a": ', '{"invalid_arguments":"{\\"a\\": "}'),
    ("text", "Paris", '{"invalid_arguments":"Paris"}'),
    ("an array", "[1]", '{"invalid_arguments":"[1]"}'),
]


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*case, id=name) for name, *case in ARGUMENTS]
)
def test_arguments_are_an_object_in_a_string(given: Any, expected: str) -> None:
    found = messages([call("c", given), output("c")])[0]["tool_calls"]

    assert found == [chat_call("c", expected)]


def test_arguments_that_had_to_be_wrapped_are_reported() -> None:
    assert translate(input=[call("c", "Paris"), output("c")]).adapted == ("input[0].arguments",)


def test_arguments_that_are_nested_too_deeply_to_be_read_are_wrapped() -> None:
    deep = '{"a":' * 100_000 + "1" + "}" * 100_000

    assert translate(input=[call("c", deep), output("c")]).adapted == ("input[0].arguments",)


# (name, input, code, param, message)
REFUSALS: list[tuple[str, Any, tuple[str, str, str]]] = [
    (
        "an output without a call",
        [said("user", "Hi"), output("c9")],
        (
            "invalid_value",
            "input[1].call_id",
            "No tool call found for function call output with call_id c9.",
        ),
    ),
    (
        "a second output for one call",
        [call("c"), output("c"), output("c")],
        (
            "invalid_value",
            "input[2].call_id",
            "No tool call found for function call output with call_id c.",
        ),
    ),
    (
        "a call without an output",
        [said("user", "Hi"), call("c9")],
        ("invalid_value", "input[1].call_id", "No tool output found for function call c9."),
    ),
    (
        "a reference to an item",
        [{"type": "item_reference", "id": "msg_9"}],
        (
            "invalid_value",
            "input[0].id",
            "Item with id 'msg_9' not found. Items are not stored here: send them whole, as clients do with `store: false`.",
        ),
    ),
    (
        "a user message without content",
        [said("user", None)],
        (
            "missing_required_parameter",
            "input[0].content",
            "Missing required parameter: 'input[0].content'.",
        ),
    ),
    (
        "an image that the system sends",
        [said("system", [IMAGE])],
        (
            "unsupported_value",
            "input[0].content",
            "Unsupported value: 'input[0].content' holds 'image_url', which a system message "
            "cannot.",
        ),
    ),
    (
        "an image that the model is said to have sent",
        [said("assistant", [IMAGE])],
        (
            "unsupported_value",
            "input[0].content",
            "Unsupported value: 'input[0].content' holds 'image_url', which a assistant message "
            "cannot.",
        ),
    ),
    (
        "arguments that are nested too deeply to be written anew",
        [call("c", nested(200)), output("c")],
        (
            "invalid_value",
            "input[0].arguments",
            "Invalid 'input[0].arguments': expected at most 200 levels of nesting.",
        ),
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"),
    [pytest.param(given, expected, id=name) for name, given, expected in REFUSALS],
)
def test_items_that_cannot_be_sent_are_refused(given: Any, expected: tuple[str, str, str]) -> None:
    assert refusal(input=given) == expected


STORED_CALL = PlacedItem(Call("c9", "f", "{}"))
STORED_OUTPUT = PlacedItem(CallOutput("c9", "ok"))


def test_history_comes_before_the_input() -> None:
    history = [PlacedItem(MessageItem("user", "a")), PlacedItem(MessageItem("assistant", "b"))]
    chat = translate(history=history, input="c").chat

    assert [(each.role, each.content) for each in chat.messages] == [
        ("user", "a"),
        ("assistant", "b"),
        ("user", "c"),
    ]


def test_a_stored_call_without_an_output_is_dropped_and_reported() -> None:
    """The response was cut short; the client cannot mend it."""
    translation = translate(history=[STORED_CALL], input="Hi")

    assert (len(translation.chat.messages), translation.dropped) == (1, ("c9",))


def test_a_stored_output_without_a_call_is_dropped_and_reported() -> None:
    translation = translate(history=[STORED_OUTPUT], input="Hi")

    assert (len(translation.chat.messages), translation.dropped) == (1, ("c9",))


def test_a_stored_call_is_answered_by_the_input() -> None:
    translation = translate(history=[STORED_CALL], input=[output("c9")])

    assert [each.role for each in translation.chat.messages] == ["assistant", "tool"]


STEP_BY_STEP = [call("c1"), output("c1"), call("c2"), output("c2"), call("c3"), output("c3")]


def test_calls_that_came_one_after_the_other_do_not_look_as_if_they_were_made_together() -> None:
    assert [each["role"] for each in messages(STEP_BY_STEP)] == ["assistant", "tool"] * 3


def test_what_was_sent_of_earlier_steps_stays_the_beginning() -> None:
    """A server that keeps the prompt of the last step need not read it again."""
    assert messages(STEP_BY_STEP)[:4] == messages(STEP_BY_STEP[:4])


def test_calls_behind_each_other_are_made_together_in_whatever_order_they_are_answered() -> None:
    found = messages([call("c1"), call("c2"), output("c2"), output("c1")])

    assert [each["id"] for each in found[0]["tool_calls"]] == ["c1", "c2"]
    assert [each["tool_call_id"] for each in found[1:]] == ["c1", "c2"]


def test_outputs_without_ids_answer_the_calls_of_their_name_in_order() -> None:
    given = [
        call("c1", name="f"),
        call("c2", name="g"),
        call("c3", name="f"),
        output("c3", "3"),
        output(None, "1", name="f"),
        output(None, "2", name="g"),
    ]

    found = [(each["tool_call_id"], each["content"]) for each in messages(given)[1:]]
    assert found == [("c1", "1"), ("c2", "2"), ("c3", "3")]


def test_an_output_without_an_id_and_without_a_call_of_its_name_is_refused() -> None:
    given = [call("c1", name="f"), output(None, "1", name="f"), output(None, "2", name="f")]

    assert refusal(input=given)[1] == "input[2].call_id"


@pytest.mark.parametrize("name", ["web.search", "a" * 100, "ä b"])
def test_calls_in_history_have_the_name_that_the_tool_is_offered_under(name: str) -> None:
    tool = {"type": "function", "name": name}
    found = translate(input=[call("c", name=name), output("c")], tools=[tool]).chat

    calls = found.messages[0].tool_calls
    assert calls[0].function.name == found.parameters["tools"][0].function.name


def test_what_the_upstream_wants_back_with_a_call_is_sent_back() -> None:
    gemini = Dialect(name="gemini", source="a test", signature_filler="skip")
    extra = {"google": {"thought_signature": "s"}}
    found = messages([call("c", extra_content=extra), output("c")], gemini)

    assert found[0]["tool_calls"][0]["extra_content"] == extra


def test_what_another_upstream_wanted_back_is_not_sent() -> None:
    found = messages([call("c", extra_content={"a": 1}), output("c")], PLAIN)

    assert found[0]["tool_calls"] == [chat_call("c")]
