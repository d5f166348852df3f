"""The tools that a chat request offers, and the grammars that their inputs have to fit.

Which tools there are, `adapter.tools.toolbox` says, and which of them were chosen
`adapter.tools.choice`.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any

import msgspec

from adapter.tools.custom import as_given
from adapter.tools.kinds import GrammarInput, OfferedTool
from adapter.tools.toolbox import Toolbox
from adapter.types.chat import ChatTool
from adapter.types.request import ResponseRequest

_definition_of = attrgetter("definition")
_grammar_of = attrgetter("grammar")

# Of grammars in one request, in characters together and by number: reading one of 64 KB takes up to
# 0.3 s (CPython 3.11, November 2026), and 30 MB of them fit into a body. Codex sends one.
MAX_GRAMMAR_CHARS = 128 * 1024
MAX_GRAMMARS = 32


def tool_parameters(
    request: ResponseRequest,
    tools: Sequence[OfferedTool],
    choice: str | dict[str, Any] | None,
    must_call: str | None,
) -> dict[str, Any]:
    """Return what a chat request says of its tools.

    Args:
        request: the request.
        tools: the tools to offer.
        choice: what it chose, as chat completions have it.
        must_call: the function that has to be called now, whatever it chose.
    """
    chat: dict[str, Any] = {"tools": [*map(ChatTool, map(_definition_of, tools))]}
    if must_call is not None:
        chat["tool_choice"] = {"type": "function", "function": {"name": must_call}}
    elif choice is not None:
        chat["tool_choice"] = choice
    if request.parallel_tool_calls is not None:
        chat["parallel_tool_calls"] = request.parallel_tool_calls
    return chat


def grammars_of(tools: Sequence[OfferedTool]) -> dict[str, GrammarInput]:
    """Return what inputs have to fit, within bounds; the model is told of the others all the same."""
    grammars: dict[str, GrammarInput] = {}
    if not any(map(_grammar_of, tools)):
        return grammars
    left = MAX_GRAMMAR_CHARS
    for tool in tools:
        if tool.grammar is None or len(grammars) == MAX_GRAMMARS:
            continue
        left -= len(tool.grammar.definition)
        if left < 0:
            break
        grammars[tool.definition.name] = tool.grammar
    return grammars


def as_asked(toolbox: Toolbox, text_call: str) -> Toolbox:
    """Return the tools, of which one is asked for by its input alone."""
    asked = {text_call: as_given(toolbox.offered[text_call])}
    return msgspec.structs.replace(toolbox, offered={**toolbox.offered, **asked})
