"""How tools are called, and what is obeyed of what a client may ask for."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from adapter.probe.check import (
    Check,
    Verdict,
    also,
    fine,
    lesson,
    lost,
    met,
    quote,
    refusal,
    unclear,
)
from adapter.probe.known import SHORT, Known, user
from adapter.probe.reply import Question, Reply
from adapter.types.chat import (
    ChatFunction,
    ChatFunctionDefinition,
    ChatMessage,
    ChatTool,
    ChatToolCall,
)

_CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
}
_PARAMETERS = msgspec.Raw(msgspec.json.encode(_CITY))
_WEATHER = ChatFunctionDefinition(
    name="get_weather", description="Get the current weather in a city.", parameters=_PARAMETERS
)
_TIME = ChatFunctionDefinition(
    name="get_time", description="Get the current time in a city.", parameters=_PARAMETERS
)
TOOLS = (ChatTool(_WEATHER), ChatTool(_TIME))
_ASK_WEATHER = user("What is the weather in Paris?")
_NAMED = {"type": "function", "function": {"name": _TIME.name}}
# Longer than some services allow (Mistral), so that they say so.
_CALL = ChatToolCall(
    "call_0123456789abcdef01234567", ChatFunction(_WEATHER.name, '{"city": "Paris"}')
)
_THOUGHT = "The user wants to know the weather in Paris, so I look it up with the tool for it."
# How models write calls that nobody takes out of their text (hermes, Mistral, Llama, harmony).
_MARKUP = re.compile(r'<\|?tool|\[TOOL_CALLS\]|<function|"name"\s*:\s*"get_|<\|channel\|>')


def _ask_calls(known: Known) -> Sequence[Question]:
    return [known.question(_ASK_WEATHER, fields={"tools": TOOLS})]


def _judge_calls(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if reply.is_refused:
        return lost(refusal(reply), "hands the refusal to the client")
    return also(_describe_call(reply), takes_tools=True)


def _describe_call(reply: Reply) -> Verdict:
    if not reply.calls:
        return _describe_no_call(reply)
    call = reply.calls[0]
    odd = _oddities(reply)
    pieces = len(_pieces(reply))
    shape = "whole in one delta" if pieces == len(reply.calls) else f"in {pieces} deltas"
    finding = "; ".join([f"{call.name}({call.arguments}), {shape}", *odd])
    if not _is_object(call.arguments):
        return lost(f"{finding}; no JSON object", "hands the arguments on as they are")
    return met(finding, "makes up for it") if odd else fine(finding)


def _describe_no_call(reply: Reply) -> Verdict:
    if _MARKUP.search(reply.text):
        return lost(
            f"calls are left in the text: {quote(reply.text)}",
            "cannot tell them from text: switch on the server's tool parser",
        )
    if reply.is_short_of_tokens:
        return unclear("no call within the tokens allowed")
    return unclear(f"the model made no call: {quote(reply.text)}")


def _pieces(reply: Reply) -> list[dict[str, Any]]:
    """Return what stands in `tool_calls`, piece by piece."""
    found: list[dict[str, Any]] = []
    for said in reply.messages():
        calls = said.get("tool_calls")
        listed = calls if isinstance(calls, list) else [calls]
        found += [each for each in listed if isinstance(each, dict)]
    return found


def _oddities(reply: Reply) -> list[str]:
    """Return what is not as OpenAI has it."""
    pieces = _pieces(reply)
    if not pieces:
        return ["function_call, without tool_calls"]
    ids = [str(piece["id"]) for piece in pieces if piece.get("id")]
    functions = [each for piece in pieces if isinstance(each := piece.get("function"), dict)]
    names = [function["name"] for function in functions if function.get("name")]
    signs = {
        "no id": not ids,
        "id on every piece": len(ids) > len(set(ids)),
        "no index": reply.is_stream and any(piece.get("index") is None for piece in pieces),
        "name on every piece": len(names) > len(reply.calls),
        "arguments are an object": any(
            isinstance(each.get("arguments"), dict) for each in functions
        ),
        f"finish_reason {reply.finish_reason}": reply.finish_reason != "tool_calls",
    }
    return [sign for sign, is_so in signs.items() if is_so]


def _is_object(arguments: str) -> bool:
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except msgspec.DecodeError:
        return False


def _ask_none(known: Known) -> Sequence[Question]:
    return [known.question(_ASK_WEATHER, fields={"tools": TOOLS, "tool_choice": "none"})]


def _judge_none(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    action = "leaves the tools out"
    facts = {"tool_choices": known.dialect.tool_choices - {"none"}}
    if reply.is_refused:
        return met(refusal(reply), action, **facts)
    if reply.calls:
        return met(f"ignored: calls {reply.calls[0].name}", action, **facts)
    if _MARKUP.search(reply.text):
        return met("the model sees the tools, and writes its call as text", action, **facts)
    if reply.is_short_of_tokens and not reply.text.strip():
        return unclear("no answer within the tokens allowed")
    return fine("obeyed", tool_choices=known.dialect.tool_choices | {"none"})


def _ask_required(known: Known) -> Sequence[Question]:
    return [known.question(user("Hello"), fields={"tools": TOOLS, "tool_choice": "required"})]


def _judge_required(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    action = "asks for a call in words"
    facts = {"tool_choices": known.dialect.tool_choices - {"required"}}
    if reply.is_refused:
        return met(refusal(reply), action, **facts)
    if reply.calls:
        return fine(
            f"obeyed{_end_of(reply)}", tool_choices=known.dialect.tool_choices | {"required"}
        )
    if reply.is_short_of_tokens:
        return unclear("no call within the tokens allowed")
    return met(f"ignored: {quote(reply.text)}", action, **facts)


def _ask_named(known: Known) -> Sequence[Question]:
    return [known.question(_ASK_WEATHER, fields={"tools": TOOLS, "tool_choice": _NAMED})]


def _judge_named(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    forced = "required" in known.dialect.tool_choices
    action = "offers that function alone" + (", with required" if forced else ", and asks for it")
    facts = {"tool_choices": known.dialect.tool_choices - {"named"}}
    if reply.is_refused:
        return met(refusal(reply), action, **facts)
    if not reply.calls:
        if reply.is_short_of_tokens:
            return unclear("no call within the tokens allowed")
        return met(f"ignored: {quote(reply.text)}", action, **facts)
    if reply.calls[0].name != _TIME.name:
        return met(f"ignored: calls {reply.calls[0].name}", action, **facts)
    return fine(f"obeyed{_end_of(reply)}", tool_choices=known.dialect.tool_choices | {"named"})


def _end_of(reply: Reply) -> str:
    return "" if reply.finish_reason == "tool_calls" else f", finish_reason {reply.finish_reason}"


def _ask_parallel(known: Known) -> Sequence[Question]:
    both = user("What is the weather in Paris and London?")
    tools = {"tools": TOOLS[:1]}
    return [
        known.question(both, fields=tools),
        known.question(both, fields=tools | {"parallel_tool_calls": False}),
    ]


def _judge_parallel(known: Known, replies: Sequence[Reply]) -> Verdict:
    free, single = replies
    action = "hands on the first call alone"
    if single.is_refused:
        refuses = known.dialect.refuses | {"parallel_tool_calls"}
        return met(refusal(single), action, refuses=refuses)
    if len(single.calls) > 1:
        return met(f"ignored: {len(single.calls)} calls", action)
    if free.is_refused or len(free.calls) < 2:
        return unclear("taken; the model makes one call anyway", action)
    return fine(f"obeyed: {len(single.calls)} call in place of {len(free.calls)}")


def _ask_strict(known: Known) -> Sequence[Question]:
    strict = msgspec.structs.replace(
        _WEATHER,
        parameters=msgspec.Raw(msgspec.json.encode({**_CITY, "additionalProperties": False})),
        strict=True,
    )
    return [known.question(_ASK_WEATHER, limit=SHORT, fields={"tools": (ChatTool(strict),)})]


def _judge_strict(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return fine("taken", "" if known.dialect.strict_tools else "leaves it out")
    facts = lesson(known, reply) or {"strict_tools": False}
    return met(refusal(reply), "leaves out what is refused, and says so", **facts)


def told_weather(known: Known, field: str | None = None) -> Question:
    """Ask with a call and its result, and with reasoning before it in this field."""
    reasoning = {} if field is None else {field: _THOUGHT}
    return known.question(
        _ASK_WEATHER,
        ChatMessage("assistant", "", tool_calls=(_CALL,), **reasoning),
        ChatMessage("tool", "It is sunny in Paris.", tool_call_id=_CALL.id),
        limit=SHORT,
        thinks=True,
        fields={"tools": TOOLS},
    )


def _ask_results(known: Known) -> Sequence[Question]:
    return [told_weather(known)]


def _judge_results(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return fine("taken")
    facts = lesson(known, reply)
    if not facts:
        return lost(refusal(reply), "hands the refusal to the client")
    return also(met(refusal(reply), "sends them as it wants them", **facts), more=(RESULTS,))


CALLS = Check("tool calls", _ask_calls, _judge_calls)
RESULTS = Check("tool results", _ask_results, _judge_results, ("takes_tools",))
CHOICES = (
    Check("tool_choice none", _ask_none, _judge_none, ("takes_tools",)),
    Check("tool_choice required", _ask_required, _judge_required, ("takes_tools",)),
    Check("tool_choice named", _ask_named, _judge_named, ("takes_tools",)),
    Check("parallel_tool_calls", _ask_parallel, _judge_parallel, ("takes_tools",)),
    Check("strict tools", _ask_strict, _judge_strict, ("takes_tools",)),
)
