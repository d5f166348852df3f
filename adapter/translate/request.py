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
from adapter.translate.compaction import expand
from adapter.translate.extras import UnknownFields, kept_fields
from adapter.translate.fit import fit
from adapter.translate.items import TRIGGER, PlacedItem, read_input
from adapter.translate.messages import Conversation
from adapter.translate.parameters import check_supported, to_chat_parameters
from adapter.translate.replay import History
from adapter.types.chat import ChatRequest, ChatTool
from adapter.types.decoding import missing_parameter, unsupported
from adapter.types.input import Call, MessageItem
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
        call_ids: of the calls in the conversation, none of which may be given to another call.
        answer_schema: the JSON schema that the answer must fit, if the upstream does not see to it.
        dropped: paths of what was not sent.
        adapted: paths of what was sent in another form.
    """

    chat: ChatRequest
    toolbox: Toolbox
    tool_choice: Any
    max_calls: int | None
    call_ids: frozenset[str]
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
        open_compaction: the same for the summary of a conversation.
    """

    unknown: UnknownFields = "ignore"
    hosted: HostedTools = "drop"
    downgrades: Downgrades = "allow"
    pass_fields: frozenset[str] = frozenset()
    body: dict[str, Any] = {}
    open_sealed: Callable[[str], str | None] | None = None
    open_compaction: Callable[[str], str | None] | None = None


_DEFAULTS = Options()
_NO_HISTORY = History()


def to_chat_request(
    request: ResponseRequest,
    dialect: Dialect,
    *,
    model: str | None = None,
    history: History | None = None,
    needs_input: bool = True,
    options: Options = _DEFAULTS,
) -> Translation:
    """Translate a request.

    Args:
        request: the decoded request.
        dialect: what the upstream takes.
        model: what the upstream calls the model, if not what the client does.
        history: what was said before, if the caller has looked up what the request refers to
            (`previous_response_id`); without it, such a request is refused.
        needs_input: refuse a request that says nothing. Only one that is not sent may say nothing.
        options: how requests are translated, whatever the upstream is.

    Raises:
        InvalidRequestError: something cannot be translated; `param` is its path.
    """
    check_supported(request, has_history=history is not None)
    history = history or _NO_HISTORY
    given = read_input(request.input, "input")
    if not given.items and is_given(request.input_items):
        given = read_input(request.input_items, "input_items")
    if given.triggers:
        raise _misplaced_trigger(given.triggers[0])
    if needs_input and not given.items and not history.items:
        raise _no_input(given.skipped)
    parameters = to_chat_parameters(request, dialect, options.unknown, options.pass_fields)
    found = [*history.tools, *given.tools]
    toolbox = open_toolbox(request.tools or (), found=found, hosted=options.hosted)
    chosen = choose_tools(request.tool_choice, toolbox)
    chat = {**options.body, **parameters.chat}
    if chosen.tools:
        chat["tools"] = [_chat_tool(tool) for tool in chosen.tools]
        if chosen.choice is not None:
            chat["tool_choice"] = chosen.choice
        if request.parallel_tool_calls is not None:
            chat["parallel_tool_calls"] = request.parallel_tool_calls
    conversation = Conversation(dialect, options.open_sealed)
    items = [*_instructions(request), *history.items, *given.items]
    items, superseded = expand(items, options.open_compaction)
    messages = conversation.build(items)
    if needs_input and not messages:
        raise _no_input([])
    assert request.model is not None  # checked when it was decoded
    fitted = fit(
        ChatRequest(model or request.model, tuple(messages), chat),
        dialect,
        kept=kept_fields(request, options.pass_fields) | options.body.keys(),
    )
    if options.downgrades == "refuse":
        changed = [*fitted.dropped, *fitted.adapted]
        _refuse_downgrades(
            [*parameters.downgrades, *(path for path in changed if path not in fitted.lossless)]
        )
    return Translation(
        chat=fitted.request(),
        toolbox=toolbox,
        tool_choice=chosen.echo,
        max_calls=1 if request.parallel_tool_calls is False else None,
        call_ids=frozenset(
            placed.item.call_id for placed in items if isinstance(placed.item, Call)
        ),
        answer_schema=fitted.answer_schema,
        dropped=(
            *parameters.dropped,
            *toolbox.dropped,
            *given.skipped,
            *superseded,
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


def _misplaced_trigger(at: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid '{at}': a {TRIGGER} is the last item of a request, or there is none.",
        code="invalid_value",
        param=at,
    )


def _no_input(skipped: Sequence[str]) -> InvalidRequestError:
    if not skipped:
        return missing_parameter("input")
    return InvalidRequestError(
        "Invalid 'input': none of its items can be sent to a chat model.",
        code="invalid_value",
        param="input",
    )
