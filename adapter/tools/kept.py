"""The toolboxes of the last few lists of tools: an agent sends its list with each request.

Reading 30 tools takes as long as all the rest of a short request; to find that they are those of a
request before takes 2 µs. A list is found if every byte of it is the same, so whoever is given a
toolbox has sent what is in it. Only types of tools that hold no secrets are kept: those of servers
have headers and tokens.
"""

from collections.abc import Sequence, Set

import msgspec
from msgspec import Raw

from adapter.tools.toolbox import MAX_TOOLS, HostedTools, Toolbox, open_toolbox
from adapter.types.tools import FunctionTool

MAX_LISTS = 8
# Of one list: agents send 30 kB. What is made of it takes thrice that, and of one that is made of
# empty objects 25 times: 26 MB for as many lists as are kept.
MAX_BYTES = 128 * 1024
_WITHOUT_SECRETS = frozenset(
    {
        "apply_patch",
        "custom",
        "function",
        "local_shell",
        "web_search",
        "web_search_2025_08_26",
        "web_search_preview",
        "web_search_preview_2025_03_11",
    }
)


class _Kept(msgspec.Struct, frozen=True):
    tools: list[Raw]
    policy: tuple[HostedTools, Set[str]]
    toolbox: Toolbox


class KeptTools:
    """Opens toolboxes, and keeps the last few. Several threads may use it at once."""

    def __init__(self) -> None:
        # The last used first. It is replaced as a whole: of two threads that do so at once, one
        # keeps its list.
        self._kept: tuple[_Kept, ...] = ()

    def open(self, tools: Sequence[Raw], *, hosted: HostedTools, runs: Set[str]) -> Toolbox:
        """Return the toolbox of a list of tools, as `open_toolbox` does.

        Args:
            tools: the raw `tools`.
            hosted: what to do with a tool that only a hosting server could run.
            runs: hosted types that are run here.

        Raises:
            InvalidRequestError: as `open_toolbox` says.
        """
        policy = hosted, runs
        for kept in self._kept:
            if kept.tools == tools and kept.policy == policy:
                if kept is not self._kept[0]:
                    self._put_first(kept)
                return kept.toolbox
        if len(tools) > MAX_TOOLS or sum(map(len, tools)) > MAX_BYTES:
            return open_toolbox(tools, hosted=hosted, runs=runs)
        copies = [Raw(bytes(raw)) for raw in tools]  # the others hold on to the request's body
        toolbox = open_toolbox(copies, hosted=hosted, runs=runs)
        if not toolbox.has_hosted and all(map(_is_without_secrets, toolbox.echo)):
            self._put_first(_Kept(copies, policy, toolbox))
        return toolbox

    def _put_first(self, kept: _Kept) -> None:
        others = [each for each in self._kept if each is not kept]
        self._kept = (kept, *others[: MAX_LISTS - 1])


def _is_without_secrets(tool: object) -> bool:
    return isinstance(tool, FunctionTool) or (
        isinstance(tool, dict) and tool["type"] in _WITHOUT_SECRETS
    )
