"""Shells that the client runs: functions with command lines.

Source: sheet §5 and §7.2; `clients.md` §3 (what the Agents SDK sends and needs).
"""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Raw

from adapter.tools.kinds import CallKind, CallPlace, OfferedTool
from adapter.types.chat import ChatFunctionDefinition
from adapter.types.events import (
    Event,
    ShellCallCommandAdded,
    ShellCallCommandDelta,
    ShellCallCommandDone,
)
from adapter.types.items import (
    ItemStatus,
    LocalShellAction,
    LocalShellCall,
    ShellAction,
    ShellCall,
)

_Milliseconds = Annotated[int, Meta(ge=0)]

_SHELL = ChatFunctionDefinition(
    name="shell",
    description="Run shell commands on the user's machine and return what they print. "
    "The commands run one after the other.",
    parameters=Raw(
        b'{"type":"object","properties":{'
        b'"commands":{"type":"array","items":{"type":"string"},'
        b'"description":"Command lines, each for a POSIX shell."},'
        b'"timeout_ms":{"type":"integer","description":"Time limit in milliseconds."},'
        b'"max_output_length":{"type":"integer","description":"Most characters to return."}},'
        b'"required":["commands"]}'
    ),
)
_LOCAL_SHELL = ChatFunctionDefinition(
    name="local_shell",
    description="Run a command on the user's machine and return what it prints.",
    parameters=Raw(
        b'{"type":"object","properties":{'
        b'"command":{"type":"array","items":{"type":"string"},'
        b'"description":"The program and its arguments, such as [\\"ls\\", \\"-l\\"]."},'
        b'"working_directory":{"type":"string"},'
        b'"timeout_ms":{"type":"integer","description":"Time limit in milliseconds."},'
        b'"env":{"type":"object","additionalProperties":{"type":"string"}}},'
        b'"required":["command"]}'
    ),
)


class _ShellArguments(msgspec.Struct, frozen=True):
    commands: list[str] | str = []
    command: list[str] | str | None = None  # what models call it too
    timeout_ms: _Milliseconds | None = None
    max_output_length: _Milliseconds | None = None


class _LocalShellArguments(msgspec.Struct, frozen=True):
    command: list[str] | str = []
    env: dict[str, str] | None = None
    timeout_ms: _Milliseconds | None = None
    working_directory: str | None = None


_shell_arguments = msgspec.json.Decoder(_ShellArguments)
_local_shell_arguments = msgspec.json.Decoder(_LocalShellArguments)


class ShellCallWriter:
    """Says the commands once they are whole."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> ShellCall:
        return self._item(ShellAction(), "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing yet."""

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> ShellCall:
        action = _shell_action(arguments)
        number, output_index = self._place.number, self._place.output_index
        for index, command in enumerate(action.commands):
            events.append(ShellCallCommandAdded(number(), output_index, index, ""))
            if command:
                events.append(ShellCallCommandDelta(number(), output_index, index, command))
            events.append(ShellCallCommandDone(number(), output_index, index, command))
        return self._item(action, status)

    def _item(self, action: ShellAction, status: ItemStatus) -> ShellCall:
        return ShellCall(self._place.id, self._place.call_id, action, status)


class LocalShellCallWriter:
    """Says nothing but the item: there are no events for local shells."""

    def __init__(self, place: CallPlace) -> None:
        self._place = place

    def added(self) -> LocalShellCall:
        return self._item(LocalShellAction(), "in_progress")

    def feed(self, piece: str, events: list[Event]) -> None:
        """Say nothing."""

    def close(self, arguments: str, status: ItemStatus, events: list[Event]) -> LocalShellCall:
        return self._item(_local_shell_action(arguments), status)

    def _item(self, action: LocalShellAction, status: ItemStatus) -> LocalShellCall:
        return LocalShellCall(self._place.id, self._place.call_id, action, status)


SHELL_CALL = CallKind(id_prefix="sh", writer=ShellCallWriter)
LOCAL_SHELL_CALL = CallKind(id_prefix="lsh", writer=LocalShellCallWriter)


def offer_shell() -> OfferedTool:
    """Return the function that stands for the `shell` tool."""
    return OfferedTool(_SHELL, SHELL_CALL, _SHELL.name)


def offer_local_shell() -> OfferedTool:
    """Return the function that stands for the `local_shell` tool."""
    return OfferedTool(_LOCAL_SHELL, LOCAL_SHELL_CALL, _LOCAL_SHELL.name)


def _shell_action(arguments: str) -> ShellAction:
    """Return the action; arguments that are no JSON are taken for a command line."""
    given: Any = _decode(_shell_arguments, arguments)
    if given is None:
        return ShellAction((arguments,) if arguments.strip() else ())
    commands = given.commands or given.command or []
    return ShellAction(
        (commands,) if isinstance(commands, str) else tuple(commands),
        given.timeout_ms,
        given.max_output_length,
    )


def _local_shell_action(arguments: str) -> LocalShellAction:
    given: Any = _decode(_local_shell_arguments, arguments)
    if given is None:
        return LocalShellAction(("sh", "-c", arguments) if arguments.strip() else ())
    command = given.command
    return LocalShellAction(
        ("sh", "-c", command) if isinstance(command, str) else tuple(command),
        given.env or {},
        UNSET if given.timeout_ms is None else given.timeout_ms,
        UNSET,
        given.working_directory or UNSET,
    )


def _decode(decoder: msgspec.json.Decoder[Any], arguments: str) -> Any:
    try:
        return decoder.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        return None
