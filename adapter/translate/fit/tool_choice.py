"""`tool_choice` in a form that the upstream obeys.

A named tool becomes the only one that is offered; what cannot be forced is asked for.

Source: `reported.md` §3.3 (Kimi, DeepSeek and Qwen refuse to be forced), `observed.md` §3
(llama.cpp ignores names).
"""

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft

_PATH = "tool_choice"


def fit_tool_choice(draft: Draft, dialect: Dialect) -> None:
    """Weaken the choice as far as needed."""
    choice = draft.parameters["tool_choice"]
    if isinstance(choice, dict) and "named" not in dialect.tool_choices:
        name = choice["function"]["name"]
        draft.parameters["tools"] = [
            tool for tool in draft.parameters["tools"] if tool.function.name == name
        ]
        choice = draft.parameters["tool_choice"] = "required"
        draft.adapted.append(_PATH)
    if choice == "required" and "required" not in dialect.tool_choices:
        draft.parameters["tool_choice"] = "auto"
        draft.instruct("You must call at least one of the tools before you answer.")
        _report_once(draft)
    elif choice == "none" and "none" not in dialect.tool_choices:
        del draft.parameters["tool_choice"], draft.parameters["tools"]
        draft.parameters.pop("parallel_tool_calls", None)
        _report_once(draft)
    if draft.parameters.get("tool_choice") == "auto" and "auto" not in dialect.tool_choices:
        del draft.parameters["tool_choice"]  # it is what happens without


def _report_once(draft: Draft) -> None:
    if _PATH not in draft.adapted:
        draft.adapted.append(_PATH)
