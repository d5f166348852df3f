"""Which tool a chat model means by the name that it calls.

Models are trained on other spellings than ours: they leave a namespace out (openai/codex#26977), join
it with a dot or a single underscore, or put the `functions.` of harmony in front. A name that can
mean one tool only is taken for it; any other is the model's own invention.
"""

import re
from collections.abc import Mapping

from adapter.tools.function import unknown_tool
from adapter.tools.kinds import OfferedTool

_JOINTS = re.compile(r"[\W_]+")
# What chat templates show all tools under: harmony's, Gemini's, and what models make of them.
_SHOWN_UNDER = ("_functions", "_default_api", "_tools")


def find_tool(name: str, offered: Mapping[str, OfferedTool]) -> OfferedTool:
    """Return the tool that a name means.

    Args:
        name: as the model wrote it.
        offered: the tools, by the name that the model was given.
    """
    return offered.get(name) or _meant(name, offered) or unknown_tool(name)


def _meant(name: str, offered: Mapping[str, OfferedTool]) -> OfferedTool | None:
    spelled = _spell(name)
    bare = {spelled.removeprefix(prefix) for prefix in _SHOWN_UNDER if spelled.startswith(prefix)}
    for candidate in (spelled, *bare):
        found = [tool for tool in offered.values() if _is_called(candidate, tool)]
        if len(found) == 1:
            return found[0]
    return None


def _is_called(spelled: str, tool: OfferedTool) -> bool:
    """Whether this is the tool's name, with all, the end, or nothing of its namespace."""
    whole = _spell(f"{tool.namespace or ''}_{tool.name}")
    return whole.endswith(spelled) and spelled.endswith(_spell(tool.name))


def _spell(name: str) -> str:
    """Return the words of a name, each behind a joint, so that words are compared whole."""
    words = _JOINTS.sub("_", name.lower()).strip("_")
    return f"_{words}" if words else ""
