"""Against the real llama.cpp, the table says what `observed.md` says of it."""

import asyncio
from pathlib import Path

import pytest

from adapter.config import Settings
from adapter.probe import Report, probe, render, to_toml
from adapter.probe.known import changed

LIMIT_SECONDS = 60.0  # a second on a quiet machine

# (check, grade, beginning of the finding)
EXPECTED = [
    ("answer", "fine", "streams, "),
    ("server", "fine", "llama.cpp, told by its server header"),
    ("stream end", "fine", "finish_reason stop, then [DONE]"),
    ("speed", "fine", "first delta after "),
    ("output limit", "fine", "max_tokens obeyed, max_completion_tokens obeyed"),
    ("usage", "fine", "told in a last chunk of its own"),
    ("without stream", "fine", "one JSON document"),
    ("reasoning", "fine", "in reasoning_content"),
    ("effort none", "fine", "obeyed"),
    ("effort low", "fine", "taken"),
    ("role system", "fine", "taken"),
    ("role developer", "fine", "taken"),
    ("late system", "fine", "taken"),
    ("users in a row", "fine", "taken"),
    ("tool calls", "fine", 'get_weather({"city": "Paris"}), in '),
    ("tool_choice none", "met", "the model sees the tools, and writes its call as text"),
    ("tool_choice required", "fine", "obeyed"),
    ("tool_choice named", "met", "ignored: calls get_weather"),
    ("parallel_tool_calls", "met", "ignored: 2 calls"),
    ("strict tools", "fine", "taken"),
    ("tool results", "fine", "taken"),
    ("earlier reasoning", "fine", "read in reasoning_content"),
    ("json_object", "fine", "obeyed"),
    ("json_schema", "fine", "obeyed"),
    ("logprobs", "fine", "told"),
    ("logprobs with tools", "met", "refused (400): "),
    ("sampling fields", "fine", "takes top_p, presence_penalty, frequency_penalty, seed, stop"),
    ("unknown fields", "fine", "ignored"),
    ("image part", "met", "refused (500): "),
    ("file part", "met", "refused (400): "),
    ("errors", "fine", "400 {error: {code: number, message: text, type: text}}"),
    ("context overflow", "fine", "refused (400): "),
]


@pytest.fixture(scope="module")
def report(llama_url: str) -> Report:
    async def run() -> Report:
        async with asyncio.timeout(LIMIT_SECONDS):
            return await probe(llama_url)

    return asyncio.run(run())


def test_every_check_has_its_line(report: Report) -> None:
    assert [each.check for each in report.findings] == [check for check, _, _ in EXPECTED]


@pytest.mark.parametrize(("check", "grade", "finding"), EXPECTED)
def test_finding_is_right(report: Report, check: str, grade: str, finding: str) -> None:
    found = next(each for each in report.findings if each.check == check)

    assert (found.grade, found.finding[: len(finding)]) == (grade, finding)


def test_model_of_text_differs_from_the_known_dialect_in_that(report: Report) -> None:
    assert (report.base.name, report.facts) == (
        "llama.cpp",
        {"late_system": "system", "parts": {"input_audio"}},
    )


def test_probe_is_small(report: Report) -> None:
    assert report.requests < 40
    assert report.tokens < 5000


def test_settings_that_are_written_hold_what_was_found(report: Report, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text(to_toml(report, "mine", "2026-11-20"))

    settings = Settings.load(file, environ={})

    found = settings.known_dialects()["mine"]
    assert found.source == "probed 2026-11-20, model tiny"
    assert changed(report.dialect, found.for_model("tiny")).keys() <= OWN
    assert settings.routes["mine"].upstream == report.url
    assert (settings.routes["mine"].dialect, settings.routes["mine"].default) == ("mine", True)


# What tells one upstream from another is not inherited.
OWN = {"name", "source", "hosts", "ports", "owners", "servers"}


def test_table_is_aligned(report: Report) -> None:
    lines = render(report, 140, lambda text, grade: text).splitlines()
    head = next(line for line in lines if "WHAT IT DOES" in line)
    columns = [head.index("WHAT IT DOES"), head.index("WHAT THE ADAPTER")]

    rows = lines[lines.index(head) + 2 : lines.index("", lines.index(head))]
    assert max(map(len, lines[:-1])) <= 140
    assert [row for row in rows for column in columns if row[column - 1 : column].strip()] == []
