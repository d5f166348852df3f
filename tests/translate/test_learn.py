"""A refusal of any server, in any form, teaches the fact that avoids it; the rest teaches nothing.

What becomes of it in a whole request is in `tests/learning`.
"""

from typing import Any

import pytest

from adapter.dialects import DIALECTS, Dialect
from adapter.errors import UpstreamError
from adapter.stream.turn import TurnReader
from adapter.translate.errors import http_error
from adapter.translate.learn import is_lasting, learn
from tests.learning.case import Case
from tests.learning.cases_fields import LIMITS, TOOL, UNKNOWN
from tests.learning.cases_messages import LOOP, USER, call, output
from tests.servers.answers import Answer
from tests.translate.requests import translate

GENERIC = DIALECTS["generic"]


def error_of(answer: Answer) -> UpstreamError:
    """Return the error that an answer is, be it a status or something inside 200."""
    body = b"".join(step for step in answer.chunks if isinstance(step, bytes))
    if answer.status != 200:
        return http_error(answer.status, answer.headers, body)
    reader = TurnReader(GENERIC, answer.headers["content-type"])
    reader.feed(body)
    reader.end()
    assert reader.failure is not None
    return reader.failure


def said(text: str, param: str | None = None) -> UpstreamError:
    return UpstreamError(text, status=400, param=param)


@pytest.mark.parametrize(
    ("case", "answer"),
    [
        pytest.param(case, answer, id=f"{case.name}-{number}")
        for case in (*UNKNOWN, *LIMITS)
        for number, answer in enumerate(case.answers)
    ],
)
def test_field_that_is_unknown_is_sent_no_more(case: Case, answer: Answer) -> None:
    dialect = DIALECTS[case.dialect]
    chat = translate(dialect, **case.fields).chat
    assert case.refuses({"messages": chat.messages, **chat.parameters})

    learned = learn(dialect, chat, error_of(answer))

    assert learned is not None
    again = translate(learned, **case.fields)
    assert not case.refuses(again.chat.parameters)
    gone = {case.name, "max_tokens", "max_completion_tokens"}
    if case.name == "logprobs":
        gone.add("top_logprobs")  # which is nothing without the other
    assert chat.parameters.keys() - gone <= again.chat.parameters.keys()
    kind, _, path = case.told.partition(": ")
    assert path in {"dropped": again.dropped, "adapted": again.adapted}[kind]


# Ways to say that a field is not there, as they were seen in public issue trackers.
UNKNOWN_WORDS = [
    "Unsupported parameter(s): `X`",
    "X is not a valid parameter",
    "Parameter X is not recognized",
    "Invalid parameter: X",
    "body.X: Additional properties are not allowed",
    "[{'type': 'extra_forbidden', 'loc': ('body', 'X'), 'msg': 'Extra inputs are not permitted'}]",
    "1 validation error for Request X extra fields not permitted (type=value_error.extra)",
    "create() got an unexpected keyword argument 'X'",
    '"X" is not allowed',
    "data must NOT have additional properties: X",
    'json: unknown field "X"',
    "X isn't supported",
    "X can't be used with this model",
    "litellm.UnsupportedParamsError: groq does not support parameters: ['X'], for model=m.",
    "The parameter `X` specified in the request are not valid: invalid parameter",
    "<400> InternalError.Algo.InvalidParameter: X is not supported",
    "参数 X 不支持",
    "X 参数非法",
    "X must be omitted for this model",
    "Field 'X' rejected",
]


@pytest.mark.parametrize("words", UNKNOWN_WORDS)
@pytest.mark.parametrize(
    ("field", "asked"),
    [
        ("temperature", {"temperature": 0.5}),
        ("parallel_tool_calls", {"parallel_tool_calls": True, "tools": [TOOL]}),
        ("stream_options", {}),
        ("seed", {"seed": 7}),
        ("stop", {"stop": ["END"]}),
        ("max_tokens", {"max_output_tokens": 9}),
        ("tool_choice", {"tool_choice": "required", "tools": [TOOL]}),
        ("response_format", {"text": {"format": {"type": "json_object"}}}),
    ],
)
def test_words_for_a_field_that_is_unknown(words: str, field: str, asked: dict[str, Any]) -> None:
    chat = translate(GENERIC, **asked).chat
    learned = learn(GENERIC, chat, said(words.replace("X", field)))

    assert learned is not None
    again = translate(learned, **asked).chat.parameters
    assert again.get(field) != chat.parameters[field]


def test_what_was_learned_is_marked() -> None:
    chat = translate(GENERIC, seed=1, temperature=1).chat
    first = learn(GENERIC, chat, said("Unknown parameter: 'seed'"))
    assert first is not None
    second = learn(first, translate(first, temperature=1).chat, said("temperature is fixed: 1"))
    assert second is not None

    assert (first.learned, first.refuses) == ({"refuses"}, {"seed"})
    assert (second.learned, second.refuses) == ({"refuses"}, {"seed", "temperature"})


NAMED_USER = {"user": "u", "input": [*LOOP, USER]}


@pytest.mark.parametrize(
    "text",
    [
        "Unexpected role 'user' after role 'tool'",
        "After the optional system message, roles must alternate user/assistant, and not: user",
    ],
)
def test_role_is_not_taken_for_the_field_of_its_name(text: str) -> None:
    openai = DIALECTS["openai"]
    learned = learn(openai, translate(openai, **NAMED_USER).chat, said(text))

    assert learned is not None
    assert "user" not in learned.refuses


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.", 9),
        ("tool_call_id must be exactly 9 alphanumeric characters", 9),
        ("tool_call_id must be 12 characters", 12),
        ("tool_calls.0.id: String should match pattern '^[a-zA-Z0-9]{1,40}$'", 40),
        ("tool_calls[0].id: string too long, maximum length 300", 64),
        ("Invalid tool_call_id: characters other than letters", 24),
        ("tool_call_id is unknown", None),
    ],
)
def test_length_of_call_ids_is_read(text: str, length: int | None) -> None:
    asked = {"input": [USER, call("functions.f:0"), output("functions.f:0")]}
    learned = learn(GENERIC, translate(GENERIC, **asked).chat, said(text))

    assert (None if learned is None else learned.call_id_length) == length


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("temperature must be in [0, 1]", 1.5, (0.0, 1.0)),
        ("temperature must be in (0, 1)", 0, (0.01, 0.99)),
        ("temperature: must be between 0.1 and 1.9", 2, (0.1, 1.9)),
        ("temperature range: 0-1", 2, (0.0, 1.0)),
        ("temperature must be at most 1", 2, (0.0, 1.0)),
        ("temperature must be less than 1", 1, (0.0, 0.99)),
        ("temperature must be no greater than 1", 2, (0.0, 1.0)),
        ("temperature must be greater than 0", 0, (0.01, 2.0)),
        ("temperature must be no less than 0.5", 0, (0.5, 2.0)),
        ("temperature must be >= 0.5 and <= 1.5", 0, (0.5, 1.5)),
        ("temperature must be between 0 and 2", 1, None),  # it is
        ("temperature must be between 3 and 2", 1, None),
        ("temperature must be non-negative", 1, None),
        ("warmth must be at most 1", 2, None),
    ],
)
def test_range_of_a_number_is_read(
    text: str, value: float, expected: tuple[float, float] | None
) -> None:
    learned = learn(GENERIC, translate(GENERIC, temperature=value).chat, said(text))

    assert (None if learned is None else learned.ranges["temperature"]) == expected


@pytest.mark.parametrize(
    ("text", "efforts"),
    [
        (
            "reasoning_effort: Supported values are: 'low', 'medium', 'high'.",
            ("low", "medium", "high"),
        ),
        ("reasoning_effort must be one of low or high", ("low", "high")),
        ("`reasoning_effort` must be one of `none` or `default`", ("none", "default")),
        ("effort 'xhigh' is bad", ("none", "minimal", "low", "medium", "high", "max")),
        ("reasoning_effort is invalid", ("none", "minimal", "low", "medium", "high", "max")),
    ],
)
def test_efforts_are_read(text: str, efforts: tuple[str, ...]) -> None:
    chat = translate(GENERIC, reasoning={"effort": "xhigh"}).chat
    learned = learn(GENERIC, chat, said(text))

    assert learned is not None
    assert learned.efforts == efforts


def test_effort_in_an_object_is_learned_too() -> None:
    openrouter = DIALECTS["openrouter"]
    chat = translate(openrouter, reasoning={"effort": "minimal"}).chat

    learned = learn(openrouter, chat, said("reasoning.effort must be one of 'low', 'high'"))

    assert learned is not None
    assert translate(learned, reasoning={"effort": "minimal"}).chat.parameters["reasoning"] == {
        "effort": "low"
    }


def test_output_limit_that_is_refused_under_both_names_is_left_out() -> None:
    asked = {"max_output_tokens": 9}
    first = learn(GENERIC, translate(GENERIC, **asked).chat, said("Unknown field: max_tokens"))
    assert first is not None
    text = "Unknown field: max_completion_tokens"
    second = learn(first, translate(first, **asked).chat, said(text))
    assert second is not None

    again = translate(second, **asked)
    assert {"max_tokens", "max_completion_tokens"} & again.chat.parameters.keys() == set()
    assert again.dropped == ("max_output_tokens",)


@pytest.mark.parametrize(
    ("model", "code", "is_learned"),
    [
        ("glm-5.2[1m]", "model_not_found", True),
        ("glm-5.2", "model_not_found", False),
        ("glm-5.2[1m]", None, False),
    ],
)
def test_alias_in_brackets_is_left_out_where_no_model_has_it(
    model: str, code: str | None, is_learned: bool
) -> None:
    """Z.AI: 400 code 1211."""
    chat = translate(GENERIC, model=model).chat
    learned = learn(GENERIC, chat, UpstreamError("Unknown model", status=400, code=code))

    assert (learned is not None) is is_learned
    if learned is not None:
        assert translate(learned, model=model).chat.model == "glm-5.2"


@pytest.mark.parametrize("status", [401, 403, 404, 409, 413, 429, 500, 502, 503, 504])
def test_status_that_is_no_refusal_of_a_field_teaches_nothing(status: int) -> None:
    chat = translate(GENERIC, seed=1).chat

    error = UpstreamError("Unknown parameter: 'seed'", status=status)

    assert learn(GENERIC, chat, error) is None


@pytest.mark.parametrize(
    "code", ["context_length_exceeded", "insufficient_quota", "invalid_prompt"]
)
def test_cause_that_is_known_by_its_code_teaches_nothing(code: str) -> None:
    chat = translate(GENERIC, seed=1).chat

    error = UpstreamError("Unknown parameter: 'seed'", status=400, code=code)

    assert learn(GENERIC, chat, error) is None


@pytest.mark.parametrize(
    ("text", "lasts"),
    [
        ("Unknown parameter: 'seed'", True),
        ("logprobs is not supported with tools + stream", False),
        ("Tool choice is required, but model did not call a tool", False),
        ("The provided JSON schema contains features not supported by xgrammar", False),
    ],
)
def test_refusal_of_a_combination_does_not_last(text: str, lasts: bool) -> None:
    assert is_lasting(said(text)) is lasts


IMAGE = {"role": "user", "content": [{"type": "input_image", "image_url": "https://a.example/b"}]}
SCHEMA = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}

# (name, request, text)
NOTHING: list[tuple[str, dict[str, Any], str]] = [
    ("a schema, for no reason", {"text": SCHEMA}, "response_format is invalid"),
    ("an image is not named", {"input": [IMAGE]}, "download failed"),
    ("nothing is said of where it is", {"input": [IMAGE]}, "the image is too dark"),
    ("thoughts, for no reason", {"input": LOOP}, "reasoning_content is odd"),
    ("calls were not asked for", {}, "only one tool call at once"),
    ("an id, for no reason", {"input": LOOP}, "tool_call_id is unknown"),
    ("a keyword that is missing", {"tools": [TOOL]}, "'additionalProperties' is required to be"),
]


@pytest.mark.parametrize(
    ("asked", "text"), [pytest.param(*case, id=name) for name, *case in NOTHING]
)
def test_words_that_say_too_little_teach_nothing(asked: dict[str, Any], text: str) -> None:
    assert learn(GENERIC, translate(GENERIC, **asked).chat, said(text)) is None


def test_no_lesson_reads_what_is_not_there() -> None:
    """Words of every lesson, and a request that has nothing of them."""
    words = (
        "developer system role must alternate; reasoning_content required; tool_choice, strict, "
        "image url base64, tool_call_id length of 9, arguments object, response_format json_schema "
        "word 'json', effort, temperature must be 1, prefill, refusal, content empty, anyOf unknown"
    )
    plain = Dialect(name="plain", source="a test", merge_same_role=True)
    chat = translate(plain).chat

    assert learn(plain, chat, said(words)) is None
