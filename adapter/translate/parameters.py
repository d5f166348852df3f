"""Every request parameter and what becomes of it: one row each.

| policy | meaning |
|---|---|
| mapped | sent upstream, under its own or another name |
| handled | acted on here |
| echoed | shown in the response object, where the API says so, and not sent |
| ignored | accepted without effect |
| refused | a 400 that names it |

Parameters that depend on the dialect (`user`, `text.verbosity`, …) are mapped where it knows them.
Fields that the Responses API does not have but chat servers do (`top_k`, `seed`, …) pass through
unchanged; anything else follows the setting for unknown fields.

Source: sheet §3.
"""

from collections.abc import Collection, Sequence
from operator import attrgetter
from typing import Any, Literal

import msgspec

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.translate.extras import UnknownFields, add_extras, add_hints, add_verbosity
from adapter.types.decoding import missing_parameter, unsupported
from adapter.types.request import (
    ChatResponseFormat,
    JsonObjectFormat,
    JsonSchemaFormat,
    ResponseRequest,
)

Policy = Literal["mapped", "handled", "echoed", "ignored", "refused"]

POLICIES: dict[str, Policy] = {
    "model": "mapped",
    "input": "mapped",
    "input_items": "mapped",
    "instructions": "mapped",
    "previous_response_id": "handled",
    "conversation": "handled",
    "store": "handled",
    "background": "handled",
    "stream": "handled",
    "stream_options": "handled",
    "temperature": "mapped",
    "top_p": "mapped",
    "presence_penalty": "mapped",
    "frequency_penalty": "mapped",
    "top_logprobs": "mapped",
    "include": "handled",
    "max_output_tokens": "mapped",
    "max_tokens": "mapped",
    "max_completion_tokens": "mapped",
    "max_tool_calls": "handled",
    "tools": "mapped",
    "tool_choice": "mapped",
    "parallel_tool_calls": "mapped",
    "text": "mapped",
    "response_format": "mapped",
    "reasoning": "mapped",
    "truncation": "handled",
    "metadata": "echoed",
    "user": "mapped",
    "safety_identifier": "mapped",
    "prompt_cache_key": "mapped",
    "prompt_cache_retention": "mapped",
    "prompt_cache_options": "ignored",
    "service_tier": "mapped",
    "client_metadata": "ignored",
    "context_management": "handled",
    "prompt": "refused",
    "moderation": "ignored",
    "access_programs": "ignored",
    "image": "ignored",
    "personality": "ignored",
}

# What a history is looked up by.
REFERENCES = frozenset({"previous_response_id", "conversation"})
_REFUSALS = {
    "previous_response_id": "previous responses are not stored here; send the whole conversation",
    "conversation": "conversations are not stored here; send the whole conversation as `input`",
    "prompt": "stored prompts do not exist here; send `instructions` and `input`",
}
_SAMPLING = ("temperature", "top_p", "presence_penalty", "frequency_penalty")

# Most requests give none of them, and one comparison tells: a fifth of asking for each.
_SUPPORTED_IN_PART = (*_REFUSALS, "context_management", "background")
_in_part_of = attrgetter(*_SUPPORTED_IN_PART)
_sampling_of = attrgetter(*_SAMPLING)
_NONE_IN_PART = (None,) * len(_SUPPORTED_IN_PART)
_NO_SAMPLING = (None,) * len(_SAMPLING)

# All that parameters of a chat request come from: the shortest requests give none of them.
_TRANSLATED_ELSEWHERE = frozenset(
    {
        "model",
        "input",
        "input_items",
        "instructions",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
    }
)
_SOURCES = (
    "include",
    *(
        name
        for name, policy in POLICIES.items()
        if policy == "mapped" and name not in _TRANSLATED_ELSEWHERE
    ),
)
_sources_of = attrgetter(*_SOURCES)
_NO_SOURCES = (None,) * len(_SOURCES)


class Parameters(msgspec.Struct, frozen=True):
    """Chat parameters, and the names of request fields that were not sent.

    Attributes:
        chat: by their names on the wire.
        dropped: all that were not sent.
        downgrades: those of them that would have changed the answer.
    """

    chat: dict[str, Any]
    dropped: tuple[str, ...]
    downgrades: tuple[str, ...] = ()


def check_supported(request: ResponseRequest, *, has_history: bool = False) -> None:
    """Refuse what cannot be done.

    Args:
        request: the request.
        has_history: the caller has looked up what the request refers to.

    Raises:
        InvalidRequestError: `param` names the parameter.
    """
    if _in_part_of(request) == _NONE_IN_PART:
        return
    _check_refusable(request, has_history)
    for index, entry in enumerate(request.context_management or ()):
        if entry.type != "compaction":
            reason = f"{entry.type[:64]!r} is not known; there is compaction"
            raise unsupported(f"context_management[{index}].type", reason)
    if request.background:
        raise InvalidRequestError(
            "Unsupported value: 'background': background runs need a response store, and none is "
            "configured.",
            code="unsupported_value",
            param="background",
        )


def _check_refusable(request: ResponseRequest, has_history: bool) -> None:
    check_references(request)
    for name, reason in _REFUSALS.items():
        if getattr(request, name) is not None and not (has_history and name in REFERENCES):
            raise InvalidRequestError(
                f"Unsupported parameter: '{name}': {reason}.",
                code="unsupported_parameter",
                param=name,
            )


def check_references(request: ResponseRequest) -> None:
    """Refuse a request that goes on from two things.

    Raises:
        InvalidRequestError: it does.
    """
    if request.previous_response_id is not None and request.conversation is not None:
        raise InvalidRequestError(
            "Invalid 'conversation': it and 'previous_response_id' are mutually exclusive.",
            code="invalid_value",
            param="conversation",
        )


def to_chat_parameters(
    request: ResponseRequest,
    dialect: Dialect,
    unknown: UnknownFields = "ignore",
    pass_fields: Collection[str] = (),
) -> Parameters:
    """Translate everything but messages and tools.

    Args:
        request: the request.
        dialect: what the upstream knows.
        unknown: what to do with fields that nobody knows.
        pass_fields: fields of the provider's own that pass on unchanged; `*` is all.

    Raises:
        InvalidRequestError: an unknown field, where the setting rejects them.
    """
    chat: dict[str, Any] = {"stream": True, "stream_options": {"include_usage": True}}
    if _sources_of(request) == _NO_SOURCES and not request.extras and not pass_fields:
        return Parameters(chat, ())
    if (sampling := _sampling_of(request)) != _NO_SAMPLING:
        given = zip(_SAMPLING, sampling, strict=True)
        chat |= {name: value for name, value in given if value is not None}
    limit = request.max_output_tokens or request.max_completion_tokens or request.max_tokens
    if limit is not None:
        chat["max_completion_tokens"] = limit
    if wants_logprobs(request):
        chat["logprobs"] = True
        if request.top_logprobs:
            chat["top_logprobs"] = request.top_logprobs
    if request.reasoning is not None and request.reasoning.effort is not None:
        chat["reasoning_effort"] = request.reasoning.effort
    may_have_format = request.text or request.response_format
    if may_have_format and (response_format := _response_format(request)) is not None:
        chat["response_format"] = response_format
    hints = add_hints(chat, request, dialect.parameters, pass_fields)
    downgrades: Sequence[str] = ()
    if request.text is not None and request.text.verbosity is not None:
        downgrades = add_verbosity(chat, request.text.verbosity, dialect.parameters, pass_fields)
    dropped = add_extras(chat, request.extras, unknown, pass_fields) if request.extras else ()
    return Parameters(chat, (*hints, *downgrades, *dropped), tuple(downgrades))


def wants_logprobs(request: ResponseRequest) -> bool:
    """Tell whether the client asked for log probabilities, in either of the two ways."""
    return bool(request.top_logprobs) or "message.output_text.logprobs" in (request.include or ())


def _response_format(request: ResponseRequest) -> dict[str, Any] | None:
    format = request.text.format if request.text else None
    if format is None and request.response_format is not None:
        format = from_chat_format(request.response_format)
    match format:
        case JsonObjectFormat():
            return {"type": "json_object"}
        case JsonSchemaFormat():
            schema: dict[str, Any] = {"name": format.name, "schema": format.schema}
            if format.description is not None:
                schema["description"] = format.description
            if format.strict is not None:
                schema["strict"] = format.strict
            return {"type": "json_schema", "json_schema": schema}
        case _:
            return None


def from_chat_format(
    given: ChatResponseFormat,
) -> JsonObjectFormat | JsonSchemaFormat | None:
    """Return a chat-style `response_format` as `text.format`; plain text is None.

    Raises:
        InvalidRequestError: `json_schema` without its schema.
    """
    if given.type == "json_object":
        return JsonObjectFormat()
    if given.type == "text":
        return None
    if given.json_schema is None or given.json_schema.schema is None:
        raise missing_parameter("response_format.json_schema.schema")
    schema = given.json_schema
    assert schema.schema is not None
    return JsonSchemaFormat(
        schema.name or "response", schema.schema, schema.description, schema.strict
    )
