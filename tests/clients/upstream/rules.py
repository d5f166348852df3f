"""What a strict chat server refuses, in the words of the servers that do.

Every rule is one that some server has (`adapter/dialects` names them); no server has them all.
What is common to all clients is refused whatever the variant; the rest is a rule of a variant.
"""

import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

Body = dict[str, Any]
Message = dict[str, Any]
Rule = Callable[[Body], Iterator[str]]

FIELDS = frozenset(
    {
        "frequency_penalty",
        "logprobs",
        "max_tokens",
        "messages",
        "model",
        "parallel_tool_calls",
        "presence_penalty",
        "reasoning_effort",
        "response_format",
        "stream",
        "stream_options",
        "temperature",
        "tool_choice",
        "tools",
        "top_logprobs",
        "top_p",
    }
)
MESSAGE_FIELDS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "reasoning_content"},
    "tool": {"role", "content", "tool_call_id"},
}
MAX_CALL_ID_CHARS = 40
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def refusal(body: Body, *more: Rule) -> str | None:
    """Return why a request is refused, or None."""
    for rule in (*RULES, *more):
        for reason in rule(body):
            return reason
    return None


def _fields(body: Body) -> Iterator[str]:
    for name, value in body.items():
        if name not in FIELDS:
            yield f"Unrecognized request argument supplied: {name}"
        if value is None:
            yield f"{name}: Input should not be null"


def _messages(body: Body) -> Iterator[str]:
    if not body.get("messages"):
        yield "messages: List should have at least 1 item"
    for index, message in enumerate(body["messages"]):
        role = message.get("role")
        if role not in MESSAGE_FIELDS:
            yield f"messages[{index}].role: unknown role {role!r}"
        for name in message.keys() - MESSAGE_FIELDS[role]:
            yield f"messages[{index}].{name}: Extra inputs are not permitted"
        yield from _content(message, f"messages[{index}].content")


def _content(message: Message, at: str) -> Iterator[str]:
    content = message.get("content")
    if isinstance(content, str):
        if not content and message["role"] == "user":
            yield f"{at}: must not be empty"
        return
    if not isinstance(content, list) or not content or message["role"] != "user":
        yield f"{at}: expected a string"
        return
    for part in content:
        match part:
            case {"type": "text", "text": str(text), **rest} if text and not rest:
                pass
            case {"type": "image_url", "image_url": {"url": str(), **rest}} if len(part) == 2:
                if rest.get("detail", "auto") not in {"auto", "low", "high"}:
                    yield f"{at}: unknown detail {rest['detail']!r}"
            case _:
                yield f"{at}: unknown part {json.dumps(part)[:80]}"


def _system_first(body: Body) -> Iterator[str]:
    """Qwen's template."""
    if any(message["role"] == "system" for message in body["messages"][1:]):
        yield "System message must be at the beginning."


def _history(body: Body) -> Iterator[str]:
    """Calls are whole and answered in their order, right behind them."""
    open_ids: list[str] = []
    for message in body["messages"]:
        if message["role"] == "tool":
            if not open_ids or message.get("tool_call_id") != open_ids[0]:
                yield "messages with role 'tool' must be a response to a preceding 'tool_calls'"
            open_ids = open_ids[1:]
            continue
        if open_ids:
            yield f"tool_call_ids did not have response messages: {', '.join(open_ids)}"
        open_ids = [call.get("id") for call in message.get("tool_calls", ())]
        for call in message.get("tool_calls", ()):
            yield from _past_call(call)
    if open_ids:
        yield f"tool_call_ids did not have response messages: {', '.join(open_ids)}"


def _past_call(call: dict[str, Any]) -> Iterator[str]:
    id, function = call.get("id"), call.get("function", {})
    if not isinstance(id, str) or not 0 < len(id) <= MAX_CALL_ID_CHARS:
        yield f"tool_calls: invalid id {id!r}"
    if call.keys() != {"id", "type", "function"} or function.keys() != {"name", "arguments"}:
        yield f"tool_calls: unknown shape {json.dumps(call)[:80]}"
    if not _NAME.fullmatch(function["name"]):
        yield f"tool_calls: invalid name {function['name']!r}"
    try:
        arguments = json.loads(function["arguments"])
    except ValueError:
        arguments = None
    if not isinstance(arguments, dict):
        yield f"tool_calls: arguments are not a JSON object: {function['arguments'][:80]}"


def _tools(body: Body) -> Iterator[str]:
    tools = body.get("tools")
    if tools is None:
        for name in ("tool_choice", "parallel_tool_calls"):
            if name in body:
                yield f"{name} is only allowed when tools are specified"
        return
    if not tools:
        yield "tools: List should have at least 1 item"
    for tool in tools:
        yield from _tool(tool)
    names = [tool["function"]["name"] for tool in tools]
    if len(set(names)) < len(names):
        yield "tools: names must be unique"
    match body.get("tool_choice", "auto"):
        case "none" | "auto" | "required":
            pass
        case {"type": "function", "function": {"name": str(name)}} if name in names:
            pass
        case choice:
            yield f"tool_choice: unknown {json.dumps(choice)[:80]}"


def _tool(tool: dict[str, Any]) -> Iterator[str]:
    function = tool.get("function", {})
    if tool.keys() != {"type", "function"} or tool["type"] != "function":
        yield "'type' of tool must be 'function'"
    if function.keys() - {"name", "description", "parameters", "strict"}:
        yield f"tools: Extra inputs are not permitted: {sorted(function)}"
    if not _NAME.fullmatch(function.get("name", "")):
        yield f"tools: invalid name {function.get('name')!r}"
    if function.get("parameters", {}).get("type") != "object":
        yield f"tools: parameters of {function['name']!r} must be of type object"
    if not isinstance(function.get("description", ""), str):
        yield f"tools: description of {function['name']!r} must be a string"


def _stream(body: Body) -> Iterator[str]:
    if "stream_options" in body and not body.get("stream"):
        yield "stream_options is only allowed when stream is enabled"
    if "top_logprobs" in body and not body.get("logprobs"):
        yield "top_logprobs is only allowed with logprobs"


RULES: tuple[Rule, ...] = (_fields, _messages, _system_first, _history, _tools, _stream)


def roles_alternate(body: Body) -> Iterator[str]:
    """Mistral's and Gemma's templates."""
    turns = [
        "assistant" if message["role"] == "tool" else message["role"]
        for message in body["messages"]
        if message["role"] != "system"
    ]
    if turns[:1] != ["user"] or any(pair == ("user", "user") for pair in pairwise(turns)):
        yield (
            "After the optional system message, conversation roles must alternate "
            "user/assistant/user/assistant/..."
        )


def no_user_after_tool(body: Body) -> Iterator[str]:
    """Mistral's API."""
    roles = [message["role"] for message in body["messages"]]
    if ("tool", "user") in pairwise(roles):
        yield "Unexpected role 'user' after role 'tool'"


def no_system(body: Body) -> Iterator[str]:
    """Gemma-2's template."""
    if any(message["role"] == "system" for message in body["messages"]):
        yield "System role not supported"


def no_reasoning(body: Body) -> Iterator[str]:
    """Groq, OpenAI: nothing that belongs to reasoning."""
    if "reasoning_effort" in body:
        yield "Unrecognized request argument supplied: reasoning_effort"
    for index, message in enumerate(body["messages"]):
        if "reasoning_content" in message:
            yield f"'messages.{index}' : property 'reasoning_content' is unsupported"


def reasoning_with_calls(body: Body) -> Iterator[str]:
    """DeepSeek and Kimi while they think."""
    for message in body["messages"]:
        if message.get("tool_calls") and "reasoning_content" not in message:
            yield "thinking is enabled but reasoning_content is missing in assistant tool call message"


def nine_character_ids(body: Body) -> Iterator[str]:
    """Mistral's API."""
    for message in body["messages"]:
        for call in message.get("tool_calls", ()):
            if not re.fullmatch(r"[A-Za-z0-9]{9}", call["id"]):
                yield (
                    f"Tool call id was {call['id']} but must be a-z, A-Z, 0-9, with a length of 9."
                )


def no_strict(body: Body) -> Iterator[str]:
    """Servers with older schemas of tools."""
    for tool in body.get("tools", ()):
        if "strict" in tool["function"]:
            yield "tools.0.function.strict: Extra inputs are not permitted"


def plain_parameters(body: Body) -> Iterator[str]:
    """The least that a chat server knows."""
    for name in ("parallel_tool_calls", "stream_options", "reasoning_effort", "tool_choice"):
        if name in body:
            yield f"Unrecognized request argument supplied: {name}"
