"""Hosted tools of other types: Python functions, and types that a tool of an MCP server runs."""

import asyncio
from typing import Any

import pytest

from adapter import ToolResult, hosted_tool
from adapter.config import SettingsError
from adapter.errors import ToolError
from adapter.hosted.tools import MAX_CALLS, MAX_RESULT_BYTES
from adapter.types.hosted import Source
from tests.hosted.asking import items, kinds, mcp, text_of, tool_messages
from tests.hosted.conftest import Ask, Serve
from tests.servers.answers import text_answer, tool_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

FOUND = '{"results": [{"title": "A page", "url": "https://example.com/a"}]}'


@hosted_tool("web_search")
async def search(query: str, count: int = 3) -> str:
    """Search the web."""
    return FOUND


@hosted_tool("acme:lookup")
def look_up(word: str) -> dict[str, Any]:
    """Look a word up."""
    return {"word": word, "means": "something"}


@hosted_tool("code_interpreter")
async def run_code(code: str) -> str:
    """Run Python."""
    return "42\n"


@hosted_tool("file_search")
async def search_files(queries: list[str]) -> ToolResult:
    """Search files."""
    found = [{"file_id": "file_1", "filename": "a.txt", "score": 0.9, "text": "It is so."}]
    return ToolResult("It is so.", structured={"results": found})


async def test_a_function_runs_a_hosted_type(upstream: ScriptedUpstream, asker: Ask) -> None:
    upstream.reply(tool_answer(("web_search", {"query": "news"})), text_answer("None."))
    ask = asker(tools=[search])

    response = await ask(tools=[{"type": "web_search"}])

    assert kinds(response) == ["web_search_call", "message"]
    (call,) = items(response, "web_search_call")
    assert call["action"]["query"] == "news"
    assert ask.types()[2:8] == [
        "output_item.added",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_item.done",
        "output_item.added",
    ]
    (offered,) = ask.asked(0)["tools"]
    assert offered["function"]["description"] == "Search the web."
    assert offered["function"]["parameters"]["required"] == ["query"]
    assert tool_messages(ask.messages(1)) == [FOUND]


@pytest.mark.parametrize("alias", ["web_search_preview", "web_search_2025_08_26"])
async def test_a_dated_type_is_the_same_tool(
    upstream: ScriptedUpstream, asker: Ask, alias: str
) -> None:
    upstream.reply(tool_answer(("web_search", {"query": "news"})), text_answer("None."))

    response = await asker(tools=[search])(tools=[{"type": alias}], tool_choice={"type": alias})

    assert kinds(response) == ["web_search_call", "message"]


async def test_code_is_shown_as_it_runs(upstream: ScriptedUpstream, asker: Ask) -> None:
    upstream.reply(tool_answer(("code_interpreter", {"code": "print(42)"})), text_answer("42"))
    ask = asker(tools=[run_code])

    tool = {"type": "code_interpreter", "container": {"type": "auto"}}
    response = await ask(tools=[tool])

    (call,) = items(response, "code_interpreter_call")
    assert (call["code"], call["outputs"]) == ("print(42)", [{"type": "logs", "logs": "42\n"}])
    assert ask.types()[3:8] == [
        "code_interpreter_call.in_progress",
        "code_interpreter_call_code.delta",
        "code_interpreter_call_code.done",
        "code_interpreter_call.interpreting",
        "code_interpreter_call.completed",
    ]


async def test_files_are_searched(upstream: ScriptedUpstream, asker: Ask) -> None:
    upstream.reply(tool_answer(("file_search", {"queries": ["a", "b"]})), text_answer("So."))

    tool = {"type": "file_search", "vector_store_ids": ["vs_1"]}
    response = await asker(tools=[search_files])(tools=[tool])

    (call,) = items(response, "file_search_call")
    assert call["queries"] == ["a", "b"]
    assert call["results"][0]["file_id"] == "file_1"


async def test_a_type_of_ones_own_has_items_of_its_own(
    upstream: ScriptedUpstream, asker: Ask
) -> None:
    """Open Responses 2026-04-24, "Extending": types of vendors are `slug:name`."""
    upstream.reply(tool_answer(("look_up", {"word": "foo"})), text_answer("Something."))
    ask = asker(tools=[look_up])

    response = await ask(tools=[{"type": "acme:lookup"}])

    (call,) = items(response, "acme:lookup_call")
    assert (call["status"], call["arguments"]) == ("completed", '{"word": "foo"}')
    assert call["output"] == '{"word":"foo","means":"something"}'
    assert tool_messages(ask.messages(1)) == [call["output"]]


async def test_what_was_found_is_cited(upstream: ScriptedUpstream, asker: Ask) -> None:
    @hosted_tool("web_search")
    async def find(query: str) -> ToolResult:
        return ToolResult("Found.", sources=(Source("https://example.com/a", "A page"),))

    text = "It is so ([A page](https://example.com/a/)), says https://example.org/made-up."
    upstream.reply(tool_answer(("web_search", {"query": "so"})), text_answer(text))
    ask = asker(tools=[find])

    response = await ask(tools=[{"type": "web_search"}])

    (annotation,) = items(response, "message")[0]["content"][0]["annotations"]
    assert annotation == {
        "type": "url_citation",
        "start_index": 10,
        "end_index": 42,
        "url": "https://example.com/a",
        "title": "A page",
    }
    assert text_of(response)[10:42] == "[A page](https://example.com/a/)"
    assert "output_text.annotation.added" in ask.types()
    (call,) = items(response, "web_search_call")
    assert call["action"]["sources"] == [{"type": "url", "url": "https://example.com/a"}]


@pytest.mark.parametrize(
    ("failure", "told"),
    [(ToolError("No luck."), "No luck."), (ValueError("secret"), "The tool failed.")],
)
async def test_a_function_that_raises_does_not_fail_the_response(
    upstream: ScriptedUpstream, asker: Ask, failure: Exception, told: str
) -> None:
    @hosted_tool("acme:fail")
    async def fail() -> str:
        raise failure

    upstream.reply(tool_answer(("fail", {})), text_answer("Oh."))
    ask = asker(tools=[fail])

    response = await ask(tools=[{"type": "acme:fail"}])

    assert items(response, "acme:fail_call")[0]["status"] == "failed"
    assert tool_messages(ask.messages(1)) == [f"The call failed: {told}"]


async def test_wrong_arguments_do_not_reach_the_function(
    upstream: ScriptedUpstream, asker: Ask
) -> None:
    upstream.reply(tool_answer(("look_up", {"word": 1})), text_answer("Oh."))
    ask = asker(tools=[look_up])

    await ask(tools=[{"type": "acme:lookup"}])

    (told,) = tool_messages(ask.messages(1))
    assert "Expected str, got int" in told


async def test_calls_of_one_turn_run_together(upstream: ScriptedUpstream, asker: Ask) -> None:
    meeting = asyncio.Barrier(2)

    @hosted_tool("acme:meet")
    async def meet(name: str) -> str:
        await meeting.wait()
        return f"{name} was there."

    calls = [("meet", {"name": name}) for name in ("Ann", "Bob")]
    upstream.reply(tool_answer(*calls), text_answer("They met."))

    response = await asker(tools=[meet], tools_timeout=5)(tools=[{"type": "acme:meet"}])

    outputs = [call["output"] for call in items(response, "acme:meet_call")]
    assert outputs == ["Ann was there.", "Bob was there."]


async def test_very_many_calls_are_not_all_made(upstream: ScriptedUpstream, asker: Ask) -> None:
    made = 0

    @hosted_tool("acme:count")
    async def count() -> str:
        nonlocal made
        made += 1
        return "One more."

    call: tuple[str, dict[str, Any]] = ("count", {})
    upstream.reply(tool_answer(*[call] * (MAX_CALLS + 1)), text_answer("Many."))

    ask = asker(tools=[count])
    response = await ask(tools=[{"type": "acme:count"}], max_tool_calls=100_000)

    assert made == MAX_CALLS
    assert items(response, "acme:count_call")[-1]["status"] == "failed"
    assert ask.offered(1) == []


async def test_very_large_results_are_not_all_kept(upstream: ScriptedUpstream, asker: Ask) -> None:
    @hosted_tool("acme:read")
    async def read() -> str:
        return "x" * (MAX_RESULT_BYTES // 3)

    upstream.reply(tool_answer(*[("read", {})] * 3), text_answer("Much."))

    response = await asker(tools=[read])(tools=[{"type": "acme:read"}])

    statuses = [call["status"] for call in items(response, "acme:read_call")]
    assert statuses == ["completed", "completed", "failed"]


async def test_a_tool_of_a_server_runs_a_hosted_type(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(tool_answer(("web_search", {"city": "Paris"})), text_answer("Sunny."))
    ask = asker(
        mcp={"weather": {"url": server.url}},
        settings_tools={"web_search": {"mcp": "weather", "tool": "get_weather"}},
    )

    response = await ask(tools=[{"type": "web_search"}])

    assert kinds(response) == ["web_search_call", "message"]
    assert server.calls == [("get_weather", {"city": "Paris"})]
    assert tool_messages(ask.messages(1)) == ["It is sunny in Paris."]


async def test_a_type_that_is_out_of_order_is_not_offered(
    upstream: ScriptedUpstream, asker: Ask
) -> None:
    upstream.reply(text_answer("Hi."))
    ask = asker(
        mcp={"gone": {"url": "http://127.0.0.1:1/mcp"}},
        settings_tools={"web_search": {"mcp": "gone", "tool": "search"}},
    )

    response = await ask(tools=[{"type": "web_search"}])

    assert response["status"] == "completed"
    assert ask.offered(0) == []


async def test_what_nothing_runs_is_dropped_still(
    upstream: ScriptedUpstream, serve_tools: Serve, asker: Ask
) -> None:
    server = await serve_tools()
    upstream.reply(text_answer("Hi."))
    ask = asker(server)

    answer = await ask.whole(tools=[{"type": "web_search"}, mcp(server, allowed_tools=[])])

    assert answer.headers["x-adapter-dropped"] == "tools[0]"


@pytest.mark.parametrize(
    "wrong",
    [
        {"web_search": {"mcp": "nowhere", "tool": "search"}},
        {"image_generation": {"mcp": "here", "tool": "draw"}},
        {"web_search": {"plugin": "not-installed"}},
        {"web_search": {}},
    ],
)
async def test_a_mapping_that_cannot_work_is_told_at_the_start(asker: Ask, wrong: Any) -> None:
    with pytest.raises(SettingsError, match=r"tools\."):
        asker(mcp={"here": {"url": "http://127.0.0.1:1/mcp"}}, settings_tools=wrong)
