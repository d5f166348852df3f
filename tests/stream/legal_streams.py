"""Legal streams made by hand, one item of every type: what the tests of the rule book start from.

Written from the specification, not from our own state machine.
"""

from collections.abc import Mapping
from typing import Any

Event = dict[str, Any]

RESPONSE: Mapping[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_760_000_000,
    "completed_at": None,
    "status": "in_progress",
    "incomplete_details": None,
    "model": "tiny",
    "previous_response_id": None,
    "instructions": None,
    "output": [],
    "error": None,
    "tools": [],
    "tool_choice": "auto",
    "truncation": "disabled",
    "parallel_tool_calls": True,
    "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "top_p": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
    "top_logprobs": 0,
    "temperature": 1.0,
    "reasoning": None,
    "usage": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "store": False,
    "background": False,
    "service_tier": "default",
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
}
USAGE: Mapping[str, Any] = {
    "input_tokens": 3,
    "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
    "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 2},
    "total_tokens": 8,
}
OUTCOMES: Mapping[str, Mapping[str, Any]] = {
    "completed": {"completed_at": 1_760_000_009, "usage": USAGE},
    "incomplete": {"incomplete_details": {"reason": "max_output_tokens"}, "usage": USAGE},
    "failed": {"error": {"code": "server_error", "message": "The upstream went away."}},
}
ERROR: Mapping[str, Any] = {
    "type": "error",
    "error": {
        "type": "server_error",
        "code": "server_error",
        "message": "The upstream went away.",
        "param": None,
    },
}
LOGPROB: Mapping[str, Any] = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
ANNOTATION: Mapping[str, Any] = {
    "type": "url_citation",
    "url": "https://example.org",
    "title": "Example",
    "start_index": 0,
    "end_index": 1,
}


def stream(*items: list[Event], status: str = "completed", queued: bool = False) -> list[Event]:
    """Put items into a response that ends with `status`."""
    first: Event = {"type": "response.created", "response": {**RESPONSE}}
    events = [first]
    if queued:
        first["response"]["status"] = "queued"
        events.append({"type": "response.queued", "response": {**RESPONSE, "status": "queued"}})
    events.append({"type": "response.in_progress", "response": {**RESPONSE}})
    for index, item in enumerate(items):
        events += [{**event, "output_index": index} for event in item]
    output = [item[-1]["item"] for item in items]
    last = {**RESPONSE, "status": status, "output": output, **OUTCOMES[status]}
    if status == "failed":
        events.append({**ERROR})
    events.append({"type": f"response.{status}", "response": last})
    return numbered(events)


def numbered(events: list[Event]) -> list[Event]:
    return [{**event, "sequence_number": number} for number, event in enumerate(events)]


def item(
    fields: Mapping[str, Any],
    done: Mapping[str, Any],
    *body: Event,
    begun: str = "in_progress",
    status: str = "completed",
) -> list[Event]:
    """Put events between an item as it is added and as it is done.

    Statuses are `begun` and then `status`; an empty one makes an item of a type that has none.
    """
    added = {**fields, "status": begun} if status else {**fields}
    whole = {**added, **done, "status": status} if status else {**added, **done}
    return [
        {"type": "response.output_item.added", "item": added},
        *({"item_id": fields["id"], **event} for event in body),
        {"type": "response.output_item.done", "item": whole},
    ]


def run(event_type: str, key: str, *pieces: str, **fields: Any) -> list[Event]:
    """Stream a text: its deltas and its whole."""
    return [
        *({"type": f"{event_type}.delta", "delta": piece, **fields} for piece in pieces),
        {"type": f"{event_type}.done", key: "".join(pieces), **fields},
    ]


def part(prefix: str, empty: Event, whole: Event, *body: Event, **index: int) -> list[Event]:
    """Put a streamed text into its part."""
    return [
        {"type": f"response.{prefix}.added", "part": empty, **index},
        *({**event, **index} for event in body),
        {"type": f"response.{prefix}.done", "part": whole, **index},
    ]


def message(item_id: str = "msg_1", status: str = "completed") -> list[Event]:
    """A message of a text with a citation and log probabilities, and a refusal."""
    text = run("response.output_text", "text", "al", "so", logprobs=[LOGPROB])
    text[-1]["logprobs"] = [LOGPROB, LOGPROB]
    citation: Event = {"type": "response.output_text.annotation.added", "annotation_index": 0}
    text.insert(1, {**citation, "annotation": ANNOTATION})
    empty = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    whole = {
        "type": "output_text",
        "text": "also",
        "annotations": [ANNOTATION],
        "logprobs": [LOGPROB, LOGPROB],
    }
    refusal = {"type": "refusal", "refusal": "not that"}
    parts = [
        *part("content_part", empty, whole, *text, content_index=0),
        *part(
            "content_part",
            {"type": "refusal", "refusal": ""},
            refusal,
            *run("response.refusal", "refusal", "not ", "that"),
            content_index=1,
        ),
    ]
    added = {"id": item_id, "type": "message", "role": "assistant", "content": []}
    return item(added, {"content": [whole, refusal]}, *parts, status=status)


def reasoning(item_id: str = "rs_1", name: str = "reasoning_text") -> list[Event]:
    """Raw thoughts; `name` is that of the SDK or, `reasoning`, that of Open Responses."""
    whole = {"type": "reasoning_text", "text": "hm, so"}
    body = part(
        "content_part",
        {"type": "reasoning_text", "text": ""},
        whole,
        *run(f"response.{name}", "text", "hm", ", so"),
        content_index=0,
    )
    added = {"id": item_id, "type": "reasoning", "summary": []}
    return item(added, {"content": [whole]}, *body, status="")


def summaries(item_id: str = "rs_2") -> list[Event]:
    parts = [{"type": "summary_text", "text": text} for text in ("first", "second")]
    body = [
        event
        for index, whole in enumerate(parts)
        for event in part(
            "reasoning_summary_part",
            {"type": "summary_text", "text": ""},
            whole,
            *run("response.reasoning_summary_text", "text", *whole["text"]),
            summary_index=index,
        )
    ]
    return item({"id": item_id, "type": "reasoning", "summary": []}, {"summary": parts}, *body)


def function_call(item_id: str = "fc_1", status: str = "completed") -> list[Event]:
    return item(
        {
            "id": item_id,
            "type": "function_call",
            "call_id": f"call_{item_id}",
            "name": "add",
            "arguments": "",
        },
        {"arguments": '{"a":1}'},
        *run("response.function_call_arguments", "arguments", '{"a":', "1}"),
        status=status,
    )


def phases(kind: str, *names: str) -> list[Event]:
    return [{"type": f"response.{kind}.{name}"} for name in names]


def mcp_list_tools(end: str = "completed") -> list[Event]:
    added = {"id": "mcpl_1", "type": "mcp_list_tools", "server_label": "docs", "tools": []}
    tools = [{"name": "search", "input_schema": {"type": "object"}}]
    done = {"tools": tools} if end == "completed" else {"error": "no answer"}
    return item(added, done, *phases("mcp_list_tools", "in_progress", end), status="")


def mcp_call(end: str = "completed") -> list[Event]:
    added = {
        "id": "mcp_1",
        "type": "mcp_call",
        "server_label": "docs",
        "name": "search",
        "arguments": "",
        "output": None,
        "error": None,
        "approval_request_id": None,
    }
    failure = {"type": "http_error", "code": 500, "message": "no answer"}
    result = {"output": "found"} if end == "completed" else {"error": failure}
    return item(
        added,
        {"arguments": "{}", **result},
        *phases("mcp_call", "in_progress"),
        *run("response.mcp_call_arguments", "arguments", "{", "}"),
        *phases("mcp_call", end),
        status=end,
    )
