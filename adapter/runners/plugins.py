"""Hosted tools of other packages: entry points of the group `adapter.tools`.

    [project.entry-points."adapter.tools"]
    my-search = "my_package:MY_SEARCH"

The object is a `ToolRunner`. Nothing is imported before the settings ask for a name.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from adapter.runners.base import ToolRunner

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "adapter.tools"


def load_tool(name: str, found: "Iterable[EntryPoint] | None" = None) -> ToolRunner:
    """Return the tool that another package has under a name.

    Args:
        name: of the entry point.
        found: the entry points to look at; by default those of what is installed.

    Raises:
        ValueError: there is none, or it cannot be loaded; the message names it.
    """
    if found is None:
        from importlib.metadata import entry_points  # costs 20 ms to import

        found = entry_points(group=GROUP)
    entry = next((entry for entry in found if entry.name == name), None)
    if entry is None:
        raise ValueError(f"no installed package has a tool {name!r} (entry points {GROUP!r})")
    try:
        tool = entry.load()
    except Exception as exc:  # the other package's code: it may raise anything
        raise ValueError(f"the tool {name!r} ({entry.value}) cannot be loaded: {exc!r}") from exc
    if not all(hasattr(tool, part) for part in ("type", "describe", "call")):
        raise ValueError(f"the tool {name!r} ({entry.value}) is no ToolRunner: {tool!r:.200}")
    runner: ToolRunner = tool
    return runner
