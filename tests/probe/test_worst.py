"""Against the worst server, a probe finds what there is to find, and comes to its end."""

import asyncio
from pathlib import Path

import pytest

from adapter.config import Settings
from adapter.probe import Limits, Report, probe, to_toml
from adapter.probe.known import changed
from tests.probe import worst
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream

SECONDS = 2.0  # of one answer: it hangs once
LIMIT_SECONDS = 25.0
KEY = "sk-canary-0123456789"

# (check, grade, beginning of the finding)
EXPECTED = [
    ("answer", "met", "refused (400), without a reason"),
    ("bare answer", "fine", "streams, 9 deltas: "),
    ("server", "unclear", "none that is known here"),
    ("stream end", "lost", "neither finish_reason nor [DONE]"),
    ("speed", "fine", "first delta after "),
    ("temperature", "met", "refused (400), without a reason"),
    ("output limit", "lost", "max_tokens refused, max_completion_tokens refused"),
    ("usage", "met", "refused (400), without a reason"),
    ("without stream", "met", "refused (500), without a reason"),
    ("reasoning", "met", "in the content, between <think> and </think>"),
    ("effort none", "met", "refused (422): "),
    ("thinking switch", "lost", "none of chat_template_kwargs.enable_thinking, "),
    ("effort low", "met", "refused (422): "),
    ("role system", "met", "refused (400), without a reason"),
    ("role developer", "met", "refused (400), without a reason"),
    ("late system", "met", 'refused (400): "roles must alternate"'),
    ("users in a row", "met", 'refused (400): "roles must alternate"'),
    ("tool calls", "met", 'get_weather({"city":"Paris"}), whole in one delta; no id; no index; '),
    ("tool_choice none", "met", "ignored: calls get_weather"),
    ("tool_choice required", "met", "ignored: "),
    ("tool_choice named", "met", "ignored: calls get_weather"),
    ("parallel_tool_calls", "met", "ignored: 2 calls"),
    ("strict tools", "unclear", 'no answer: "The model server at '),
    ("tool results", "lost", "refused (500), without a reason"),
    ("earlier reasoning", "unclear", "not asked: usage is not told"),
    ("json_object", "met", 'ignored: "Hello, and no JSON"'),
    ("json_schema", "met", 'refused (422): "Unprocessable"'),
    ("logprobs", "met", "ignored"),
    ("sampling fields", "met", "refused (400), without a reason"),
    ("top_p", "fine", "taken"),
    ("presence_penalty", "met", "refused (400), without a reason"),
    ("frequency_penalty", "fine", "taken"),
    ("seed", "met", "refused (400), without a reason"),
    ("stop", "fine", "taken"),
    ("unknown fields", "met", "refused (400), without a reason"),
    ("image part", "met", "refused (500), without a reason"),
    ("file part", "unclear", "no answer: "),
    ("errors", "lost", "answers a request whose messages are no list"),
]


@pytest.fixture(scope="module")
def report() -> Report:
    async def run() -> Report:
        async with ScriptedUpstream() as upstream, asyncio.timeout(LIMIT_SECONDS):
            upstream.always(worst.answer)
            upstream.always(worst.CRASH, to=MODELS_PATH)
            limits = Limits(seconds=SECONDS)
            return await probe(upstream.url, model="worst", api_key=KEY, limits=limits)

    return asyncio.run(run())


def test_every_check_has_its_line(report: Report) -> None:
    assert [each.check for each in report.findings] == [check for check, _, _ in EXPECTED]


@pytest.mark.parametrize(("check", "grade", "finding"), EXPECTED)
def test_finding_is_right(report: Report, check: str, grade: str, finding: str) -> None:
    found = next(each for each in report.findings if each.check == check)

    assert (found.grade, found.finding[: len(finding)]) == (grade, finding)


def test_facts_are_right(report: Report) -> None:
    accepted = {"tools", "tool_choice", "parallel_tool_calls", "response_format", "logprobs"}

    assert report.facts == {
        "system_role": "user",
        "parts": frozenset(),
        "efforts": (),
        "refuses": {"temperature", "stream_options", "logprobs", "top_logprobs"}
        | {"presence_penalty", "seed"},
        "only": accepted | {"top_logprobs", "top_p", "frequency_penalty", "stop"},
        "tool_choices": {"auto"},
        "formats": frozenset(),
        "think_tags": "opened",
    }


def test_what_is_found_can_be_used(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(to_toml(report, "worst", "2026-11-20"))

    found = Settings.load(file, environ={}).known_dialects()["worst"]

    assert changed(report.dialect, found).keys() == {"name", "source"}


def test_nothing_shows_the_key_or_moves_the_cursor(report: Report) -> None:
    shown = str(report.to_builtins())

    assert KEY not in shown
    assert "***" in shown
    assert "\\x1b" not in shown
    assert "\x1b" not in shown
