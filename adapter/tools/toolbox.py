"""The tools of a request: which the chat model is offered, and what the response echoes.

Tool types are looked up in two tables: those that become chat functions, and hosted ones, which
nothing here runs and which a policy drops (reported) or refuses.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.tools.function import offer_function, read_function
from adapter.tools.kinds import OfferedTool
from adapter.types.decoding import decode_at, unsupported

HostedTools = Literal["drop", "error"]

# Types that a server would run by itself. Codex sends `web_search` with every request.
HOSTED_TYPES = frozenset(
    {
        "code_interpreter",
        "file_search",
        "image_generation",
        "programmatic_tool_calling",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)
MAX_TOOLS = 1024


class _Type(msgspec.Struct, frozen=True):
    type: str


_type = msgspec.json.Decoder(_Type)
_object = msgspec.json.Decoder(dict[str, Any])


class Toolbox(msgspec.Struct, frozen=True):
    """The tools of one request.

    Attributes:
        offered: the tools that the chat model may call, by the name that it knows.
        echo: the `tools` of the response object.
        dropped: paths of the tools that are not offered to the model, by policy.
    """

    offered: dict[str, OfferedTool] = {}
    echo: tuple[Any, ...] = ()
    dropped: tuple[str, ...] = ()


def open_toolbox(tools: Sequence[Raw], *, hosted: HostedTools = "drop") -> Toolbox:
    """Decode the `tools` of a request.

    Args:
        tools: the raw tools.
        hosted: what to do with a tool that only a hosting server could run.

    Raises:
        InvalidRequestError: a tool of a type that cannot be offered, a malformed tool, or two
            different tools of one name; `param` names it.
    """
    if len(tools) > MAX_TOOLS:
        raise InvalidRequestError(
            f"Invalid 'tools': expected at most {MAX_TOOLS} tools, got {len(tools)}.",
            code="array_above_max_length",
            param="tools",
        )
    offered: dict[str, OfferedTool] = {}
    echo: list[Any] = []
    dropped: list[str] = []
    for index, raw in enumerate(tools):
        at = f"tools[{index}]"
        type_ = decode_at(_type, raw, at).type
        if type_ == "function":
            tool = read_function(raw, at)
            echo.append(tool)
            _add(offered, offer_function(tool), at)
        elif type_ in HOSTED_TYPES:
            if hosted == "error":
                raise unsupported(
                    f"{at}.type", f"{type_!r} is a hosted tool that nothing runs here"
                )
            echo.append(decode_at(_object, raw, at))
            dropped.append(at)
        else:
            raise unsupported(f"{at}.type", f"{type_[:64]!r} cannot be offered to a chat model")
    return Toolbox(offered, tuple(echo), tuple(dropped))


def _add(offered: dict[str, OfferedTool], tool: OfferedTool, at: str) -> None:
    if offered.setdefault(tool.definition.name, tool) != tool:
        raise InvalidRequestError(
            f"Invalid '{at}.name': two different tools are named {tool.name!r}.",
            code="invalid_value",
            param=f"{at}.name",
        )
