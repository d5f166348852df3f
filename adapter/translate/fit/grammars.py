"""Custom tools with a grammar: held to it where the upstream can be.

An upstream's grammar holds for the whole answer, and a call is part of an answer, in a form that
only the upstream knows. So the grammar is enforced where the call is certain: the model is asked for
the input alone, as its answer, and the answer is the call (`Draft.text_call`). Otherwise the grammar
becomes the `pattern` of the function's string, where that is obeyed and means the same in JSON. What
neither can do stays in the tool's description.
"""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.dialects.base import GrammarField
from adapter.tools.custom import with_pattern
from adapter.tools.grammars.forms import Form, grammar_form
from adapter.translate.fit.draft import Draft
from adapter.translate.fit.effort import put
from adapter.types.chat import ChatFunctionDefinition, ChatTool

_PATH = "tool_choice"

# (the form of the grammar, the request field, (the grammar) to its value)
_FIELDS: Mapping[GrammarField, tuple[Form, str, Callable[[str], Any]]] = {
    "structured_outputs": ("gbnf", "structured_outputs", lambda text: {"grammar": text}),
    "ebnf": ("gbnf", "ebnf", lambda text: text),
    "grammar": ("gbnf", "grammar", lambda text: text),
    "fireworks": ("gbnf", "response_format", lambda text: {"type": "grammar", "grammar": text}),
    "tgi": ("regex", "response_format", lambda text: {"type": "regex", "value": text}),
}


def fit_grammars(draft: Draft, dialect: Dialect) -> None:
    """Enforce what can be enforced."""
    tools: list[ChatTool] = draft.parameters["tools"]
    certain = _certain(tools, draft.parameters.get("tool_choice"))
    if certain is not None and _enforce(certain, draft, dialect):
        return
    if dialect.schema_patterns != "never" and "pattern" not in dialect.schema_refuses:
        draft.parameters["tools"] = [_with_pattern(tool, draft, dialect) for tool in tools]


def holds_grammar(parameters: Mapping[str, Any], dialect: Dialect) -> bool:
    """Tell whether a request asks for an answer that fits the grammar of a tool."""
    if dialect.grammar_field is None or "tools" in parameters:
        return False
    value = parameters.get(_FIELDS[dialect.grammar_field][1])
    if isinstance(value, dict):
        return "grammar" in value or value.get("type") in ("grammar", "regex")
    return isinstance(value, str)  # a client's own would be raw


def _certain(tools: list[ChatTool], choice: Any) -> ChatFunctionDefinition | None:
    """Return the function that has to be called, if there is but one."""
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        return next((tool.function for tool in tools if tool.function.name == name), None)
    return tools[0].function if choice == "required" and len(tools) == 1 else None


def _enforce(function: ChatFunctionDefinition, draft: Draft, dialect: Dialect) -> bool:
    """Ask for the input of a tool instead of its call, and tell whether that can be done."""
    if dialect.grammar_field is None or function.name not in draft.grammars:
        return False
    form, field, value_of = _FIELDS[dialect.grammar_field]
    is_taken = field in draft.parameters and field != "response_format"
    is_known = dialect.only is None or field in dialect.only
    if is_taken or not is_known or field in dialect.refuses:
        return False
    grammar = draft.grammars[function.name]
    text = grammar_form(grammar.syntax, grammar.definition, form)
    if text is None:
        return False
    # A format is for an answer in words, and there will be none.
    for name in ("tools", "tool_choice", "parallel_tool_calls", "response_format"):
        draft.parameters.pop(name, None)
    draft.parameters[field] = value_of(text)
    for path, setting in dialect.grammar_body.items():
        put(draft.parameters, path, setting)
    draft.instruct(_request(function))
    draft.text_call = function.name
    draft.rewrite(_PATH)
    return True


def _request(function: ChatFunctionDefinition) -> str:
    about = f"\n\n{function.description}" if function.description else ""
    return (
        f"Use the tool {function.name} now. Your whole answer is its input: write it as it is, "
        f"without a word before or behind it, and without a code fence.{about}"
    )


def _with_pattern(tool: ChatTool, draft: Draft, dialect: Dialect) -> ChatTool:
    grammar = draft.grammars.get(tool.function.name)
    if grammar is None:
        return tool
    pattern = grammar_form(grammar.syntax, grammar.definition, "json_pattern")
    if pattern is None:
        return tool
    function = with_pattern(tool.function, pattern)
    if dialect.schema_patterns == "strict":
        function = msgspec.structs.replace(function, strict=True)
    return ChatTool(function)
