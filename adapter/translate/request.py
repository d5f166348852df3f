"""A Responses request to a chat request.

The pure half of the sans-IO pair (`adapter.stream.machine` is the other): decode, translate, and
report what could not be sent.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.tools.choice import choose_tools
from adapter.tools.kinds import OfferedTool
from adapter.tools.toolbox import HostedTools, Toolbox, open_toolbox
from adapter.translate.fit import fit
from adapter.translate.items import PlacedItem, read_input
from adapter.translate.messages import Conversation
from adapter.translate.parameters import UnknownFields, check_supported, to_chat_parameters
from adapter.types.chat import ChatRequest, ChatTool
from adapter.types.decoding import missing_parameter, unsupported
from adapter.types.input import MessageItem
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

Downgrades = Literal["allow", "refuse"]


class Translation(msgspec.Struct, frozen=True):
    """A chat request and what to remember until its answer comes.

    Attributes:
        chat: the request to send.
        toolbox: all tools of the request; its `echo` goes into the response object.
        tool_choice: the `tool_choice` of the response object.
        max_calls: the most calls to accept in one turn, or None.
        answer_schema: the JSON schema that the answer must fit, if the upstream does not see to it.
        dropped: paths of what was not sent.
        adapted: paths of what was sent in another form.
    """

    chat: ChatRequest
    toolbox: Toolbox
    tool_choice: Any
    max_calls: int | None
    answer_schema: dict[str, Any] | None
    dropped: tuple[str, ...]
    adapted: tuple[str, ...]


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are translated, whatever the upstream is.

    Attributes:
        unknown: what to do with fields that nobody knows.
        hosted: what to do with tools that only a hosting server could run.
        downgrades: send in another form what the upstream does not take as it is, and say so; or
            refuse it.
        pass_fields: fields of the provider's own that pass on unchanged; `*` is all.
        body: fields to add where the client gives none.
        open_sealed: (encrypted content) to the reasoning that we sealed, or None if it is not ours.
    """

    unknown: UnknownFields = "ignore"
    hosted: HostedTools = "drop"
    downgrades: Downgrades = "allow"
    pass_fields: frozenset[str] = frozenset()
    body: dict[str, Any] = {}
    open_sealed: Callable[[str], str | None] | None = None


_DEFAULTS = Options()


def to_chat_request(
    request: ResponseRequest,
    dialect: Dialect,
    *,
    model: str | None = None,
    history: Sequence[PlacedItem] = (),
    options: Options = _DEFAULTS,
) -> Translation:
    """Translate a request.

    Args:
        request: the decoded request.
        dialect: what the upstream takes.
        model: what the upstream calls the model, if not what the client does.
        history: items of earlier responses, in order, before the request's own.
        options: how requests are translated, whatever the upstream is.

    Raises:
        InvalidRequestError: something cannot be translated; `param` is its path.
    """
    check_supported(request)
    given = read_input(request.input, "input")
    if not given.items and is_given(request.input_items):
        given = read_input(request.input_items, "input_items")
    if not given.items and not history:
        raise _no_input(given.skipped)
    parameters = to_chat_parameters(request, dialect, options.unknown, options.pass_fields)
    toolbox = open_toolbox(request.tools or (), found=given.tools, hosted=options.hosted)
    chosen = choose_tools(request.tool_choice, toolbox)
    chat = {**options.body, **parameters.chat}
    if chosen.tools:
        chat["tools"] = [_chat_tool(tool) for tool in chosen.tools]
        if chosen.choice is not None:
            chat["tool_choice"] = chosen.choice
        if request.parallel_tool_calls is not None:
            chat["parallel_tool_calls"] = request.parallel_tool_calls
    conversation = Conversation(dialect, options.open_sealed)
    messages = conversation.build([*_instructions(request), *history, *given.items])
    if not messages:
        raise _no_input([])
    assert request.model is not None  # checked when it was decoded
    fitted = fit(ChatRequest(model or request.model, tuple(messages), chat), dialect)
    if options.downgrades == "refuse":
        _refuse_downgrades([*parameters.downgrades, *fitted.dropped, *fitted.adapted])
    return Translation(
        chat=fitted.request(),
        toolbox=toolbox,
        tool_choice=chosen.echo,
        max_calls=1 if request.parallel_tool_calls is False else None,
        answer_schema=fitted.answer_schema,
        dropped=(
            *parameters.dropped,
            *toolbox.dropped,
            *given.skipped,
            *conversation.dropped,
            *fitted.dropped,
        ),
        adapted=(*conversation.adapted, *fitted.adapted),
    )


def _refuse_downgrades(paths: Sequence[str]) -> None:
    if paths:
        raise unsupported(paths[0], "is not taken as it is by the upstream of this model")


def _instructions(request: ResponseRequest) -> list[PlacedItem]:
    if not request.instructions:
        return []
    return [PlacedItem(MessageItem("developer", request.instructions), "instructions")]


def _chat_tool(tool: OfferedTool) -> ChatTool:
    return ChatTool(tool.definition)


def _no_input(skipped: Sequence[str]) -> InvalidRequestError:
    if not skipped:
        return missing_parameter("input")
    return InvalidRequestError(
        "Invalid 'input': none of its items can be sent to a chat model.",
        code="invalid_value",
        param="input",
    )
