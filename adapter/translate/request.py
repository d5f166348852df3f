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
from adapter.tools.custom import as_given
from adapter.tools.kinds import GrammarInput, OfferedTool
from adapter.tools.toolbox import HostedListing, HostedTools, Toolbox, open_toolbox
from adapter.translate.approvals import Settled, settle, with_chat_names
from adapter.translate.compaction import expand
from adapter.translate.extras import UnknownFields, kept_fields
from adapter.translate.fit import fit
from adapter.translate.items import TRIGGER, PlacedItem, read_input
from adapter.translate.messages import Conversation
from adapter.translate.parameters import REFERENCES, check_supported, to_chat_parameters
from adapter.translate.replay import History
from adapter.translate.truncation import drop_oldest
from adapter.types.chat import ChatRequest, ChatTool
from adapter.types.decoding import missing_parameter, unsupported
from adapter.types.input import Call, MessageItem
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

# Of grammars in one request, in characters together and by number: reading one of 64 KB takes up to
# 0.3 s (CPython 3.11, November 2026), and 30 MB of them fit into a body. Codex sends one.
MAX_GRAMMAR_CHARS = 128 * 1024
MAX_GRAMMARS = 32

Downgrades = Literal["allow", "refuse"]
CustomGrammars = Literal["describe", "enforce", "repair"]


class Translation(msgspec.Struct, frozen=True):
    """A chat request and what to remember until its answer comes.

    Attributes:
        chat: the request to send.
        toolbox: all tools of the request; its `echo` goes into the response object.
        tool_choice: the `tool_choice` of the response object.
        max_calls: the most calls to accept in one turn, or None.
        call_ids: of the calls in the conversation, none of which may be given to another call.
        settled: what the conversation says of tools of MCP servers.
        answer_schema: the JSON schema that the answer must fit, if the upstream does not see to it.
        text_call: the function whose call the answer's text stands for, or None.
        checks_inputs: inputs of custom tools are to be checked against their grammars, because the
            upstream does not see to it.
        dropped: paths of what was not sent.
        adapted: paths of what was sent in another form.
        truncated: which share of the request was left out because all of it would not fit.
    """

    chat: ChatRequest
    toolbox: Toolbox
    tool_choice: Any
    max_calls: int | None
    call_ids: frozenset[str]
    settled: Settled
    answer_schema: dict[str, Any] | None
    dropped: tuple[str, ...]
    adapted: tuple[str, ...]
    truncated: float = 0.0
    text_call: str | None = None
    checks_inputs: bool = False


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How requests are translated, whatever the upstream is.

    Attributes:
        unknown: what to do with fields that nobody knows.
        hosted: what to do with tools that only a hosting server could run.
        runs: types of hosted tools that are run here all the same.
        custom_grammars: what to do with the grammars of custom tools beyond describing them:
            nothing, `enforce` them where the upstream can, or `repair` as well what does not fit.
        downgrades: send in another form what the upstream does not take as it is, and say so; or
            refuse it.
        pass_fields: fields of the provider's own that pass on unchanged; `*` is all.
        body: fields to add where the client gives none.
        open_sealed: (encrypted content) to the reasoning that we sealed, or None if it is not ours.
        open_compaction: the same for the summary of a conversation.
        compacts: what `context_management` asks for is done; otherwise it is reported as dropped.
    """

    unknown: UnknownFields = "ignore"
    hosted: HostedTools = "drop"
    runs: frozenset[str] = frozenset()
    custom_grammars: CustomGrammars = "enforce"
    downgrades: Downgrades = "allow"
    pass_fields: frozenset[str] = frozenset()
    body: dict[str, Any] = {}
    open_sealed: Callable[[str], str | None] | None = None
    open_compaction: Callable[[str], str | None] | None = None
    compacts: bool = False


class Progress(msgspec.Struct, frozen=True):
    """What came of a request since it was made, if tools are run for it here.

    Attributes:
        said: what its response has said, and what came of its calls.
        listing: which tools there are; None while that is not known.
        has_called: tools were run here for it.
        may_call: the model may still call tools that are run here.
        must_call: the function that has to be called now, whatever the request chose.
    """

    said: tuple[PlacedItem, ...] = ()
    listing: HostedListing | None = None
    has_called: bool = False
    may_call: bool = True
    must_call: str | None = None


_encode = msgspec.json.Encoder().encode
_DEFAULTS = Options()
_NOTHING_YET = Progress()
_NO_HISTORY = History()


def to_chat_request(
    request: ResponseRequest,
    dialect: Dialect,
    *,
    model: str | None = None,
    history: History | None = None,
    needs_input: bool = True,
    options: Options = _DEFAULTS,
    drop_share: float = 0.0,
    progress: Progress = _NOTHING_YET,
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
        drop_share: how much of the request is to be left out, the oldest first; see `truncation`.
        progress: what came of it, to ask for the next turn.

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
    toolbox = open_toolbox(
        request.tools or (),
        found=found,
        hosted=options.hosted,
        runs=options.runs,
        listing=progress.listing,
    )
    chosen = choose_tools(request.tool_choice, toolbox, is_first=not progress.has_called)
    tools = [tool for tool in chosen.tools if progress.may_call or not tool.runs_here]
    chat = {**options.body, **parameters.chat}
    if tools:
        chat["tools"] = [_chat_tool(tool) for tool in tools]
        if progress.must_call is not None:
            chat["tool_choice"] = {"type": "function", "function": {"name": progress.must_call}}
        elif chosen.choice is not None:
            chat["tool_choice"] = chosen.choice
        if request.parallel_tool_calls is not None:
            chat["parallel_tool_calls"] = request.parallel_tool_calls
    conversation = Conversation(dialect, options.open_sealed)
    settled = settle([*_instructions(request), *history.items, *given.items, *progress.said])
    items = with_chat_names(settled.items, toolbox)
    items, superseded = expand(items, options.open_compaction)
    shortened = drop_oldest(items, drop_share, other_bytes=len(_encode(chat)) if drop_share else 0)
    items = list(shortened.items)
    messages = conversation.build(items)
    if needs_input and not messages:
        raise _no_input([])
    assert request.model is not None  # checked when it was decoded
    grammars = _grammars(tools, options)
    fitted = fit(
        ChatRequest(model or request.model, tuple(messages), chat),
        dialect,
        kept=kept_fields(request, options.pass_fields) | options.body.keys(),
        grammars=grammars,
    )
    if options.downgrades == "refuse":
        changed = [*fitted.dropped, *fitted.adapted]
        _refuse_downgrades(
            [*parameters.downgrades, *(path for path in changed if path not in fitted.lossless)]
        )
    return Translation(
        chat=fitted.request(),
        toolbox=_as_asked(toolbox, fitted.text_call),
        tool_choice=chosen.echo,
        max_calls=1 if request.parallel_tool_calls is False else None,
        call_ids=frozenset(
            placed.item.call_id for placed in items if isinstance(placed.item, Call)
        ),
        settled=settled,
        answer_schema=fitted.answer_schema,
        dropped=(
            *parameters.dropped,
            *(
                ["context_management"]
                if request.context_management and not options.compacts
                else ()
            ),
            *toolbox.dropped,
            *given.skipped,
            *superseded,
            *_places(shortened.dropped, request),
            *conversation.dropped,
            *fitted.dropped,
        ),
        adapted=(*conversation.adapted, *fitted.adapted),
        truncated=shortened.share,
        text_call=fitted.text_call,
        checks_inputs=bool(grammars)
        and options.custom_grammars == "repair"
        and fitted.text_call is None,
    )


def _grammars(tools: Sequence[OfferedTool], options: Options) -> dict[str, GrammarInput]:
    """Return what inputs have to fit, within bounds; the model is told of the others all the same."""
    if options.custom_grammars == "describe":
        return {}
    grammars: dict[str, GrammarInput] = {}
    left = MAX_GRAMMAR_CHARS
    for tool in tools:
        if tool.grammar is None or len(grammars) == MAX_GRAMMARS:
            continue
        left -= len(tool.grammar.definition)
        if left < 0:
            break
        grammars[tool.definition.name] = tool.grammar
    return grammars


def _as_asked(toolbox: Toolbox, text_call: str | None) -> Toolbox:
    """Return the tools, of which one may be asked for by its input alone."""
    if text_call is None:
        return toolbox
    asked = {text_call: as_given(toolbox.offered[text_call])}
    return msgspec.structs.replace(toolbox, offered={**toolbox.offered, **asked})


def _places(items: Sequence[PlacedItem], request: ResponseRequest) -> list[str]:
    """Return where items stand in the request; those of the history have one place in common."""
    if not items:
        return []
    history = next((name for name in REFERENCES if getattr(request, name) is not None), "")
    return list(dict.fromkeys(at for placed in items if (at := placed.at or history)))


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
