"""A Responses request to a chat request.

The pure half of the sans-IO pair (`adapter.stream.machine` is the other): decode, translate, and
report what could not be sent.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.errors import InvalidRequestError
from adapter.tools.choice import ChosenTools, choose_tools
from adapter.tools.kept import KeptTools
from adapter.tools.kinds import OfferedTool
from adapter.tools.toolbox import HostedListing, HostedTools, Toolbox, open_toolbox
from adapter.translate.approvals import OF_SERVERS, Settled, settle, with_chat_names
from adapter.translate.compaction import expand
from adapter.translate.extras import UnknownFields, kept_fields
from adapter.translate.fit import Draft, fit
from adapter.translate.items import TRIGGER, PlacedItem, kinds_of, read_input
from adapter.translate.messages import Conversation
from adapter.translate.offer import as_asked, grammars_of, tool_parameters
from adapter.translate.parameters import REFERENCES, check_supported, to_chat_parameters
from adapter.translate.replay import History
from adapter.translate.truncation import drop_oldest
from adapter.types.chat import ChatRequest
from adapter.types.decoding import missing_parameter, unsupported
from adapter.types.input import CompactionItem, MessageItem
from adapter.types.raw import is_given
from adapter.types.request import ResponseRequest

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
        seals: reasoning can be sealed for the client to carry; the same otherwise.
        kept_tools: the tools of the last requests, or None to read those of each.
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
    seals: bool = True
    kept_tools: KeptTools | None = None


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
_NO_TOOLS = Toolbox()
# What `include` names, to have it with reasoning items.
SEALED = "reasoning.encrypted_content"
_NOTHING_CHOSEN = ChosenTools((), None, "auto")


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
    toolbox, chosen = _NO_TOOLS, _NOTHING_CHOSEN
    tools: Sequence[OfferedTool] = ()
    if request.tools or history.tools or given.tools or request.tool_choice:
        found = [*history.tools, *given.tools]
        toolbox, chosen, tools = _open_tools(request, found, options, progress)
    chat = {**options.body, **parameters.chat}
    if tools:
        chat |= tool_parameters(request, tools, chosen.choice, progress.must_call)
    conversation = Conversation(dialect, options.open_sealed)
    said = [*history.items, *given.items, *progress.said]
    if request.instructions:
        said.insert(0, PlacedItem(MessageItem("developer", request.instructions), "instructions"))
    settled, items, superseded = _as_shown(said, toolbox, options)
    truncated = 0.0
    left_out: Sequence[str] = ()
    if drop_share:
        shortened = drop_oldest(items, drop_share, other_bytes=len(_encode(chat)))
        items, truncated = shortened.items, shortened.share
        left_out = _places(shortened.dropped, request)
    messages = conversation.build(items)
    if needs_input and not messages:
        raise _no_input([])
    assert request.model is not None  # checked when it was decoded
    grammars = grammars_of(tools) if tools and options.custom_grammars != "describe" else {}
    draft = Draft(
        model or request.model,
        messages,
        chat,
        kept_fields(request, options.pass_fields, options.body),
        grammars,
    )
    fit(draft, dialect)
    if options.downgrades == "refuse":
        changed = [*draft.dropped, *draft.adapted]
        _refuse_downgrades(
            [*parameters.downgrades, *(path for path in changed if path not in draft.lossless)]
        )
    return Translation(
        chat=draft.request(),
        toolbox=toolbox if draft.text_call is None else as_asked(toolbox, draft.text_call),
        tool_choice=chosen.echo,
        max_calls=1 if request.parallel_tool_calls is False else None,
        call_ids=frozenset(conversation.call_ids),
        settled=settled,
        answer_schema=draft.answer_schema,
        dropped=(
            *parameters.dropped,
            *_left_undone(request, options),
            *toolbox.dropped,
            *given.skipped,
            *superseded,
            *left_out,
            *conversation.dropped,
            *draft.dropped,
        ),
        adapted=(*conversation.adapted, *draft.adapted),
        truncated=truncated,
        text_call=draft.text_call,
        checks_inputs=bool(grammars)
        and options.custom_grammars == "repair"
        and draft.text_call is None,
    )


def _left_undone(request: ResponseRequest, options: Options) -> list[str]:
    """Return the paths of what is asked of us, and is not done here."""
    undone: list[str] = []
    if request.context_management and not options.compacts:
        undone.append("context_management")
    if request.include and not options.seals and SEALED in request.include:
        undone.append(f"include[{request.include.index(SEALED)}]")
    return undone


def _open_tools(
    request: ResponseRequest,
    found: Sequence[tuple[str, Raw]],
    options: Options,
    progress: Progress,
) -> tuple[Toolbox, ChosenTools, Sequence[OfferedTool]]:
    """Return the tools of a request, what it chose, and which of them are offered."""
    tools, hosted, runs = request.tools or (), options.hosted, options.runs
    if tools and options.kept_tools is not None and not found and progress.listing is None:
        toolbox = options.kept_tools.open(tools, hosted=hosted, runs=runs)
    else:
        toolbox = open_toolbox(
            tools, found=found, hosted=hosted, runs=runs, listing=progress.listing
        )
    chosen = choose_tools(request.tool_choice, toolbox, is_first=not progress.has_called)
    if progress.may_call:
        return toolbox, chosen, chosen.tools
    return toolbox, chosen, [tool for tool in chosen.tools if not tool.runs_here]


def _as_shown(
    said: Sequence[PlacedItem], toolbox: Toolbox, options: Options
) -> tuple[Settled, Sequence[PlacedItem], Sequence[str]]:
    """Return what was settled, the conversation that the model sees, and what is superseded."""
    kinds = kinds_of(said)
    settled = Settled(tuple(said))
    items = said
    if not kinds.isdisjoint(OF_SERVERS):
        settled = settle(said)
        items = with_chat_names(settled.items, toolbox)
    if CompactionItem in kinds and options.open_compaction is not None:
        return settled, *expand(items, options.open_compaction)
    return settled, items, ()


def _places(items: Sequence[PlacedItem], request: ResponseRequest) -> list[str]:
    """Return where items stand in the request; those of the history have one place in common."""
    history = next((name for name in REFERENCES if getattr(request, name) is not None), "")
    return list(dict.fromkeys(at for placed in items if (at := placed.at or history)))


def _refuse_downgrades(paths: Sequence[str]) -> None:
    if paths:
        raise unsupported(paths[0], "is not taken as it is by the upstream of this model")


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
