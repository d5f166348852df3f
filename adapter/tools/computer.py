"""`computer`: a function with actions on the user's screen, which the client carries out.

Clients check actions strictly (Vercel's AI SDK ends the stream at one that lacks a field), and
models are not as careful: what an action can do without is filled in, and what is no action at all
is left out.

Source: sheet §5; OpenAI SDK 3.51 `ComputerAction`; `computer_use_preview` is the older tool, whose
calls have one action.
"""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Raw, UnsetType

from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import Event
from adapter.types.items import ComputerCall, ItemStatus

_ACTION = (
    b'{"type":"object","properties":{"type":{"type":"string","enum":["click","double_click","drag",'
    b'"keypress","move","screenshot","scroll","type","wait"]},"x":{"type":"integer"},'
    b'"y":{"type":"integer"},"button":{"type":"string","enum":["left","right","wheel","back",'
    b'"forward"]},"keys":{"type":"array","items":{"type":"string"}},"text":{"type":"string"},'
    b'"scroll_x":{"type":"integer"},"scroll_y":{"type":"integer"},"path":{"type":"array","items":'
    b'{"type":"object","properties":{"x":{"type":"integer"},"y":{"type":"integer"}}}}},'
    b'"required":["type"]}'
)
_COMPUTER = ChatFunctionDefinition(
    name="computer",
    description="Act on the user's screen: a list of actions, carried out in order. "
    "The answer is a screenshot.",
    parameters=Raw(
        b'{"type":"object","properties":{"actions":{"type":"array","items":%b}},'
        b'"required":["actions"]}' % _ACTION
    ),
)
_PREVIEW = ChatFunctionDefinition(
    name="computer",
    description="Act on the user's screen: one action. The answer is a screenshot.",
    parameters=Raw(_ACTION),
)
_MAX_PIXELS = 1_000_000

_Pixels = Annotated[float, Meta(ge=-_MAX_PIXELS, le=_MAX_PIXELS)]
_Keys = list[str] | UnsetType


class _Click(msgspec.Struct, frozen=True, tag="click"):
    x: _Pixels
    y: _Pixels
    button: Literal["left", "right", "wheel", "back", "forward"] = "left"
    keys: _Keys = UNSET


class _DoubleClick(msgspec.Struct, frozen=True, tag="double_click"):
    x: _Pixels
    y: _Pixels
    keys: _Keys = UNSET


class _Point(msgspec.Struct, frozen=True):
    x: _Pixels
    y: _Pixels


class _Drag(msgspec.Struct, frozen=True, tag="drag"):
    path: list[_Point]
    keys: _Keys = UNSET


class _Keypress(msgspec.Struct, frozen=True, tag="keypress"):
    keys: list[str]


class _Move(msgspec.Struct, frozen=True, tag="move"):
    x: _Pixels
    y: _Pixels
    keys: _Keys = UNSET


class _Screenshot(msgspec.Struct, frozen=True, tag="screenshot"):
    pass


class _Scroll(msgspec.Struct, frozen=True, tag="scroll"):
    x: _Pixels = 0
    y: _Pixels = 0
    scroll_x: _Pixels = 0
    scroll_y: _Pixels = 0
    keys: _Keys = UNSET


class _Type(msgspec.Struct, frozen=True, tag="type"):
    text: str


class _Wait(msgspec.Struct, frozen=True, tag="wait"):
    pass


_Action = _Click | _DoubleClick | _Drag | _Keypress | _Move | _Screenshot | _Scroll | _Type | _Wait
_json = msgspec.json.Decoder()


class ComputerCallWriter:
    """Says nothing but the item, which shows the actions."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> ComputerCall:
        return self._item([], "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing."""

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> ComputerCall:
        return self._item(_actions(arguments), status)

    def _item(self, actions: list[dict[str, Any]], status: ItemStatus) -> ComputerCall:
        return ComputerCall(self._place.id, self._place.call_id, tuple(actions), status)


class PreviewCallWriter(ComputerCallWriter):
    """Shows the first action: there is place for one."""

    def _item(self, actions: list[dict[str, Any]], status: ItemStatus) -> ComputerCall:
        # A look at the screen does no harm, and tells the model that nothing happened.
        action = actions[0] if actions else {"type": "screenshot"}
        return ComputerCall(self._place.id, self._place.call_id, UNSET, status, action)


COMPUTER_CALL = CallKind(id_prefix="cu", writer=ComputerCallWriter)
PREVIEW_CALL = CallKind(id_prefix="cu", writer=PreviewCallWriter)


def offer_computer() -> OfferedTool:
    """Return the function that stands for the `computer` tool."""
    return OfferedTool(_COMPUTER, COMPUTER_CALL, _COMPUTER.name)


def offer_computer_preview() -> OfferedTool:
    """Return the function that stands for the `computer_use_preview` tool."""
    return OfferedTool(_PREVIEW, PREVIEW_CALL, _PREVIEW.name)


def _actions(arguments: str) -> list[dict[str, Any]]:
    try:
        value = _json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return []
    match value:
        case {"actions": list(given)}:
            pass
        case {"action": dict(action)}:
            given = [action]
        case _:
            given = [value]
    return [action for action in map(_action, given) if action is not None]


def _action(given: Any) -> dict[str, Any] | None:
    """Return an action as clients take it, or None if it is none."""
    try:
        action = msgspec.convert(given, _Action, strict=False)
    except (msgspec.ValidationError, RecursionError):
        return None
    shown: dict[str, Any] = _with_whole_pixels(msgspec.to_builtins(action))
    return shown


def _with_whole_pixels(value: Any) -> Any:
    match value:
        case float():
            return round(value)
        case dict():
            return {key: _with_whole_pixels(inner) for key, inner in value.items()}
        case list():
            return [_with_whole_pixels(inner) for inner in value]
        case _:
            return value
