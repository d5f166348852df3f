"""The tools of a request: which the chat model is offered, and what the response echoes.

Tools come from the `tools` of the request and from items of its input (`additional_tools`,
`tool_search_output`). Their types are looked up in two tables: those that become chat functions,
and hosted ones. Of these, the ones that something here runs become chat functions as soon as it is
known which they are (the tools of a server have to be listed first); the others a policy drops
(reported) or refuses.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Raw, UnsetType

from adapter.errors import InvalidRequestError
from adapter.tools.apply_patch import offer_apply_patch
from adapter.tools.client_search import offer_search, read_search
from adapter.tools.computer import offer_computer, offer_computer_preview
from adapter.tools.custom import offer_custom, read_custom
from adapter.tools.function import offer_function, read_function
from adapter.tools.hosted import hosted_type, offer_hosted
from adapter.tools.kinds import OfferedTool
from adapter.tools.mcp import McpTool, ServerRules, as_shown, offer_mcp, read_mcp
from adapter.tools.names import chat_name, hashed_name
from adapter.tools.shell import offer_local_shell, offer_shell
from adapter.types.decoding import check_depth, decode_at, unsupported
from adapter.types.hosted import ListedTool
from adapter.types.tools import FunctionTool

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


class _Row(msgspec.Struct, frozen=True):
    # (the tool, namespace, its description) to the tool as it is offered.
    offer: Callable[[Any, str | UnsetType, str], OfferedTool]
    # (raw, path) to the tool; None where its type says all.
    read: Callable[[Raw, str], Any] | None = None


OFFERED_TYPES: dict[str, _Row] = {
    "apply_patch": _Row(lambda tool, namespace, about: offer_apply_patch()),
    "computer": _Row(lambda tool, namespace, about: offer_computer()),
    "computer_use_preview": _Row(lambda tool, namespace, about: offer_computer_preview()),
    "custom": _Row(offer_custom, read_custom),
    "function": _Row(offer_function, read_function),
    "local_shell": _Row(lambda tool, namespace, about: offer_local_shell()),
    "shell": _Row(lambda tool, namespace, about: offer_shell()),
    "tool_search": _Row(lambda tool, namespace, about: offer_search(tool), read_search),
}


class HostedListing(msgspec.Struct, frozen=True):
    """What runs hosted tools, as far as that is known.

    Attributes:
        servers: the tools of MCP servers, by label.
        types: what runs a hosted type, by `hosted_type`.
        rules: what the settings say of servers, by label.
    """

    servers: Mapping[str, Sequence[ListedTool]] = {}
    types: Mapping[str, ListedTool] = {}
    rules: Mapping[str, ServerRules] = {}


class Toolbox(msgspec.Struct, frozen=True):
    """The tools of one request.

    Attributes:
        offered: the tools that the chat model may call, by the name that it knows.
        types: the type of each of them, by the same name.
        servers: MCP servers whose tools it may call, with their paths.
        hosted: hosted types that something here runs.
        is_listed: whether the tools of the servers and what runs the types are among `offered`.
        echo: the `tools` of the response object.
        dropped: paths of the tools that are not offered to the model, by policy.
    """

    offered: dict[str, OfferedTool] = {}
    types: dict[str, str] = {}
    servers: tuple[tuple[McpTool, str], ...] = ()
    hosted: tuple[str, ...] = ()
    is_listed: bool = True
    echo: tuple[Any, ...] = ()
    dropped: tuple[str, ...] = ()

    @property
    def has_hosted(self) -> bool:
        return bool(self.servers or self.hosted)

    def tools_of(self, server_label: str) -> list[OfferedTool]:
        """Return the tools of a server that may be called."""
        return [tool for tool in self.offered.values() if tool.server_label == server_label]


class _Collector:
    def __init__(self, hosted: HostedTools, runs: Set[str]) -> None:
        self.offered: dict[str, OfferedTool] = {}
        self.types: dict[str, str] = {}
        self.dropped: list[str] = []
        self.servers: dict[str, tuple[McpTool, str]] = {}
        self.hosted: dict[str, str] = {}
        self._hosted = hosted
        self._runs = runs
        self._count = 0

    def add(
        self,
        raw: Raw,
        at: str,
        *,
        namespace: str | UnsetType = UNSET,
        about: str = "",
        replace: bool,
    ) -> FunctionTool | None:
        """Add a tool, and return it if it is a function."""
        given = decode_at(_type, raw, at)
        if given.type == "namespace" and namespace is UNSET:
            self._add_namespace(raw, at, replace=replace)
            return None
        if self._runs and hosted_type(given.type) in self._runs:
            self._add_hosted(raw, given.type, at, replace=replace)
            return None
        row = OFFERED_TYPES.get(given.type)
        if row is None or (given.type == "tool_search" and given.execution != "client"):
            self._drop(given.type, at)
            return None
        tool = None if row.read is None else row.read(raw, at)
        self._keep(row.offer(tool, namespace, about), given.type, at, replace=replace)
        return tool if isinstance(tool, FunctionTool) else None

    def _add_hosted(self, raw: Raw, type_: str, at: str, *, replace: bool) -> None:
        if type_ != "mcp":
            self.hosted[hosted_type(type_)] = type_
            return
        server = read_mcp(raw, at)
        if server.server_label in self.servers and not replace:
            raise InvalidRequestError(
                f"Invalid '{at}.server_label': two servers are named {server.server_label!r}.",
                code="invalid_value",
                param=f"{at}.server_label",
            )
        self.servers[server.server_label] = (server, at)

    def offer_hosted(self, listing: HostedListing) -> None:
        """Offer what runs here, behind the client's own tools, whose names it must not take."""
        for type_, given in self.hosted.items():
            if type_ in listing.types:
                tool = offer_hosted(type_, listing.types[type_])
                self._keep(tool, given, "tools", replace=False)
        for server, at in self.servers.values():
            rules = listing.rules.get(server.server_label, ServerRules())
            for listed in listing.servers.get(server.server_label, ()):
                if offered := offer_mcp(server, listed, rules):
                    self._keep(offered, "mcp", at, replace=False)

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
        self._count += 1
        if self._count > MAX_TOOLS:
            raise _too_many_tools()
        name = tool.definition.name
        if name in self.offered:
            if _identity(self.offered[name]) != _identity(tool):
                tool = self._renamed(tool)  # `a__b` of its own, and `b` in the namespace `a`
                name = tool.definition.name
            if self.offered.get(name, tool) != tool and not replace:
                raise InvalidRequestError(
                    f"Invalid '{at}.name': two different tools are named {tool.name!r}.",
                    code="invalid_value",
                    param=f"{at}.name",
                )
        self.offered[name] = tool
        self.types[name] = type_

    def _renamed(self, tool: OfferedTool) -> OfferedTool:
        """Return the tool under a name that is free."""
        place = tool.server_label or tool.namespace
        name = chat_name(tool.name, tool.server_label or UNSET)
        if name in self.offered:
            name = hashed_name(tool.name, place)
        definition = msgspec.structs.replace(tool.definition, name=name)
        return msgspec.structs.replace(tool, definition=definition)


def _too_many_tools() -> InvalidRequestError:
    return InvalidRequestError(
        f"Invalid 'tools': expected at most {MAX_TOOLS} tools.",
        code="array_above_max_length",
        param="tools",
    )


def _identity(tool: OfferedTool) -> tuple[object, ...]:
    return tool.name, tool.namespace, tool.server_label, tool.hosted_type


def open_toolbox(
    tools: Sequence[Raw],
    *,
    found: Sequence[tuple[str, Raw]] = (),
    hosted: HostedTools = "drop",
    runs: Set[str] = frozenset(),
    listing: HostedListing | None = None,
) -> Toolbox:
    """Decode the tools of a request.

    Args:
        tools: the raw `tools`.
        found: raw tools in the input, with their paths; a later one replaces one of its name.
        hosted: what to do with a tool that only a hosting server could run.
        runs: hosted types that are run here.
        listing: what runs them; None is not known yet, and then their tools are not offered yet.

    Raises:
        InvalidRequestError: a tool of a type that cannot be offered, a malformed tool, or two
            different tools of one name in `tools`; `param` names it.
    """
    if len(tools) > MAX_TOOLS:
        raise _too_many_tools()  # also of those that nobody is offered
    collector = _Collector(hosted, runs)
    functions = [
        collector.add(raw, f"tools[{index}]", replace=False) for index, raw in enumerate(tools)
    ]
    for at, raw in found:
        collector.add(raw, at, replace=True)
    if listing is not None:
        collector.offer_hosted(listing)
    return Toolbox(
        collector.offered,
        collector.types,
        tuple(collector.servers.values()),
        tuple(collector.hosted),
        listing is not None or not (collector.servers or collector.hosted),
        tuple(
            [tool or _echo(tools[index], f"tools[{index}]") for index, tool in enumerate(functions)]
        ),
        tuple(collector.dropped),
    )


def _echo(raw: Raw, at: str) -> Any:
    """Return a tool that is no function as the response shows it: without its secrets."""
    tool = decode_at(_object, raw, at)
    check_depth(tool, at)
    return as_shown(tool)
