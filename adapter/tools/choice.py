"""`tool_choice`: which of the tools the model may, must, or must not call.

`allowed_tools` is enforced by what the upstream is offered: chat servers do not know it. What else
an upstream does not obey, `adapter.translate.fit` sees to.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.tools.hosted import hosted_type
from adapter.tools.kinds import OfferedTool
from adapter.tools.toolbox import MAX_TOOLS, Toolbox
from adapter.types.decoding import check_depth, decode_at, missing_parameter, unsupported
from adapter.types.raw import is_given
from adapter.types.tools import AllowedToolsChoice, ToolChoiceMode

_AT = "tool_choice"

# Choices that name a tool; of the other types there is at most one tool, and the type names it.
_NAMED_TYPES = frozenset({"function", "custom"})


class _Function(msgspec.Struct, frozen=True):
    name: str


class _Given(msgspec.Struct, frozen=True):
    type: str
    name: str | None = None
    namespace: str | None = None
    server_label: str | None = None
    function: _Function | None = None  # chat-style


_choice = msgspec.json.Decoder(str | _Given)
_mode = msgspec.json.Decoder(ToolChoiceMode)
_allowed = msgspec.json.Decoder(AllowedToolsChoice)
_reference = msgspec.json.Decoder(_Given)
_object = msgspec.json.Decoder(dict[str, Any])
_encode = msgspec.json.Encoder().encode


class ChosenTools(msgspec.Struct, frozen=True):
    """What the upstream is offered.

    Attributes:
        tools: the tools to send.
        choice: `tool_choice` to send, or None to send none.
        echo: `tool_choice` of the response object.
    """

    tools: tuple[OfferedTool, ...]
    choice: str | dict[str, Any] | None
    echo: Any


def choose_tools(raw: Raw, toolbox: Toolbox, *, is_first: bool = True) -> ChosenTools:
    """Apply `tool_choice` to the tools of a request.

    Args:
        raw: the choice.
        toolbox: all tools of the request.
        is_first: no call was made here yet. What must be called, must be called once: after that
            the model answers, or it would call for ever.

    Raises:
        InvalidRequestError: a malformed choice, a tool that is not in `tools`, or `required`
            without any tool.
    """
    chosen = _choose(raw, toolbox)
    if is_first or chosen.choice is None or chosen.choice == "none":
        return chosen
    is_limited = isinstance(chosen.echo, AllowedToolsChoice)
    tools = chosen.tools if is_limited else tuple(toolbox.offered.values())
    return msgspec.structs.replace(chosen, tools=tools, choice="auto")


def required_server(raw: Raw) -> str | None:
    """Return the label of the MCP server that a choice names, if it names one."""
    try:
        given = _choice.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None  # what is wrong with it is said where it is applied
    is_server = isinstance(given, _Given) and given.type == "mcp"
    return given.server_label if is_server else None


def _choose(raw: Raw, toolbox: Toolbox) -> ChosenTools:
    tools = tuple(toolbox.offered.values())
    if not is_given(raw):
        return ChosenTools(tools, None, "auto")
    given = decode_at(_choice, raw, _AT)
    if isinstance(given, str):
        mode = decode_at(_mode, raw, _AT)
        if mode == "required" and not tools and toolbox.is_listed:
            raise _without_tools()
        return ChosenTools(tools, mode if tools else None, mode)
    if given.type == "allowed_tools":
        return _only(decode_at(_allowed, raw, _AT), toolbox)
    found = _find(given, toolbox, _AT)
    if given.function:
        echo: Any = {"type": given.type, "name": found[0].name}
    else:
        echo = decode_at(_object, raw, _AT)
        check_depth(echo, _AT)
    if not found:
        return ChosenTools(tools, None, echo)  # it is not listed yet
    if len(found) > 1:  # any tool of a server
        return ChosenTools(tuple(found), "required", echo)
    choice = {"type": "function", "function": {"name": found[0].definition.name}}
    return ChosenTools(tools, choice, echo)


def _only(allowed: AllowedToolsChoice, toolbox: Toolbox) -> ChosenTools:
    check_depth(allowed.tools, f"{_AT}.tools")
    if len(allowed.tools) > MAX_TOOLS:
        raise InvalidRequestError(
            f"Invalid '{_AT}.tools': expected at most {MAX_TOOLS} tools, got {len(allowed.tools)}.",
            code="array_above_max_length",
            param=f"{_AT}.tools",
        )
    chosen: list[OfferedTool] = []
    for index, reference in enumerate(allowed.tools):
        at = f"{_AT}.tools[{index}]"
        given = decode_at(_reference, _encode(reference), at)
        chosen += (tool for tool in _find(given, toolbox, at) if tool not in chosen)
    if allowed.mode == "required" and not chosen and toolbox.is_listed:
        raise _without_tools()
    return ChosenTools(tuple(chosen), allowed.mode if chosen else None, allowed)


def _find(given: _Given, toolbox: Toolbox, at: str) -> Sequence[OfferedTool]:
    """Return the tools that a choice names: one, several of a server, or none that is listed yet.

    Raises:
        InvalidRequestError: there is no such tool.
    """
    if given.type == "mcp" and toolbox.servers:
        return _find_of_server(given, toolbox, at)
    name = given.function.name if given.function else given.name
    if given.type in _NAMED_TYPES and name is None:
        raise missing_parameter(f"{at}.name")
    for chat_name, type_ in toolbox.types.items():
        tool = toolbox.offered[chat_name]
        if hosted_type(type_) != hosted_type(given.type):
            continue
        if given.type not in _NAMED_TYPES or (
            tool.name == name and (given.namespace or tool.namespace) == tool.namespace
        ):
            return [tool]
    if not toolbox.is_listed and hosted_type(given.type) in toolbox.hosted:
        return []
    if given.type in toolbox.types.values() or given.type in _NAMED_TYPES:
        raise _not_found(given.type, name)
    raise unsupported(f"{at}.type", f"{given.type[:64]!r} cannot be forced on a chat model")


def _find_of_server(given: _Given, toolbox: Toolbox, at: str) -> Sequence[OfferedTool]:
    if given.server_label is None:
        raise missing_parameter(f"{at}.server_label")
    labels = {server.server_label for server, _ in toolbox.servers}
    tools = toolbox.tools_of(given.server_label)
    if given.name is not None:
        tools = [tool for tool in tools if tool.name == given.name]
    if given.server_label not in labels or (toolbox.is_listed and not tools):
        raise _not_found("mcp", given.name or given.server_label)
    return tools


def _not_found(type_: str, name: str | None) -> InvalidRequestError:
    return InvalidRequestError(
        f"Tool choice '{type_[:64]}' not found in 'tools' parameter: "
        f"no such tool is named {(name or '')[:128]!r}.",
        param=_AT,
    )


def _without_tools() -> InvalidRequestError:
    return InvalidRequestError(
        "Tool choice 'required' must be specified with a 'tools' parameter that holds a tool "
        "which can be called.",
        param=_AT,
    )
