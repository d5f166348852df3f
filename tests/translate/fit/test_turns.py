"""Messages come in an order that the upstream takes, and none says nothing."""

from typing import Any

import msgspec

from adapter.dialects import Dialect
from tests.translate.requests import PLAIN, call, messages, output, translate

STRICT = Dialect(name="strict", source="a test", tool_bridge="Understood.", empty_answers=False)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def test_the_assistant_speaks_between_outputs_and_a_user() -> None:
    """Mistral: 400 "Unexpected role 'user' after role 'tool'"."""
    given = [user("a"), call("c1"), call("c2"), output("c1"), output("c2"), user("b")]

    roles = [message["role"] for message in messages(given, STRICT)]

    assert roles == ["user", "assistant", "tool", "tool", "assistant", "user"]
    assert messages(given, STRICT)[-2] == assistant("Understood.")


def test_a_late_instruction_is_a_users_and_needs_the_bridge_too() -> None:
    """Codex puts a developer message behind the outputs of tools."""
    given = [user("a"), call("c1"), output("c1"), {"role": "developer", "content": "Hook."}]

    assert messages(given, STRICT)[-2:] == [
        assistant("Understood."),
        user("<system>\nHook.\n</system>"),
    ]


def test_an_assistant_that_answers_needs_no_bridge() -> None:
    given = [user("a"), call("c1"), output("c1"), assistant("b"), user("c")]

    assert [message["role"] for message in messages(given, STRICT)] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


def test_outputs_at_the_end_need_no_bridge() -> None:
    given = [user("a"), call("c1"), output("c1")]

    assert messages(given, STRICT)[-1]["role"] == "tool"


def test_without_the_fact_nothing_is_said() -> None:
    given = [user("a"), call("c1"), output("c1"), user("b")]

    assert [message["role"] for message in messages(given)][-2:] == ["tool", "user"]


def test_an_answer_that_says_nothing_is_left_out() -> None:
    given = [user("a"), assistant(""), user("b")]

    assert messages(given, STRICT) == [user("a\n\nb")]
    assert messages(given) == [user("a"), assistant(""), user("b")]


def test_an_answer_that_only_calls_stays() -> None:
    given = [user("a"), call("c1"), output("c1")]

    assert messages(given, STRICT)[1]["tool_calls"][0]["id"] == "c1"


def test_an_answer_that_only_reasons_stays_where_the_reasoning_is_sent() -> None:
    reasoning = {
        "type": "reasoning",
        "id": "rs_1",
        "summary": [],
        "content": [{"type": "reasoning_text", "text": "Hm."}],
    }
    given = [user("a"), reasoning, assistant(""), user("b")]
    without = msgspec.structs.replace(STRICT, reasoning_field="none")

    assert messages(given, STRICT)[1] == {**assistant(""), "reasoning_content": "Hm."}
    assert messages(given, without) == [user("a\n\nb")]


def test_an_answer_that_only_refuses_stays() -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    taking = msgspec.structs.replace(PLAIN, empty_answers=False)

    assert messages([user("a"), refused], taking)[1] == {**assistant(""), "refusal": "No."}
    assert messages([user("a"), refused], STRICT)[1] == assistant("No.")


def test_answer_at_the_end_is_followed_by_a_user_where_it_has_to_be() -> None:
    taking = msgspec.structs.replace(PLAIN, last_answer=False)

    assert messages([user("a"), assistant("b")], taking)[-1] == user("Continue.")
    assert messages([user("a")], taking) == [user("a")]
    assert messages([user("a"), assistant("b")])[-1] == assistant("b")


def test_calls_that_were_made_together_are_sent_one_by_one_where_they_have_to_be() -> None:
    """Llama's templates: "This model only supports single tool-calls at once!"."""
    single = msgspec.structs.replace(PLAIN, parallel_calls=False)
    given = [
        user("a"),
        assistant("b"),
        call("c1"),
        call("c2"),
        output("c1", "1"),
        output("c2", "2"),
    ]

    sent = messages(given, single)

    assert [message["role"] for message in sent] == ["user", *["assistant", "tool"] * 2]
    assert [message["content"] for message in sent] == ["a", "b", "1", "", "2"]
    assert [call["id"] for message in sent for call in message.get("tool_calls", ())] == [
        "c1",
        "c2",
    ]
    assert messages([user("a"), call("c1"), output("c1")], single)[1]["tool_calls"][0]["id"] == "c1"


def test_messages_that_are_arranged_twice_are_reported_once() -> None:
    """And only where a refusal taught how: every upstream has them in some order of its own."""
    facts = {"last_answer": False, "merge_same_role": True}
    known = msgspec.structs.replace(PLAIN, **facts)
    learned = msgspec.structs.replace(known, learned=frozenset(facts))
    given = [user("a"), user("b"), assistant("c")]

    assert translate(learned, input=given).adapted == ("input",)
    assert translate(known, input=given).adapted == ()


def test_messages_that_stay_as_they_are_are_not_reported() -> None:
    facts = {"last_answer": False, "merge_same_role": True}
    learned = msgspec.structs.replace(PLAIN, **facts, learned=frozenset(facts))

    assert translate(learned, input=[user("a")]).adapted == ()
    assert translate(learned, input=[user("a"), assistant("b"), user("c")]).adapted == ()
