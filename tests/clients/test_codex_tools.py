"""Codex runs the tools that the model calls: commands, patches, MCP servers, pictures, code."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.clients.codex import Codex, catalog
from tests.clients.conftest import NewCodex
from tests.clients.install import Clients
from tests.clients.pictures import DOT
from tests.clients.upstream import coding
from tests.clients.upstream.server import StrictUpstream

SERVER = Path(__file__).parent / "mcp_server.py"


def mcp_server(clients: Clients) -> str:
    """Return the configuration of the demo server."""
    words = msgspec.json.encode([str(SERVER)]).decode()
    # Required: otherwise Codex begins without a server that takes long to start.
    return (
        f'[mcp_servers.demo]\ncommand = "{clients.python}"\nargs = {words}\n'
        "required = true\nstartup_timeout_sec = 30\n"
    )


def test_a_command_makes_a_file(new_codex: NewCodex, upstream: StrictUpstream, url: str) -> None:
    codex = new_codex(url)

    run = codex.exec(coding.WRITE)

    assert (codex.workspace / "greeting.txt").read_text() == "hello\n"
    assert [item["exit_code"] for item in run.items("command_execution")] == [0]
    assert run.messages[0].startswith("Written: ")
    assert "hello" in run.messages[0]
    assert (run.code, upstream.refusals) == (0, [])


def test_two_commands_of_one_answer_are_run(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url)

    run = codex.exec(coding.WRITE_TWO)

    assert (codex.workspace / "one.txt").read_text() == "one\n"
    assert (codex.workspace / "two.txt").read_text() == "two\n"
    first, second = upstream.last_outputs
    assert ("one" in first, "two" in second) == (True, True)
    assert (run.code, upstream.refusals) == (0, [])


def test_reasoning_is_shown_and_sent_back(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    run = new_codex(url).exec(coding.WRITE)

    assert [item["text"] for item in run.items("reasoning")] == ["A tool will tell."]
    thoughts = [message.get("reasoning_content") for message in upstream.bodies[-1]["messages"]]
    assert thoughts == [None, None, "A tool will tell.", None]


def patched(codex: Codex) -> tuple[str, list[Any]]:
    """Patch a file; return its text and what Codex says it did."""
    file = codex.workspace / "greeting.txt"
    file.write_text("hello\n")
    run = codex.exec(coding.PATCH)
    return file.read_text(), [item["status"] for item in run.items("file_change")]


def test_a_patch_is_applied(
    new_codex: NewCodex, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    codex = new_codex(url, top=catalog(tmp_path, apply_patch_tool_type="freeform"))

    assert patched(codex) == (coding.PATCHED_TEXT, ["completed"])
    assert upstream.refusals == []


@pytest.mark.parametrize("how", coding.ODD_PATCHES)
def test_a_patch_is_applied_however_the_model_writes_it(
    how: str, new_codex: NewCodex, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    upstream.play(coding.PATCH, coding.ODD_PATCHES[how])
    codex = new_codex(url, top=catalog(tmp_path, apply_patch_tool_type="freeform"))

    assert patched(codex) == (coding.PATCHED_TEXT, ["completed"])
    assert upstream.refusals == []


def test_a_tool_of_an_mcp_server_is_called(
    new_codex: NewCodex, upstream: StrictUpstream, url: str, clients: Clients
) -> None:
    run = new_codex(url, tables=mcp_server(clients)).exec(coding.ASK_MCP)

    (call,) = run.items("mcp_tool_call")
    assert (call["server"], call["tool"], call["status"]) == ("demo", "get_weather", "completed")
    assert "It is sunny in Paris." in run.messages[-1]
    assert upstream.refusals == []


@pytest.mark.parametrize("spelled", ["get_weather", "demo.get_weather", "mcp_demo_get_weather"])
def test_a_tool_of_an_mcp_server_is_called_however_the_model_spells_it(
    spelled: str, new_codex: NewCodex, upstream: StrictUpstream, url: str, clients: Clients
) -> None:
    """openai/codex#26977: models leave the namespace out, or join it in their own way."""
    upstream.play(coding.ASK_MCP, coding.ask_mcp_as(spelled))

    run = new_codex(url, tables=mcp_server(clients)).exec(coding.ASK_MCP)

    assert [call["status"] for call in run.items("mcp_tool_call")] == ["completed"]
    assert "It is sunny in Paris." in run.messages[-1]
    assert upstream.refusals == []


def test_tools_that_the_client_finds_are_offered_and_called(
    new_codex: NewCodex, upstream: StrictUpstream, url: str, clients: Clients, tmp_path: Path
) -> None:
    settings = catalog(tmp_path, supports_search_tool=True)

    run = new_codex(url, top=settings, tables=mcp_server(clients)).exec(coding.SEARCH_TOOLS)

    assert [call["status"] for call in run.items("mcp_tool_call")] == ["completed"]
    assert upstream.last_outputs[0] == "Tools found: mcp__demo__get_weather."
    assert upstream.refusals == []


@pytest.mark.parametrize("lite", [True, False])
def test_code_is_run(
    lite: bool, new_codex: NewCodex, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    """Code mode; with "responses lite" the tools come in the input."""
    settings = catalog(tmp_path, tool_mode="code_mode_only", use_responses_lite=lite)

    run = new_codex(url, top=settings).exec(coding.CODE)

    assert [item["exit_code"] for item in run.items("command_execution")] == [0]
    assert "from code" in run.messages[-1]
    assert upstream.refusals == []


@pytest.mark.parametrize(
    "facts",
    [{}, {"multi_agent_version": "v2"}, {"multi_agent_version": "v2", "use_responses_lite": True}],
    ids=["v1", "v2", "v2-lite"],
)
def test_another_agent_is_started_and_heard(
    facts: dict[str, Any], new_codex: NewCodex, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    """Agents of the second version talk in items of their own, `agent_message`."""
    run = new_codex(url, top=catalog(tmp_path, **facts)).exec(coding.DELEGATE)

    assert run.messages == ["It is known: True."]
    assert upstream.refusals == []


def test_a_picture_that_a_tool_returns_is_seen(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    codex = new_codex(url)
    (codex.workspace / "dot.png").write_bytes(DOT)

    run = codex.exec(coding.VIEW)

    assert run.messages == ["Pictures: 1."]
    assert upstream.refusals == []


def test_a_broken_call_does_not_spoil_the_conversation(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    """Codex sends its arguments back with every later request."""
    codex = new_codex(url)

    run = codex.exec(coding.BROKEN_CALL)

    assert "mended" in run.messages[-1]
    assert upstream.refusals == []


def test_a_call_of_no_tool_is_told_to_the_model(
    new_codex: NewCodex, upstream: StrictUpstream, url: str
) -> None:
    run = new_codex(url).exec(coding.UNKNOWN_CALL)

    assert run.messages == ["It said: unsupported call: no_such_tool"]
    assert upstream.refusals == []


def test_a_real_model_with_a_small_context_is_out_of_room(
    new_codex: NewCodex, toy_url: str
) -> None:
    """The toy model has 2,048 tokens, and Codex says more than that before the user does."""
    run = new_codex(toy_url).exec("Who are you?")

    assert run.failure.startswith("Codex ran out of room in the model's context window.")
