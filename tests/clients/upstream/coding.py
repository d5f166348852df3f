"""What coding agents are asked: files, patches, tools of MCP servers, and what goes wrong with them.

Where nothing else is said, the names of the tools are Codex's.
"""

import json
import re
from typing import Any

from tests.clients.upstream.brain import Scene, Turn, all_text, images_of
from tests.clients.upstream.saying import Call, Say
from tests.clients.upstream.scenes import GREETING, PROMPTS

WRITE = "Write the file greeting.txt."
WRITE_TWO = "Write two files at once."
WRITE_BY_TOOL = "Write two files with your tool for that."  # opencode
READ_PICTURE = "Read the picture dot.png."  # opencode
PATCH = PROMPTS["patch"]
ASK_MCP = "Ask the demo server for the weather in Paris."
SEARCH_TOOLS = "Find a tool for the weather, and ask it."
VIEW = PROMPTS["view"]
BROKEN_CALL = "Make a broken call first."
UNKNOWN_CALL = "Call a tool that is not there first."
CODE = "Run some code."
DELEGATE = "Have another agent say who it is."
COMPACTION = "CONTEXT CHECKPOINT COMPACTION"  # as Codex asks for it
OUR_COMPACTION = "about to be replaced by a summary"  # as the adapter does
FILL_CONTEXT = "Fill the context."
OVERFLOW_TOKENS = 90_000

PATCH_TEXT = """\
*** Begin Patch
*** Update File: greeting.txt
@@
-hello
+goodbye "friend" \\ ü
*** End Patch
"""
PATCHED_TEXT = 'goodbye "friend" \\ ü\n'


def write(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Written: {turn.said}")
    return turn.call("exec_command", {"cmd": "printf 'hello\\n' > greeting.txt; cat greeting.txt"})


def write_two(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Written: {turn.said}")
    return turn.calls(
        ("exec_command", {"cmd": "echo one > one.txt; cat one.txt"}),
        ("exec_command", {"cmd": "echo two > two.txt; cat two.txt"}),
    )


def write_by_tool(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Written: {turn.said}")
    return turn.calls(
        ("write", {"filePath": "one.txt", "content": "one\n"}),
        ("write", {"filePath": "two.txt", "content": "two\n"}),
    )


def read_picture(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Pictures: {len(images_of(turn.body))}.")
    return turn.call("read", {"filePath": "dot.png"})


def patch(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Patched: {turn.said}")
    return turn.call("apply_patch", {"input": PATCH_TEXT})


def ask_mcp(turn: Turn) -> Say:
    if turn.step:
        return Say(f"The server says: {turn.said}")
    return turn.call("get_weather", {"city": "Paris"})


def ask_mcp_as(spelled: str) -> Scene:
    """Call the tool by another name than it was offered under."""

    def ask(turn: Turn) -> Say:
        call = Call(spelled, {"city": "Paris"})
        return ask_mcp(turn) if turn.step else Say(calls=(call,))

    return ask


def search_tools(turn: Turn) -> Say:
    """A client's own search brings tools that the next request offers."""
    match turn.step:
        case 0:
            return turn.call("tool_search", {"query": "weather"})
        case 1:
            return turn.call("get_weather", {"city": "Paris"})
        case _:
            return Say(f"The server says: {turn.outputs[-1]}")


def view(turn: Turn) -> Say:
    if turn.step:
        return Say(f"Pictures: {len(images_of(turn.body))}.")
    return turn.call("view_image", {"path": "dot.png"})


def broken_call(turn: Turn) -> Say:
    """Arguments that are no JSON, which the client sends back with every later request."""
    match turn.step:
        case 0:
            return turn.call("exec_command", '{"cmd": "echo ')
        case 1:
            return turn.call("exec_command", {"cmd": "echo mended"})
        case _:
            return Say(f"In the end: {turn.outputs[-1]}")


def unknown_call(turn: Turn) -> Say:
    if turn.step:
        return Say(f"It said: {turn.said}")
    return Say(calls=(Call("no_such_tool", {}),))


def run_code(turn: Turn) -> Say:
    if turn.step:
        return Say(f"It printed: {turn.said}")
    code = 'const done = await tools.exec_command({cmd: "echo from code"});\ntext(done.output);\n'
    return turn.call("exec", {"input": code})


def delegate(turn: Turn) -> Say:
    """Start another agent, wait for it, and tell what it said, in either of Codex's ways."""
    if turn.step == 0:
        spawn = turn.tool("spawn_agent")
        known = turn.tools[spawn]["properties"] if spawn else {}
        wanted = {"message": PROMPTS["hello"], "task_name": "who"}
        return turn.call("spawn_agent", {name: wanted[name] for name in wanted if name in known})
    if turn.step == 1:
        ids = re.findall(r'"agent_id":"([^"]+)"', turn.said)  # in the older way
        return turn.call("wait_agent", {"timeout_ms": 10_000} | ({"targets": ids} if ids else {}))
    return Say(f"It is known: {GREETING in all_text(turn.body)}.")


def compact(turn: Turn) -> Say:
    if turn.tools:
        return Say("I was offered tools, where there should be none.")
    return Say("So far: the user told me the word walnut.")


def fill_context(turn: Turn) -> Say:
    """Say that the context is all but full, so that the client makes it smaller."""
    return Say("It is full.", prompt_tokens=OVERFLOW_TOKENS)


CODING_SCENES: dict[str, Scene] = {
    WRITE: write,
    WRITE_TWO: write_two,
    WRITE_BY_TOOL: write_by_tool,
    READ_PICTURE: read_picture,
    PATCH: patch,
    ASK_MCP: ask_mcp,
    SEARCH_TOOLS: search_tools,
    VIEW: view,
    BROKEN_CALL: broken_call,
    UNKNOWN_CALL: unknown_call,
    CODE: run_code,
    DELEGATE: delegate,
    COMPACTION: compact,
    OUR_COMPACTION: compact,
    FILL_CONTEXT: fill_context,
}


def patch_with(arguments: dict[str, Any] | str) -> Scene:
    """Patch with other arguments than those that were asked for."""

    def patch_so(turn: Turn) -> Say:
        return patch(turn) if turn.step else turn.call("apply_patch", arguments)

    return patch_so


_HEREDOC = f"apply_patch <<'EOF'\n{PATCH_TEXT}EOF"

# What models make of a freeform tool's input (`clients.md` §7).
ODD_PATCHES: dict[str, Scene] = {
    name: patch_with(arguments)
    for name, arguments in {
        "raw": PATCH_TEXT,
        "raw in a fence": f"```patch\n{PATCH_TEXT}```",
        "quoted": json.dumps(PATCH_TEXT),
        "another field": {"patch": PATCH_TEXT},
        "a field too many": {"workdir": ".", "input": PATCH_TEXT},
        "command line": {"command": ["apply_patch", PATCH_TEXT]},
        "shell": {"command": ["bash", "-lc", _HEREDOC]},
        "heredoc": {"input": _HEREDOC},
        "fence": {"input": f"```patch\n{PATCH_TEXT}```"},
        "JSON once more": {"input": json.dumps({"input": PATCH_TEXT})},
        "lines": {"input": PATCH_TEXT.splitlines()},
    }.items()
}
