"""`tool_choice`: which of the tools the model may, must, or must not call.

`allowed_tools` is enforced by what the upstream is offered: chat servers do not know it. What else
an upstream does not obey, `adapter.translate.fit` sees to.
"""

from typing import Any

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.tools.kinds import OfferedTool
from adapter.tools.names import chat_name
from adapter.tools.toolbox import Toolbox
from adapter.types.decoding import decode_at, missing_parameter, unsupported
from adapter.types.raw import is_given
from adapter.types.tools import AllowedToolsChoice, FunctionChoice, ToolChoice, ToolChoiceMode

_AT = "tool_choice"


class _Function(msgspec.Struct, frozen=True):
    name: str


class _Given(msgspec.Struct, frozen=True):
    type: str
    name: str | None = None
    function: _Function | None = None  # chat-style


_choice = msgspec.json.Decoder(str | _Given)
_mode = msgspec.json.Decoder(ToolChoiceMode)
_allowed = msgspec.json.Decoder(AllowedToolsChoice)


class ChosenTools(msgspec.Struct, frozen=True):
    """What the upstream is offered.

    Attributes:
        tools: the tools to send.
        choice: `tool_choice` to send, or None to send none.
        echo: `tool_choice` of the response object.
    """

    tools: tuple[OfferedTool, ...]
    choice: str | dict[str, Any] | None
    echo: ToolChoice


def choose_tools(raw: Raw, toolbox: Toolbox) -> ChosenTools:
    """Apply `tool_choice` to the tools of a request.

    Raises:
        InvalidRequestError: a malformed choice, a tool that is not in `tools`, or `required`
            without any tool.
    """
    tools = tuple(toolbox.offered.values())
    if not is_given(raw):
        return ChosenTools(tools, None, "auto")
    given = decode_at(_choice, raw, _AT)
    if isinstance(given, str):
        mode = decode_at(_mode, raw, _AT)
        if mode == "required" and not tools:
            raise _without_tools()
        return ChosenTools(tools, mode if tools else None, mode)
    match given.type:
        case "function":
            return _named(given, toolbox)
        case "allowed_tools":
            return _only(decode_at(_allowed, raw, _AT), toolbox)
        case _:
            raise unsupported(
                f"{_AT}.type", f"{given.type[:64]!r} cannot be forced on a chat model"
            )


def _named(given: _Given, toolbox: Toolbox) -> ChosenTools:
    name = given.function.name if given.function else given.name
    if name is None:
        raise missing_parameter(f"{_AT}.name")
    tool = toolbox.offered.get(chat_name(name))
    if tool is None:
        raise _not_found("function", name)
    choice = {"type": "function", "function": {"name": tool.definition.name}}
    return ChosenTools(tuple(toolbox.offered.values()), choice, FunctionChoice(name))


def _only(allowed: AllowedToolsChoice, toolbox: Toolbox) -> ChosenTools:
    chosen: list[OfferedTool] = []
    for index, reference in enumerate(allowed.tools):
        name = reference.get("name")
        if not isinstance(name, str):
            raise missing_parameter(f"{_AT}.tools[{index}].name")
        tool = toolbox.offered.get(chat_name(name))
        if tool is None:
            raise _not_found(str(reference.get("type")), name)
        chosen.append(tool)
    if allowed.mode == "required" and not chosen:
        raise _without_tools()
    return ChosenTools(tuple(chosen), allowed.mode if chosen else None, allowed)


def _not_found(type_: str, name: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"Tool choice '{type_[:64]}' not found in 'tools' parameter: no tool is named {name[:128]!r}.",
        param=_AT,
    )


def _without_tools() -> InvalidRequestError:
    return InvalidRequestError(
        "Tool choice 'required' must be specified with a 'tools' parameter that holds a tool "
        "which can be called.",
        param=_AT,
    )
