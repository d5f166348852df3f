"""The response object before there is an answer: what was asked, echoed.

Source: sheet §3 (the default of each parameter) and §6.
"""

from operator import attrgetter
from typing import Any

import msgspec
from msgspec import UNSET

from adapter.translate.parameters import from_chat_format
from adapter.translate.request import Translation
from adapter.types.request import JsonSchemaFormat, ReasoningOptions, ResponseRequest
from adapter.types.response import ConversationId, Response

# They have a default of their own; most requests give none, and one comparison tells.
_SETTINGS = (
    "truncation",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "top_logprobs",
    "temperature",
)
_settings_of = attrgetter(*_SETTINGS)
_NO_SETTINGS = (None,) * len(_SETTINGS)
_PLAIN_TEXT = {"format": {"type": "text"}, "verbosity": "medium"}
_NO_REASONING = {"effort": None, "summary": None}


def to_response(
    request: ResponseRequest,
    translation: Translation,
    *,
    id: str,
    created_at: int,
    store: bool = False,
    background: bool = False,
) -> Response:
    """Return the response in progress.

    Args:
        request: what the client asked.
        translation: what became of it.
        id: id of the response.
        created_at: seconds since the epoch.
        store: the response will be kept.
        background: it runs in the background.
    """
    response = Response(
        id=id,
        created_at=created_at,
        status="in_progress",
        model=request.model or "",
        previous_response_id=request.previous_response_id,
        instructions=request.instructions,
        tools=translation.toolbox.echo,
        tool_choice=translation.tool_choice,
        parallel_tool_calls=request.parallel_tool_calls is not False,
        text=_text(request) if request.text or request.response_format else _PLAIN_TEXT,
        reasoning=_reasoning(request.reasoning) if request.reasoning else _NO_REASONING,
        max_output_tokens=request.max_output_tokens
        or request.max_completion_tokens
        or request.max_tokens,
        max_tool_calls=request.max_tool_calls,
        store=store,
        background=background,
        metadata=request.metadata or {},
        safety_identifier=request.safety_identifier,
        prompt_cache_key=request.prompt_cache_key,
        user=request.user,
        conversation=UNSET if request.conversation is None else _conversation(request.conversation),
    )
    settings = _settings_of(request)
    if settings == _NO_SETTINGS:
        return response
    given = {
        name: value for name, value in zip(_SETTINGS, settings, strict=True) if value is not None
    }
    return msgspec.structs.replace(response, **given)


def _conversation(given: str | dict[str, Any]) -> ConversationId:
    return ConversationId(given if isinstance(given, str) else given["id"])


def _text(request: ResponseRequest) -> dict[str, Any]:
    format = request.text.format if request.text else None
    if format is None and request.response_format is not None:
        format = from_chat_format(request.response_format)
    echo: dict[str, Any] = {"format": {"type": "text"} if format is None else _format(format)}
    echo["verbosity"] = (request.text.verbosity if request.text else None) or "medium"
    return echo


def _format(format: msgspec.Struct) -> Any:
    if not isinstance(format, JsonSchemaFormat):
        return format
    return {
        "type": "json_schema",
        "name": format.name,
        "description": format.description,
        "schema": format.schema,
        "strict": bool(format.strict),
    }


def _reasoning(given: ReasoningOptions) -> dict[str, Any]:
    echo: dict[str, Any] = {
        "effort": given.effort,
        "summary": given.summary or given.generate_summary,
    }
    if given.context is not None:
        echo["context"] = given.context
    if given.mode is not None:
        echo["mode"] = given.mode
    return echo
