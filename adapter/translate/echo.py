"""The response object before there is an answer: what was asked, echoed.

Source: sheet §3 (the default of each parameter) and §6.
"""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from adapter.translate.parameters import from_chat_format
from adapter.translate.request import Translation
from adapter.types.request import JsonSchemaFormat, ResponseRequest
from adapter.types.response import ConversationId, Response

_DEFAULTS = Response(id="", created_at=0, status="in_progress", model="", text={}, reasoning={})


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
    return Response(
        id=id,
        created_at=created_at,
        status="in_progress",
        model=request.model or "",
        previous_response_id=request.previous_response_id,
        instructions=request.instructions,
        tools=translation.toolbox.echo,
        tool_choice=translation.tool_choice,
        truncation=_given(request, "truncation"),
        parallel_tool_calls=_given(request, "parallel_tool_calls"),
        text=_text(request),
        top_p=_given(request, "top_p"),
        presence_penalty=_given(request, "presence_penalty"),
        frequency_penalty=_given(request, "frequency_penalty"),
        top_logprobs=_given(request, "top_logprobs"),
        temperature=_given(request, "temperature"),
        reasoning=_reasoning(request),
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
        conversation=_conversation(request),
    )


def _given(request: ResponseRequest, name: str) -> Any:
    value = getattr(request, name)
    return getattr(_DEFAULTS, name) if value is None else value


def _conversation(request: ResponseRequest) -> ConversationId | UnsetType:
    given = request.conversation
    if given is None:
        return UNSET
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


def _reasoning(request: ResponseRequest) -> dict[str, Any]:
    given = request.reasoning
    if given is None:
        return {"effort": None, "summary": None}
    echo: dict[str, Any] = {
        "effort": given.effort,
        "summary": given.summary or given.generate_summary,
    }
    for name in ("context", "mode"):
        if (value := getattr(given, name)) is not None:
            echo[name] = value
    return echo
