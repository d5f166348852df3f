"""A conversation that becomes too long between the turns of one response.

Source: OpenAI's compaction guide: the server compacts, and goes on in the same response.
"""

import pytest

from adapter import hosted_tool
from tests.hosted.asking import kinds, tool_messages
from tests.hosted.conftest import Ask
from tests.servers.answers import json_answer, text_answer, tool_answer
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

LONG = {"prompt_tokens": 900, "completion_tokens": 101, "total_tokens": 1001}
SHORT = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
SEARCH = {"type": "web_search"}
OVERFLOW = json_answer(400, {"error": {"message": "Prompt too long"}})
MANAGEMENT = [{"type": "compaction", "compact_threshold": 1000}]


@hosted_tool("web_search")
async def search(query: str) -> str:
    """Search the web."""
    return f"Found {query}. " + "x" * 500


async def test_response_goes_on_from_a_compaction_between_its_turns(
    upstream: ScriptedUpstream, asker: Ask
) -> None:
    upstream.reply(
        tool_answer(("web_search", {"query": "news"}), usage=LONG),
        text_answer("There is news.", usage=SHORT),
        text_answer("All is well.", usage=SHORT),
    )
    ask = asker(tools=[search])

    response = await ask("What is new?", tools=[SEARCH], context_management=MANAGEMENT)

    assert kinds(response) == ["web_search_call", "compaction", "message"]
    assert "Found news." in tool_messages(ask.messages(1))[0]  # what is summarised
    (told,) = ask.messages(2)
    assert told["content"].startswith("What is new?\n\nSummary of the conversation so far:")
    assert "There is news." in told["content"]
    assert ask.offered(2) == ["web_search"]
    assert response["usage"]["total_tokens"] == 1201


async def test_turn_that_does_not_fit_is_compacted_and_asked_again(
    upstream: ScriptedUpstream, asker: Ask
) -> None:
    upstream.reply(
        tool_answer(("web_search", {"query": "news"})),
        OVERFLOW,
        text_answer("There is news."),
        text_answer("All is well."),
    )
    ask = asker(tools=[search])

    response = await ask("What is new?", tools=[SEARCH], context_management=MANAGEMENT)

    assert kinds(response) == ["web_search_call", "compaction", "message"]


async def test_turn_that_does_not_fit_is_truncated_to_its_newest_steps(
    upstream: ScriptedUpstream, asker: Ask
) -> None:
    upstream.reply(
        tool_answer(("web_search", {"query": "one"})),
        tool_answer(("web_search", {"query": "two"})),
        OVERFLOW,
        text_answer("All is well."),
    )
    ask = asker(tools=[search])

    response = await ask("What is new?", tools=[SEARCH], truncation="auto")

    assert kinds(response) == ["web_search_call", "web_search_call", "message"]
    assert [message["role"] for message in ask.messages(3)] == ["user", "assistant", "tool"]
    assert tool_messages(ask.messages(3))[0].startswith("Found two.")
