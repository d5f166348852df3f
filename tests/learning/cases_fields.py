"""Fields and values that upstreams refuse: `reported.md` §3.3."""

from typing import Any

from tests.learning.bodies import (
    cerebras,
    detail,
    fastapi,
    gemini,
    groq,
    in_stream,
    minimax,
    minimax_stream,
    mistral,
    ollama,
    openai,
    openrouter,
    plain,
    sglang,
    vllm,
)
from tests.learning.case import Body, Case, sends
from tests.servers.answers import Answer

TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
EXTRA = "Extra inputs are not permitted"


def unknown(field: str) -> tuple[Answer, ...]:
    """Return how servers say that they do not have a field."""
    return (
        openai(f"Unrecognized request argument supplied: {field}"),
        openai(f"Unknown parameter: '{field}'.", field, "unknown_parameter"),
        openai(
            f"Unsupported parameter: '{field}' is not supported with this model.",
            field,
            "unsupported_parameter",
        ),
        openai(
            "Failed to deserialize the JSON body into the target type: unknown field "
            f"`{field}`, expected one of `messages`, `model` at line 1 column 9"
        ),
        vllm(f"{field} is not supported by this server.", field),
        sglang(f"1 validation error for ChatCompletionRequest\n{field}\n  {EXTRA}"),
        detail(f"Unexpected fields in the request: {{'{field}'}}"),
        fastapi(EXTRA, field),
        mistral(EXTRA, field),
        gemini(f'Invalid JSON payload received. Unknown name "{field}": Cannot find field.'),
        groq(f"property '{field}' is unsupported, did you mean 'temperature'?"),
        cerebras(f"The following parameters are not supported: ['{field}']"),
        cerebras(f"property 'body.{field}' is unsupported"),
        minimax(f"invalid params, unknown param: {field} (2013)"),
        minimax_stream(f"invalid params, unsupported param '{field}' (2013)"),
        in_stream(f"The parameter `{field}` is not supported."),
        openrouter(f"Unsupported parameter: '{field}' is not supported with this model."),
        plain(f"Additional properties are not allowed ('{field}' was unexpected)"),
    )


def simple(
    field: str,
    value: Any,
    told: str | None = None,
    *,
    dialect: str = "generic",
    fields: Body | None = None,
) -> Case:
    """Return the case of a field that is not known at all."""
    asked = {field: value} if fields is None else fields
    return Case(field, asked, sends(field), unknown(field), f"dropped: {told or field}", dialect)


UNKNOWN = (
    simple("temperature", 0.5),
    simple("top_p", 0.5),
    simple("frequency_penalty", 0.5),
    simple("presence_penalty", 0.5),
    simple("logit_bias", {"50256": -100}),
    simple("seed", 7),
    simple("stop", ["END"]),
    simple("top_k", 5),
    simple("min_p", 0.1),
    simple("repetition_penalty", 1.1),
    simple("chat_template_kwargs", {"a": 1}),
    simple("parallel_tool_calls", True, fields={"parallel_tool_calls": True, "tools": [TOOL]}),
    simple("logprobs", 2, "top_logprobs", fields={"top_logprobs": 2}),
    simple("top_logprobs", 2),
    simple("stream_options", {}, fields={}),
    simple("reasoning_effort", "low", "reasoning.effort", fields={"reasoning": {"effort": "low"}}),
    simple("user", "u", dialect="openai"),
    simple("safety_identifier", "s", dialect="openai"),
    simple("prompt_cache_key", "k", dialect="openai"),
    simple("prompt_cache_retention", "24h", dialect="openai"),
    simple("service_tier", "flex", dialect="openai"),
    simple(
        "verbosity",
        "low",
        "text.verbosity",
        dialect="openai",
        fields={"text": {"verbosity": "low"}},
    ),
    simple(
        "enable_thinking",
        False,
        "reasoning.effort",
        dialect="dashscope",
        fields={"reasoning": {"effort": "low"}},
    ),
)


def limit(dialect: str, name: str, *answers: Answer) -> Case:
    return Case(
        f"{name} for another name",
        {"max_output_tokens": 9},
        sends(name),
        (*unknown(name), *answers),
        "adapted: max_output_tokens",
        dialect,
    )


LIMITS = (
    limit("openai", "max_completion_tokens"),
    limit(
        "generic",
        "max_tokens",
        openai(
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
            "'max_completion_tokens' instead.",
            "max_tokens",
            "unsupported_parameter",
        ),
        openai("max_tokens is deprecated, please use max_completion_tokens"),
        openai("'max_tokens' must be replaced: use max_completion_tokens instead"),
    ),
)


def differs(field: str, value: Any) -> Any:
    return lambda body: field in body and body[field] != value


def between(field: str, least: float, greatest: float) -> Any:
    return lambda body: field in body and not least <= body[field] <= greatest


NUMBERS = (
    Case(
        "temperature has one value",
        {"temperature": 0.5},
        differs("temperature", 1),
        (
            openai(
                "Unsupported value: 'temperature' does not support 0.5 with this model. Only the "
                "default (1) value is supported.",
                "temperature",
                "unsupported_value",
            ),
            openai("invalid temperature: only 1 is allowed for this model"),
            openai("`temperature` may only be set to 1 when thinking is enabled."),
            vllm("temperature must be 1.0 for this model.", "temperature"),
        ),
        "dropped: temperature",
    ),
    Case(
        "top_p has one value",
        {"top_p": 0.5},
        differs("top_p", 0.95),
        (
            openai("invalid top_p: only 0.95 is allowed for this model"),
            openai("top_p must be 0.95"),
            openai("The value of top_p is fixed for this model."),
        ),
        "dropped: top_p",
    ),
    Case(
        "temperature ends earlier",
        {"temperature": 2},
        between("temperature", 0, 1),
        (
            openai("invalid temperature: must be in range [0, 1]"),
            openai("temperature must be between 0 and 1, got 2.0"),
            openai("temperature: range: 0..1 expected; from 0 to 1"),
            mistral(
                "Input should be less than or equal to 1", "temperature", kind="less_than_equal"
            ),
            fastapi("ensure this value is less than or equal to 1", "temperature", kind="value"),
            vllm("temperature cannot be greater than 1.0, got 2.0.", "temperature"),
            minimax("invalid params, temperature should be <= 1 (2013)"),
            groq("'temperature' : maximum value is 1"),
        ),
        "adapted: temperature",
    ),
    Case(
        "temperature begins above zero",
        {"temperature": 0},
        lambda body: "temperature" in body and not 0 < body["temperature"] <= 2,
        (
            minimax("invalid params, temperature must be in (0, 2] (2013)"),
            openai("temperature must be greater than 0"),
            detail("`temperature` must be strictly positive; it has to be > 0"),
            openai("temperature: must not be less than 0.01"),
        ),
        "adapted: temperature",
    ),
    Case(
        "top_p is open at both ends",
        {"top_p": 1},
        lambda body: "top_p" in body and not 0 < body["top_p"] < 1,
        (
            detail("Input validation error: `top_p` must be > 0.0 and < 1.0. Got 1.0"),
            openai("top_p must be in the interval (0, 1)"),
            openai("top_p: should be less than 1"),
        ),
        "adapted: top_p",
    ),
    Case(
        "fewer logprobs",
        {"top_logprobs": 20},
        between("top_logprobs", 0, 5),
        (
            mistral(
                "Input should be less than or equal to 5", "top_logprobs", kind="less_than_equal"
            ),
            vllm("Requested top_logprobs of 20, which is greater than max allowed: 5"),
            detail("`top_logprobs` must be at most 5"),
        ),
        "adapted: top_logprobs",
    ),
    Case(
        "one of the two alone",
        {"temperature": 0.5, "top_p": 0.5},
        lambda body: "temperature" in body and "top_p" in body,
        (
            openai(
                "`temperature` and `top_p` cannot both be specified for this model. Please use only "
                "one."
            ),
        ),
        "dropped: top_p",
    ),
)

VALUES = (
    Case(
        "parallel_tool_calls true",
        {"parallel_tool_calls": True, "tools": [TOOL]},
        lambda body: body.get("parallel_tool_calls") is True,
        (
            openai("This model only supports single tool-calls at once!"),
            openai("Parallel tool calls are not supported by this model."),
            openai("parallel_tool_calls: invalid value", "parallel_tool_calls"),
        ),
        "dropped: parallel_tool_calls",
    ),
    Case(
        "service_tier of another kind",
        {"service_tier": "flex"},
        lambda body: body.get("service_tier") == "flex",
        (openai("Invalid service_tier argument", "service_tier"),),
        "dropped: service_tier",
        "openai",
    ),
)


def effort(name: str, sent: str, known: tuple[str, ...], *answers: Answer) -> Case:
    return Case(
        name,
        {"reasoning": {"effort": sent}},
        lambda body: body.get("reasoning_effort", known[0]) not in known,
        answers,
        "adapted: reasoning.effort",
    )


EFFORTS = (
    effort(
        "effort too low",
        "minimal",
        ("low", "medium", "high", "xhigh"),
        openai(
            "Unsupported value: 'reasoning_effort' does not support 'minimal' with this model. "
            "Supported values are: 'low', 'medium', 'high', and 'xhigh'.",
            "reasoning_effort",
            "unsupported_value",
        ),
        vllm("Input should be 'low', 'medium', 'high' or 'xhigh'", "reasoning_effort"),
        fastapi("Input should be 'low', 'medium' or 'high'", "reasoning_effort", kind="literal"),
        openai("reasoning_effort must be one of: low, medium, high"),
        ollama('invalid reasoning value: \'minimal\' (must be "high", "medium", "low")'),
    ),
    effort(
        "effort too high",
        "max",
        ("low", "medium", "high"),
        openai("Invalid value for reasoning_effort: max", "reasoning_effort"),
        openrouter("reasoning_effort 'max' is not supported"),
        openai(
            "`reasoning_effort`: unknown variant `max`, expected one of `low`, `medium`, `high`"
        ),
    ),
    effort(
        "effort none",
        "none",
        ("low", "high"),
        openai("Invalid request: reasoning_effort does not accept none"),
        openai("reasoning_effort: 'none' is not a valid effort"),
        openai("Reasoning effort must be `low` or `high`"),
    ),
    effort(
        "effort that has a hole",
        "high",
        ("low", "medium", "xhigh"),
        sglang("reasoning_effort must be one of low, medium, xhigh"),
    ),
    effort(
        "effort of Groq",
        "low",
        ("none", "default"),
        groq("`reasoning_effort` must be one of `none` or `default`"),
    ),
)

FIELD_CASES = (*UNKNOWN, *LIMITS, *NUMBERS, *VALUES, *EFFORTS)
