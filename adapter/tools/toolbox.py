"""The tools of a request: which the chat model is offered, and what the response echoes.

Tools come from the `tools` of the request and from items of its input (`additional_tools`,
`tool_search_output`). Their types are looked up in two tables: those that become chat functions,
and hosted ones, which nothing here runs and which a policy drops (reported) or refuses.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from adapter.errors import InvalidRequestError
from adapter.tools.apply_patch import offer_apply_patch
from adapter.tools.client_search import offer_search, read_search
from adapter.tools.computer import offer_computer, offer_computer_preview
from adapter.tools.custom import offer_custom, read_custom
from adapter.tools.function import offer_function, read_function
from adapter.tools.kinds import OfferedTool
from adapter.tools.names import hashed_name
from adapter.tools.shell import offer_local_shell, offer_shell
from adapter.types.decoding import check_depth, decode_at, unsupported

HostedTools = Literal["drop", "error"]

# Types that a server would run by itself. Codex sends `web_search` with every request.
HOSTED_TYPES = frozenset(
    {
        "code_interpreter",
        "file_search",
        "image_generation",
        "mcp",
        "programmatic_tool_calling",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
MAX_TOOLS = 1024
MAX_NAMESPACE_CHARS = 128


class _Type(msgspec.Struct, frozen=True):
    type: str
    execution: str | None = None


class _Namespace(msgspec.Struct, frozen=True):
    name: str
    description: str | None = None
    tools: list[Raw] = []


_type = msgspec.json.Decoder(_Type)
_namespace = msgspec.json.Decoder(_Namespace)
_object = msgspec.json.Decoder(dict[str, Any])

# type → (raw, path, namespace, its description) to the tool as it is offered.
_Offer = Callable[[Raw, str, str | UnsetType, str], OfferedTool]
OFFERED_TYPES: dict[str, _Offer] = {
    "apply_patch": lambda raw, at, namespace, about: offer_apply_patch(),
    "computer": lambda raw, at, namespace, about: offer_computer(),
    "computer_use_preview": lambda raw, at, namespace, about: offer_computer_preview(),
    "custom": lambda raw, at, namespace, about: offer_custom(
        read_custom(raw, at), namespace, about
    ),
    "function": lambda raw, at, namespace, about: offer_function(
        read_function(raw, at), namespace, about
    ),
    "local_shell": lambda raw, at, namespace, about: offer_local_shell(),
    "shell": lambda raw, at, namespace, about: offer_shell(),
    "tool_search": lambda raw, at, namespace, about: offer_search(read_search(raw, at)),
}


class Toolbox(msgspec.Struct, frozen=True):
    """The tools of one request.

    Attributes:
        offered: the tools that the chat model may call, by the name that it knows.
        types: the type of each of them, by the same name.
        echo: the `tools` of the response object.
        dropped: paths of the tools that are not offered to the model, by policy.
    """

    offered: dict[str, OfferedTool] = {}
    types: dict[str, str] = {}
    echo: tuple[Any, ...] = ()
    dropped: tuple[str, ...] = ()


class _Collector:
    def __init__(self, hosted: HostedTools) -> None:
        self.offered: dict[str, OfferedTool] = {}
        self.types: dict[str, str] = {}
        self.dropped: list[str] = []
        self._hosted = hosted
        self._count = 0

    def add(
        self,
        raw: Raw,
        at: str,
        *,
        namespace: str | UnsetType = UNSET,
        about: str = "",
        replace: bool,
    ) -> None:
        given = decode_at(_type, raw, at)
        if given.type == "namespace" and namespace is UNSET:
            self._add_namespace(raw, at, replace=replace)
            return
        offer = OFFERED_TYPES.get(given.type)
        if offer is None or (given.type == "tool_search" and given.execution != "client"):
            self._drop(given.type, at)
            return
        self._count += 1
        if self._count > MAX_TOOLS:
            raise InvalidRequestError(
                f"Invalid 'tools': expected at most {MAX_TOOLS} tools.",
                code="array_above_max_length",
                param="tools",
            )
        self._keep(offer(raw, at, namespace, about), given.type, at, replace=replace)

    def _add_namespace(self, raw: Raw, at: str, *, replace: bool) -> None:
        namespace = decode_at(_namespace, raw, at)
        if not 0 < len(namespace.name) <= MAX_NAMESPACE_CHARS:
            raise InvalidRequestError(
                f"Invalid '{at}.name': expected 1 to {MAX_NAMESPACE_CHARS} characters.",
                code="invalid_value",
                param=f"{at}.name",
            )
        for index, inner in enumerate(namespace.tools):
            self.add(
                inner,
                f"{at}.tools[{index}]",
                namespace=namespace.name,
                about=namespace.description or "",
                replace=replace,
            )

    def _drop(self, type_: str, at: str) -> None:
        if type_ not in HOSTED_TYPES and type_ != "tool_search":
            raise unsupported(f"{at}.type", f"{type_[:64]!r} cannot be offered to a chat model")
        if self._hosted == "error":
            raise unsupported(f"{at}.type", f"{type_!r} is a hosted tool that nothing runs here")
        self.dropped.append(at)

    def _keep(self, tool: OfferedTool, type_: str, at: str, *, replace: bool) -> None:
        known = self.offered.get(tool.definition.name)
        if known is not None and (known.name, known.namespace) != (tool.name, tool.namespace):
            tool = _renamed(tool)  # `a__b` of its own, and `b` in the namespace `a`
            known = self.offered.get(tool.definition.name)
        if known is not None and known != tool and not replace:
            raise InvalidRequestError(
                f"Invalid '{at}.name': two different tools are named {tool.name!r}.",
                code="invalid_value",
                param=f"{at}.name",
            )
        self.offered[tool.definition.name] = tool
        self.types[tool.definition.name] = type_


def _renamed(tool: OfferedTool) -> OfferedTool:
    name = hashed_name(tool.name, tool.namespace)
    definition = msgspec.structs.replace(tool.definition, name=name)
    return msgspec.structs.replace(tool, definition=definition)


def open_toolbox(
    tools: Sequence[Raw],
    *,
    found: Sequence[tuple[str, Raw]] = (),
    hosted: HostedTools = "drop",
) -> Toolbox:
    """Decode the tools of a request.

    Args:
        tools: the raw `tools`.
        found: raw tools in the input, with their paths; a later one replaces one of its name.
        hosted: what to do with a tool that only a hosting server could run.

    Raises:
        InvalidRequestError: a tool of a type that cannot be offered, a malformed tool, or two
            different tools of one name in `tools`; `param` names it.
    """
    collector = _Collector(hosted)
    for index, raw in enumerate(tools):
        collector.add(raw, f"tools[{index}]", replace=False)
    for at, raw in found:
        collector.add(raw, at, replace=True)
    return Toolbox(
        collector.offered,
        collector.types,
        tuple(_echo(raw, f"tools[{index}]") for index, raw in enumerate(tools)),
        tuple(collector.dropped),
    )


_SECRETS = frozenset({"authorization", "headers"})


def _echo(raw: Raw, at: str) -> Any:
    """Return a tool as the response shows it: functions with all keys, none with its secrets."""
    if decode_at(_type, raw, at).type == "function":
        return read_function(raw, at)
    tool = decode_at(_object, raw, at)
    check_depth(tool, at)
    return {key: value for key, value in tool.items() if key not in _SECRETS}
