"""What an agent sends: its instructions, its tools, and every turn so far: a text, a call, its output.

The same conversation in both APIs, so that servers of either can be asked it.
"""

import json
from typing import Any

CALLS = 50
TOOLS = 30
_OUTPUT_LINES = 37  # which makes it all 200 kB
_INSTRUCTIONS = (
    "You are a coding agent. Read before you write, and run the tests after each change.\n" * 50
)
_TASK = 'The test "cuts a long name" fails. Find out why, and mend it.'
# As source code comes out of a shell: line breaks, quotes and tabs are escapes in JSON.
_LINE = '\tif name == "long" and len(name) > {number}:  # see \\ref{{cut}}, line {number}\n'


def as_responses() -> dict[str, Any]:
    """Return the fields of a request of the Responses API."""
    items: list[dict[str, Any]] = [{"role": "user", "content": _TASK}]
    for number in range(CALLS):
        call_id = f"call_{number:024}"
        said = {"type": "message", "id": f"msg_{number:024}", "role": "assistant"}
        part = {"type": "output_text", "text": _text(number), "annotations": []}
        items.append(said | {"status": "completed", "content": [part]})
        call = {"type": "function_call", "id": f"fc_{number:024}", "call_id": call_id}
        items.append(call | {"status": "completed"} | _function(number))
        output = {"type": "function_call_output", "call_id": call_id}
        items.append(output | {"output": _output(number)})
    tools = [{"type": "function", "strict": False} | _tool(number) for number in range(TOOLS)]
    return {"instructions": _INSTRUCTIONS, "input": items, "tools": tools}


def as_chat() -> dict[str, Any]:
    """Return the fields of a chat request that says the same."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": _INSTRUCTIONS},
        {"role": "user", "content": _TASK},
    ]
    for number in range(CALLS):
        call_id = f"call_{number:024}"
        call = {"id": call_id, "type": "function", "function": _function(number)}
        messages.append({"role": "assistant", "content": _text(number), "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": call_id, "content": _output(number)})
    tools = [
        {"type": "function", "function": {"strict": False} | _tool(number)}
        for number in range(TOOLS)
    ]
    return {"messages": messages, "tools": tools}


def _text(number: int) -> str:
    return f"Now I look at part {number}."


def _function(number: int) -> dict[str, str]:
    arguments = {"path": f"src/names/part_{number}.py", "pattern": 'name == "long"', "lines": 80}
    return {"name": f"tool_{number % TOOLS}", "arguments": json.dumps(arguments)}


def _output(number: int) -> str:
    return "".join(_LINE.format(number=number * 1000 + line) for line in range(_OUTPUT_LINES))


def _tool(number: int) -> dict[str, Any]:
    about = "What the tool takes for this, told in as many words as agents use for such things."
    properties = {
        "path": {"type": "string", "description": about},
        "pattern": {"type": "string", "description": about},
        "lines": {"type": "integer", "description": about, "minimum": 1, "maximum": 2000},
        "mode": {"type": "string", "enum": ["first", "last", "all"], "description": about},
    }
    schema = {"type": "object", "properties": properties, "required": ["path"]}
    described = {"name": f"tool_{number}", "description": about * 3}
    return described | {"parameters": schema | {"additionalProperties": False}}
