"""What the answers of servers are judged to be, from what `observed.md` and `reported.md` tell."""

from typing import Any

import msgspec
import pytest

from adapter.dialects.base import ThinkingSwitch
from adapter.probe.check import Grade
from adapter.probe.checks import answer, faults, fields, formats, parts, reasoning, roles, tools
from adapter.probe.known import BASICS, LIMIT, STREAM_OPTIONS, TEMPERATURE
from adapter.probe.reply import Reply
from tests.probe.replies import (
    called,
    facts,
    fields_of,
    judge,
    known,
    read,
    refused,
    said,
    streamed,
    whole,
)
from tests.servers.answers import Answer, chunk, json_answer

NONE, REQUIRED, NAMED, PARALLEL, STRICT = tools.CHOICES
SYSTEM, DEVELOPER, LATE, USERS = roles.ROLES
IMAGE, FILE = parts.PARTS
LOGPROBS, LOGPROBS_WITH_TOOLS = fields.LOGPROBS
USAGE = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}

# (name, reply, grade, beginning of the finding)
ANSWERS: list[tuple[str, Reply, Grade, str]] = [
    ("stream", said("Hello"), "fine", 'streams, 1 deltas: "Hello"'),
    ("thoughts", said("", reasoning="Hm"), "fine", 'streams, 1 deltas: "Hm"'),
    ("whole", whole("Hello"), "met", "one JSON document in place of a stream"),
    ("empty", streamed(chunk({}, "stop")), "lost", "an empty answer"),
]


@pytest.mark.parametrize(("reply", "grade", "finding"), [row[1:] for row in ANSWERS])
def test_answer_of_any_form_is_an_answer(reply: Reply, grade: Grade, finding: str) -> None:
    verdict = judge(answer.FIRST, reply)

    assert (verdict.grade, verdict.notes) == (grade, {"answers": True})
    assert verdict.finding.startswith(finding)


def test_refused_answer_is_asked_for_again_with_nothing_optional() -> None:
    verdict = judge(answer.FIRST, refused("no temperature"))
    (bare,) = verdict.more

    assert fields_of(bare.ask(known())) == [{}]
    assert bare.ask(known())[0].chat.parameters == {"stream": True}
    assert judge(bare, said("Hello")).notes == {"answers": True, "basics": frozenset()}
    assert judge(bare, refused()).grade == "lost"


ENDS: list[tuple[str, Reply, Grade, str]] = [
    ("usual", said("Hello"), "fine", "finish_reason stop, then [DONE]"),
    (
        "transformers",
        streamed(chunk({"content": "Hi"}), chunk({}, "stop"), done=False),
        "met",
        "finish_reason stop, no [DONE]",
    ),
    ("no reason", streamed(chunk({"content": "Hi"})), "met", "[DONE], but no finish_reason"),
    (
        "nothing",
        streamed(chunk({"content": "Hi"}), done=False),
        "lost",
        "neither finish_reason nor [DONE]",
    ),
    ("whole", whole("Hello"), "fine", "finish_reason stop, no stream"),
    (
        "endless",
        streamed(*(chunk({"content": "ha "}) for _ in range(100))),
        "unclear",
        "still going",
    ),
]


@pytest.mark.parametrize(("reply", "grade", "finding"), [row[1:] for row in ENDS])
def test_end_of_a_stream_is_told(reply: Reply, grade: Grade, finding: str) -> None:
    verdict = judge(answer.STREAM_END, reply)

    assert verdict.grade == grade
    assert verdict.finding.startswith(finding)


def test_speed_is_that_of_what_follows_the_first_delta() -> None:
    deltas = [chunk({"content": "ha "}) for _ in range(5)]
    counted = chunk(choices=[], usage={**USAGE, "completion_tokens": 20})

    verdict = judge(answer.SPEED, streamed(*deltas, counted))
    guessed = judge(answer.SPEED, streamed(*deltas))

    assert verdict.finding == "first delta after 100 ms, then 50 tokens/s"
    assert guessed.finding == "first delta after 100 ms, then about 12 tokens/s"
    assert judge(answer.SPEED, whole("Hello")).finding.endswith("all at once")


@pytest.mark.parametrize(
    ("reply", "grade"),
    [(whole("Hello"), "fine"), (said("Hello"), "met"), (refused(), "met")],
)
def test_answers_without_a_stream_are_not_needed(reply: Reply, grade: Grade) -> None:
    assert judge(answer.WHOLE, reply).grade == grade


CUT = said("Once upon", finish_reason="length")
LONG = streamed(*(chunk({"content": "and "}) for _ in range(100)))


@pytest.mark.parametrize(
    ("dialect", "max_tokens", "max_completion_tokens", "sent"),
    [
        ("generic", CUT, CUT, "max_tokens"),
        ("openai", CUT, CUT, "max_completion_tokens"),
        ("generic", refused(), CUT, "max_completion_tokens"),
        ("generic", LONG, CUT, "max_completion_tokens"),
        ("openai", CUT, LONG, "max_tokens"),
    ],
)
def test_name_of_the_output_limit_is_one_that_is_obeyed(
    dialect: str, max_tokens: Reply, max_completion_tokens: Reply, sent: str
) -> None:
    of = known(dialect)

    verdict = judge(answer.OUTPUT_LIMIT, max_tokens, max_completion_tokens, of=of)

    assert verdict.facts == {"output_limit": sent}
    assert LIMIT in verdict.notes["basics"]


def test_limit_that_nothing_obeys_is_lost() -> None:
    verdict = judge(answer.OUTPUT_LIMIT, LONG, refused())

    assert (verdict.grade, verdict.facts) == ("lost", {})
    assert verdict.finding == "max_tokens ignored, max_completion_tokens refused"


def test_temperature_is_asked_for_alone_where_a_bare_question_was_needed() -> None:
    bare = known(basics=frozenset())

    assert answer.ZERO_TEMPERATURE.ask(known()) == []
    assert fields_of(answer.ZERO_TEMPERATURE.ask(bare)) == [{}]
    taken = judge(answer.ZERO_TEMPERATURE, said("Hello"), of=bare)
    assert taken.notes == {"basics": {TEMPERATURE}}
    assert judge(answer.ZERO_TEMPERATURE, refused(), of=bare).facts == {"refuses": {TEMPERATURE}}


USAGES: list[tuple[str, Reply, str]] = [
    ("OpenAI", said("Hi", prompt=7), "told in a last chunk of its own"),
    (
        "transformers",
        streamed(chunk({"content": "Hi"}), chunk({}, "stop", usage=USAGE)),
        "told in the chunk that finishes",
    ),
    (
        "continuous",
        streamed(chunk({"content": "Hi"}, usage=USAGE), chunk({}, "stop", usage=USAGE)),
        "told in 2 chunks",
    ),
    (
        "Groq",
        streamed(chunk({"content": "Hi"}), chunk({}, "stop", x_groq={"usage": USAGE})),
        "told in a place of its own",
    ),
    ("whole", whole("Hi"), "told in the answer"),
]


@pytest.mark.parametrize(("reply", "finding"), [row[1:] for row in USAGES])
def test_place_of_usage_is_told(reply: Reply, finding: str) -> None:
    verdict = judge(fields.USAGE, reply)

    assert (verdict.finding, verdict.notes["counts"]) == (finding, True)


def test_usage_may_never_be_told() -> None:
    verdict = judge(fields.USAGE, said("Hi"))

    assert (verdict.grade, verdict.finding) == ("lost", "never told")
    assert "counts" not in verdict.notes


def test_usage_is_not_asked_for_where_that_is_refused() -> None:
    verdict = judge(fields.USAGE, refused())

    assert verdict.facts == {"refuses": {STREAM_OPTIONS}}
    assert verdict.notes == {"basics": BASICS - {STREAM_OPTIONS}}


# (name, reply, finding, facts)
PLACES: list[tuple[str, Reply, str, dict[str, Any]]] = [
    ("vLLM", said("Hi", reasoning="Hm"), "in reasoning", {}),
    ("llama.cpp", said("Hi", reasoning_content="Hm"), "in reasoning_content", {}),
    (
        "both",
        said("Hi", reasoning="Hm", reasoning_details=[{"text": "Hm"}]),
        "in reasoning and reasoning_details",
        {},
    ),
    (
        "MiniMax",
        streamed(
            *(chunk({"reasoning_details": [{"text": "Hm, well, so"[:end]}]}) for end in (2, 7, 12)),
            chunk({"content": "Hi"}, "stop"),
        ),
        "in reasoning_details, said again in each delta",
        {"cumulative_details": True},
    ),
    (
        "Mistral",
        streamed(
            chunk(
                {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}
            ),
            chunk({"content": "Hi"}, "stop"),
        ),
        "in parts of the content",
        {"reasoning_field": "parts"},
    ),
    ("no parser", said("\n<think>\nHm</think>Hi"), "in the content, between <think>", {}),
    (
        "opened by the template",
        said("Hm</think>Hi"),
        "in the content, between <think>",
        {"think_tags": "opened"},
    ),
    (
        "in the middle",
        said("Well. <think>Hm</think>Hi"),
        "in the content, between <think>",
        {"think_tags": "anywhere"},
    ),
    (
        "Gemini",
        said("<thought>Hm</thought>Hi"),
        "in the content, between <thought>",
        {"think_marks": ("<thought>", "</thought>")},
    ),
]


@pytest.mark.parametrize(("reply", "finding", "expected"), [row[1:] for row in PLACES])
def test_place_of_reasoning_is_told(reply: Reply, finding: str, expected: dict[str, Any]) -> None:
    verdict = judge(reasoning.PLACE, reply)

    assert verdict.finding.startswith(finding)
    assert verdict.notes == {"reasons": True}
    assert facts(verdict) == expected


def test_tags_that_may_stand_anywhere_are_looked_for_anywhere() -> None:
    of = known()
    anywhere = msgspec.structs.replace(of.dialect, think_tags="anywhere")
    of = msgspec.structs.replace(of, dialect=anywhere)

    assert facts(judge(reasoning.PLACE, said("<think>Hm</think>Hi"), of=of), of) == {}


def test_details_without_text_do_not_repeat() -> None:
    reply = streamed(*(chunk({"reasoning_details": [{"id": each}]}) for each in "abc"))

    assert judge(reasoning.PLACE, reply).facts == {}


def test_answer_without_reasoning_has_none() -> None:
    verdict = judge(reasoning.PLACE, said("1, 2, 3"))

    assert (verdict.finding, verdict.notes, verdict.facts) == ("none", {}, {})


def test_effort_none_that_is_obeyed_keeps_later_questions_short() -> None:
    verdict = judge(reasoning.EFFORT_NONE, said("Hi"), of=known(reasons=True))

    assert verdict.grade == "fine"
    assert verdict.notes == {"calm": {"reasoning_effort": "none"}}


def test_effort_none_that_is_new_to_the_dialect_is_added() -> None:
    of = known("xai", reasons=True)

    verdict = judge(reasoning.EFFORT_NONE, said("Hi"), of=of)

    assert verdict.facts == {"efforts": ("none", *of.dialect.efforts)}


def test_effort_is_asked_for_in_the_way_of_the_dialect() -> None:
    assert fields_of(reasoning.EFFORT_NONE.ask(known("siliconflow"))) == [
        {"enable_thinking": False}
    ]
    assert fields_of(reasoning.EFFORT_NONE.ask(known("openrouter"))) == [
        {"reasoning": {"effort": "none"}}
    ]


@pytest.mark.parametrize("reply", [said("Hi", reasoning="Hm"), refused("must be low or high")])
def test_effort_none_that_does_nothing_leads_to_the_switches(reply: Reply) -> None:
    verdict = judge(reasoning.EFFORT_NONE, reply, of=known(reasons=True))
    (switches,) = verdict.more

    assert verdict.grade == "met"
    assert "none" not in verdict.facts["efforts"]
    assert "low" in verdict.facts["efforts"]
    assert fields_of(switches.ask(known())) == [
        {"chat_template_kwargs": {"enable_thinking": False}},
        {"thinking": {"type": "disabled"}},
        {"enable_thinking": False},
    ]


def test_first_switch_that_works_is_used() -> None:
    verdict = judge(reasoning.EFFORT_NONE, refused(), of=known(reasons=True))
    (switches,) = verdict.more

    verdict = judge(switches, refused(), said("Hi"), said("Hi"))

    assert verdict.facts == {"thinking": ThinkingSwitch("thinking.type", "enabled", "disabled")}
    assert verdict.notes == {"calm": {"thinking": {"type": "disabled"}}}


def test_thinking_that_nothing_switches_off_is_lost() -> None:
    verdict = judge(reasoning.EFFORT_NONE, refused(), of=known(reasons=True))
    (switches,) = verdict.more

    assert judge(switches, refused(), *[said("<think>Hm</think>")] * 2).grade == "lost"


def test_model_that_does_not_reason_has_no_switch() -> None:
    assert judge(reasoning.EFFORT_NONE, refused()).more == ()
    assert judge(reasoning.EFFORT_NONE, said("Hi")).finding.startswith("taken")


UNKNOWN_EFFORT = refused("unknown field: reasoning_effort", reasoning_effort="low")


@pytest.mark.parametrize(
    ("efforts", "reply", "left"),
    [
        (("none", "low", "high"), refused("bad value"), ("none", "high")),
        (("low", "high"), refused("bad value"), ()),  # nor was `none` taken, before
        (("none", "low", "high"), UNKNOWN_EFFORT, ()),
    ],
)
def test_efforts_that_are_refused_are_not_sent(
    efforts: tuple[str, ...], reply: Reply, left: tuple[str, ...]
) -> None:
    of = known()
    of = msgspec.structs.replace(of, dialect=msgspec.structs.replace(of.dialect, efforts=efforts))

    assert judge(reasoning.EFFORT_LOW, reply, of=of).facts == {"efforts": left}


def test_reasoning_is_sent_back_where_the_prompt_grows_by_it() -> None:
    short, long = said("It", prompt=100), said("It", prompt=120)

    assert judge(reasoning.EARLIER, short, long, short).facts == {
        "reasoning_field": "reasoning_content"
    }
    assert judge(reasoning.EARLIER, short, short, long).facts == {"reasoning_field": "reasoning"}
    assert facts(judge(reasoning.EARLIER, short, long, long)) == {}
    assert judge(reasoning.EARLIER, short, short, short).grade == "lost"
    assert judge(reasoning.EARLIER, short, refused(), short).facts == {"reasoning_field": "none"}
    assert judge(reasoning.EARLIER, refused(), long, long).grade == "unclear"


SHORT_PROMPT, LONG_PROMPT, LONGER_PROMPT = (said("Hi", prompt=tokens) for tokens in (13, 72, 85))


def test_role_is_dropped_if_the_prompt_is_no_longer_with_it() -> None:
    """Qwen3's template drops developer messages in silence (`observed.md` §4)."""
    assert judge(SYSTEM, SHORT_PROMPT, LONG_PROMPT).grade == "fine"
    assert judge(SYSTEM, SHORT_PROMPT, SHORT_PROMPT).facts == {"system_role": "user"}
    assert judge(SYSTEM, SHORT_PROMPT, refused()).facts == {"system_role": "user"}
    assert judge(SYSTEM, said("Hi"), said("Hi")).grade == "fine"


@pytest.mark.parametrize("reply", [refused(), SHORT_PROMPT])
def test_developer_is_not_sent_where_it_is_not_heard(reply: Reply) -> None:
    verdict = judge(DEVELOPER, SHORT_PROMPT, reply, of=known("openai"))

    assert verdict.facts == {"system_role": "system"}
    assert judge(DEVELOPER, SHORT_PROMPT, reply).facts == {}


@pytest.mark.parametrize(
    ("late", "expected"),
    [(LONGER_PROMPT, "system"), (SHORT_PROMPT, "user"), (refused("at the beginning"), "user")],
)
def test_late_system_message_is_sent_as_such_if_the_model_sees_it(
    late: Reply, expected: str
) -> None:
    assert judge(LATE, LONG_PROMPT, late).facts == {"late_system": expected}


def test_late_system_message_stays_as_it_was_if_nobody_can_tell() -> None:
    verdict = judge(LATE, said("Hi"), said("Hi"))

    assert (verdict.grade, verdict.facts) == ("unclear", {})


def test_users_are_merged_where_they_have_to_take_turns() -> None:
    assert judge(USERS, refused("must alternate")).facts == {"merge_same_role": True}
    assert judge(USERS, said("Hi"), of=known("openai")).action == ""


def pieces(*calls: dict[str, Any], finish_reason: str = "tool_calls") -> Reply:
    return streamed(*(chunk({"tool_calls": [call]}) for call in calls), chunk({}, finish_reason))


def piece(arguments: Any, **more: Any) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": more.pop("name")} if "name" in more else {})}
    return {"function": function, **more}


HEAD = {"index": 0, "id": "call_1", "name": "get_weather"}
WHOLE = '{"city": "Paris"}'

CALLS: list[tuple[str, Reply, Grade, str]] = [
    (
        "vLLM",
        pieces(piece(None, **HEAD), piece('{"city": ', index=0), piece('"Paris"}', index=0)),
        "fine",
        "in 3 deltas",
    ),
    ("transformers", pieces(piece(WHOLE, **HEAD)), "fine", "whole in one delta"),
    (
        "llama-cpp-python",
        pieces(piece('{"city":', **HEAD), piece('"Paris"}', **HEAD)),
        "met",
        "in 2 deltas; id on every piece; name on every piece",
    ),
    ("no id", pieces(piece(WHOLE, index=0, name="get_weather")), "met", "one delta; no id"),
    ("no index", pieces(piece(WHOLE, id="a", name="get_weather")), "met", "one delta; no index"),
    ("Ollama", pieces(piece({"city": "Paris"}, **HEAD)), "met", "arguments are an object"),
    ("older vLLM", pieces(piece(WHOLE, **HEAD), finish_reason="stop"), "met", "finish_reason stop"),
    (
        "legacy",
        streamed(
            chunk({"function_call": {"name": "get_weather", "arguments": WHOLE}}),
            chunk({}, "function_call"),
        ),
        "met",
        "function_call, without tool_calls",
    ),
    ("broken", pieces(piece("city: Paris", **HEAD)), "lost", "no JSON object"),
    ("no parser", said('<tool_call>\n{"name": "get_weather"}'), "lost", "calls are left in the"),
    ("no wish", said("I cannot know."), "unclear", "the model made no call"),
    ("too short", said("Well,", finish_reason="length"), "unclear", "no call within the tokens"),
]


@pytest.mark.parametrize(("reply", "grade", "finding"), [row[1:] for row in CALLS])
def test_form_of_calls_is_told(reply: Reply, grade: Grade, finding: str) -> None:
    verdict = judge(tools.CALLS, reply)

    assert (verdict.grade, verdict.notes) == (grade, {"takes_tools": True})
    assert finding in verdict.finding


def test_refused_tools_are_lost() -> None:
    """vLLM without `--enable-auto-tool-choice`."""
    verdict = judge(tools.CALLS, refused('"auto" tool choice requires --enable-auto-tool-choice'))

    assert (verdict.grade, verdict.notes) == ("lost", {})


CALL_AS_TEXT = said('<tool_call>\n{"name": "get_weather", "arguments": {}}\n</tool_call>')
TOO_SHORT = said("", reasoning="Well", finish_reason="length")

# (check, reply, grade, whether the form is obeyed; None: as before)
CHOICES = [
    (NONE, said("I cannot know."), "fine", True),
    (NONE, called("get_weather"), "met", False),
    (NONE, CALL_AS_TEXT, "met", False),  # vLLM and llama.cpp
    (NONE, refused(), "met", False),
    (NONE, TOO_SHORT, "unclear", None),
    (REQUIRED, called("get_time"), "fine", True),
    (REQUIRED, said("Hello!"), "met", False),
    (REQUIRED, refused(), "met", False),
    (REQUIRED, TOO_SHORT, "unclear", None),
    (NAMED, called("get_time"), "fine", True),
    (NAMED, called("get_time", finish_reason="stop"), "fine", True),  # vLLM
    (NAMED, called("get_weather"), "met", False),  # llama.cpp
    (NAMED, said("Hello!"), "met", False),
    (NAMED, refused(), "met", False),
    (NAMED, TOO_SHORT, "unclear", None),
]


@pytest.mark.parametrize(("check", "reply", "grade", "is_obeyed"), CHOICES)
def test_tool_choice_is_obeyed_or_not(
    check: Any, reply: Reply, grade: Grade, is_obeyed: bool | None
) -> None:
    form = check.name.split()[-1]

    verdict = judge(check, reply)

    assert verdict.grade == grade
    if is_obeyed is None:
        assert verdict.facts == {}
    else:
        assert (form in verdict.facts["tool_choices"]) is is_obeyed


def test_single_calls_are_obeyed_only_if_there_would_be_more() -> None:
    one, two = called("get_weather"), called("get_weather", "get_weather")

    assert judge(PARALLEL, two, one).grade == "fine"
    assert judge(PARALLEL, two, two).finding == "ignored: 2 calls"
    assert judge(PARALLEL, one, one).grade == "unclear"
    assert judge(PARALLEL, two, refused()).facts == {"refuses": {"parallel_tool_calls"}}


def test_strict_is_left_out_where_it_is_refused() -> None:
    assert judge(STRICT, said("Hi")).facts == {}
    assert judge(STRICT, refused("no")).facts == {"strict_tools": False}


def test_refusal_of_tool_results_is_learned_from_and_tried_again() -> None:
    (question,) = tools.RESULTS.ask(known())
    error = {"error": {"message": "Tool call id must be a-z, A-Z, 0-9, with a length of 9."}}
    reply = read(json_answer(400, error), question)

    verdict = judge(tools.RESULTS, reply)

    assert verdict.facts == {"call_id_length": 9}
    assert verdict.more == (tools.RESULTS,)
    assert judge(tools.RESULTS, refused("no")).grade == "lost"
    assert judge(tools.RESULTS, said("It is sunny.")).grade == "fine"


# (check, reply, grade, whether the format is one that it sees to; None: as before)
FORMATS = [
    (formats.OBJECT, said('{"name": "Alice"}'), "fine", True),
    (formats.OBJECT, said('\n{"name2, ', finish_reason="length"), "fine", True),
    (formats.OBJECT, said("Hello!"), "met", False),
    (formats.OBJECT, said('```json\n{"hello": "you"}\n```'), "met", False),
    (formats.OBJECT, refused(), "met", False),
    (formats.OBJECT, TOO_SHORT, "unclear", None),
    (formats.SCHEMA, said('{"city": "Atlantis"\n}'), "fine", True),
    (formats.SCHEMA, said('{"city":"Atlantis"  ', finish_reason="length"), "fine", True),
    (formats.SCHEMA, said('{"name": "Alice"}'), "met", False),
    (formats.SCHEMA, said("Hello!", finish_reason="length"), "met", False),
    (formats.SCHEMA, said('{"name', finish_reason="length"), "unclear", None),
    (formats.SCHEMA, refused(), "met", False),
]


@pytest.mark.parametrize(("check", "reply", "grade", "is_obeyed"), FORMATS)
def test_format_is_obeyed_or_not(
    check: Any, reply: Reply, grade: Grade, is_obeyed: bool | None
) -> None:
    verdict = judge(check, reply)

    assert verdict.grade == grade
    if is_obeyed is None:
        assert verdict.facts == {}
    else:
        assert (check.name in verdict.facts["formats"]) is is_obeyed


def test_json_object_that_wants_the_word_is_asked_for_with_it() -> None:
    message = "'messages' must contain the word 'json' in some form"
    reply = refused(message, response_format={"type": "json_object"})

    verdict = judge(formats.OBJECT, reply)
    (question,) = formats.OBJECT.ask(known("openai"))

    assert verdict.facts == {"json_word": True}
    assert verdict.more == (formats.OBJECT,)
    assert "JSON" in str(question.chat.messages[0].content)


def test_schema_is_asked_for_in_the_shape_of_the_dialect() -> None:
    (sent,) = fields_of(formats.SCHEMA.ask(known("llama-cpp-python")))

    assert sent["response_format"]["type"] == "json_object"
    assert "schema" in sent["response_format"]


ENTRY = {"token": "Hi", "logprob": -0.1, "bytes": None, "top_logprobs": []}
BOTH = {"logprobs", "top_logprobs"}


def test_log_probabilities_that_do_not_come_are_not_asked_for() -> None:
    choice = {"index": 0, "delta": {"content": "Hi"}, "logprobs": {"content": [ENTRY]}}
    told = streamed(chunk(choices=[choice]), chunk({}, "stop"))

    assert judge(LOGPROBS, told, of=known("groq")).facts["refuses"].isdisjoint(BOTH)
    assert judge(LOGPROBS, said("Hi")).facts == {"refuses": BOTH}
    assert judge(LOGPROBS, refused()).facts == {"refuses": BOTH}


def test_refusal_of_a_combination_is_no_fact() -> None:
    """llama.cpp takes log probabilities, and tools, but not both in a stream."""
    message = "logprobs is not supported with tools + stream"
    reply = refused(message, logprobs=True, tools=tools.TOOLS)

    verdict = judge(LOGPROBS_WITH_TOOLS, reply)

    assert (verdict.grade, verdict.facts) == ("met", {})
    assert judge(LOGPROBS_WITH_TOOLS, refused("no")).grade == "lost"
    assert judge(LOGPROBS_WITH_TOOLS, said("Hi")).grade == "fine"
    assert LOGPROBS_WITH_TOOLS.ask(known("groq")) == []


def test_fields_that_are_named_are_left_out_and_the_others_asked_for_again() -> None:
    (question,) = fields.SAMPLING.ask(known())
    error = {"error": {"message": "Unsupported parameter: 'seed'"}}

    verdict = judge(fields.SAMPLING, read(json_answer(400, error), question))
    (rest,) = fields.SAMPLING.ask(known("gemini"))

    assert verdict.facts == {"refuses": {"seed"}}
    assert verdict.more == (fields.SAMPLING,)
    assert fields_of([rest])[0].keys() == {"top_p", "stop"}


def test_fields_that_are_not_named_are_asked_for_one_by_one() -> None:
    verdict = judge(fields.SAMPLING, refused("no"))
    alone = {check.name: fields_of(check.ask(known())) for check in verdict.more}
    (mistral,) = (check.ask(known("mistral")) for check in verdict.more if check.name == "seed")

    assert list(alone) == ["top_p", "presence_penalty", "frequency_penalty", "seed", "stop"]
    assert all(list(sent) == [name] for name, (sent,) in alone.items())
    assert fields_of(mistral) == [{"random_seed": 7}]
    assert judge(verdict.more[0], refused("no")).facts == {"refuses": {"top_p"}}
    assert judge(verdict.more[0], said("Hi")).facts == {}


def test_field_that_nobody_knows_is_ignored_or_not() -> None:
    of = known(accepted=frozenset({"temperature", "tools"}))

    assert judge(fields.UNKNOWN, said("Hi"), of=of).facts == {}
    named = refused("extra_forbidden: x_adapter_probe")
    assert judge(fields.UNKNOWN, named, of=of).facts == {}
    assert judge(fields.UNKNOWN, refused("no"), of=of).facts == {"only": of.accepted}
    assert judge(fields.UNKNOWN, refused("no"), of=known("transformers")).facts == {}


@pytest.mark.parametrize(("check", "kind"), [(IMAGE, "image_url"), (FILE, "file")])
def test_part_is_taken_if_the_prompt_grows_by_it(check: Any, kind: str) -> None:
    def takes(reply: Reply) -> bool:
        return kind in judge(check, SHORT_PROMPT, reply).facts["parts"]

    assert takes(LONG_PROMPT)
    assert not takes(SHORT_PROMPT)  # transformers drops what it does not know
    assert not takes(refused())
    assert not takes(refused("image input is not supported", 500))  # llama.cpp
    assert judge(check, said("Hi"), said("Hi")).grade == "unclear"


SHAPES = [
    (json_answer(400, {"error": {"message": "x", "code": 400, "param": None}}), "fine",
     "400 {error: {message: text, code: number, param: null}}"),
    (json_answer(400, {"object": "error", "message": "x"}), "fine", "400 {object: text, message: text}"),
    (json_answer(422, {"detail": [{"msg": "x"}]}), "fine", "422 {detail: [object]}"),
    (json_answer(400, []), "fine", "400 []"),
    (json_answer(500, {"error": "x"}), "met", "500 {error: text} for a fault of the client's"),
    (Answer(400, {"content-type": "text/html; charset=utf-8"}, [b"<h1>No</h1>"]), "fine", "400 as text/html"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "grade", "finding"), SHAPES)
def test_form_of_an_error_is_told(given: Answer, grade: Grade, finding: str) -> None:
    verdict = judge(faults.ERRORS, read(given))

    assert (verdict.grade, verdict.finding) == (grade, finding)


def test_server_that_answers_nonsense_is_told() -> None:
    assert judge(faults.ERRORS, said("Hi")).grade == "lost"


def test_prompt_is_too_long_only_where_that_is_cheap() -> None:
    assert faults.OVERFLOW.ask(known()) == []
    assert faults.OVERFLOW.ask(known(context=128_000)) == []
    (question,) = faults.OVERFLOW.ask(known(context=2048))
    assert str(question.chat.messages[0].content).count(" ") > 2048


def test_prompt_that_is_too_long_is_refused_in_words_that_are_known_or_not() -> None:
    of = known(context=2048)

    told = refused("maximum context length is 2048 tokens")
    assert judge(faults.OVERFLOW, told, of=of).grade == "fine"
    assert judge(faults.OVERFLOW, refused("no"), of=of).grade == "met"
    assert judge(faults.OVERFLOW, said("Hi"), of=of).grade == "lost"
