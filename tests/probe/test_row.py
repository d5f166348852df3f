"""What is written is read again as it was found, whatever it is."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.config import Settings
from adapter.dialects import DIALECTS, Dialect
from adapter.dialects.base import ThinkingSwitch
from adapter.probe import Report, name_of, to_toml
from adapter.probe.known import changed
from adapter.probe.report import Finding

NASTY = 'a "quoted" \\ name\x7f\twith [brackets] = and # üñí 😀'

# (name, facts)
FACTS: list[tuple[str, dict[str, Any]]] = [
    ("nothing", {}),
    ("sets", {"refuses": frozenset({"seed", "stop"}), "formats": frozenset()}),
    ("only", {"only": frozenset({"temperature", NASTY})}),
    ("pairs", {"refused_values": frozenset({("n", "1"), ("seed", '"x"')})}),
    ("switch", {"thinking": ThinkingSwitch("enable_thinking", on=True, off=False)}),
    ("objects", {"thinking": ThinkingSwitch("thinking", on={"type": "on"}, off={"type": NASTY})}),
    ("marks", {"think_marks": ("<thought>", "</thought>"), "think_tags": "opened"}),
    ("words", {"reasoning_field": "reasoning", "output_limit": "max_completion_tokens"}),
    ("tables", {"ranges": {"top_p": (0.0, 0.5)}, "body": {"a.b": [1, 2.5, True]}}),
    ("numbers", {"call_id_length": 9, "strict_tools": False}),
    ("list", {"efforts": ("none", "low")}),
]


def report_of(base: Dialect, facts: dict[str, Any], **more: Any) -> Report:
    findings = [
        Finding("check", "met", "what was found\u2028", facts={name: value})
        for name, value in facts.items()
    ]
    values = {"url": "http://127.0.0.1:8000/v1", "model": "tiny", "models": ("tiny",)} | more
    return Report(
        base=base,
        dialect=msgspec.structs.replace(base.for_model(values["model"]), **facts),
        findings=tuple(findings),
        answers=True,
        requests=1,
        tokens=1,
        **values,
    )


def load(text: str, folder: Path) -> Settings:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return Settings.load(file, environ={})


@pytest.mark.parametrize("facts", [facts for _, facts in FACTS], ids=[name for name, _ in FACTS])
@pytest.mark.parametrize("base", ["generic", "vllm", "openai"])
def test_facts_are_read_as_they_were_found(
    base: str, facts: dict[str, Any], tmp_path: Path
) -> None:
    report = report_of(DIALECTS[base], facts)

    found = load(to_toml(report, "mine", "2026-11-20"), tmp_path).known_dialects()["mine"]

    own = {"name", "source", "hosts", "ports", "owners", "servers"}
    assert changed(report.dialect, found.for_model("tiny")).keys() - own == set()


@pytest.mark.parametrize("base", DIALECTS)
def test_any_dialect_can_be_the_base(base: str, tmp_path: Path) -> None:
    report = report_of(DIALECTS[base], {"parts": frozenset({"file"})}, model="gpt-5")

    settings = load(to_toml(report, name_of(report), "2026-11-20"), tmp_path)

    assert settings.known_dialects()[name_of(report)].for_model("gpt-5").parts == {"file"}


def test_names_and_models_may_hold_anything(tmp_path: Path) -> None:
    report = report_of(DIALECTS["generic"], {}, model=NASTY, models=(NASTY, "other"))

    settings = load(to_toml(report, NASTY, "2026-11-20", is_default=False), tmp_path)

    assert settings.routes[NASTY].models == (NASTY, "other")
    assert settings.routes[NASTY].default is False
    assert settings.known_dialects()[NASTY].source == f"probed 2026-11-20, model {NASTY}"


def test_facts_stand_below_the_findings_that_they_come_from() -> None:
    text = to_toml(report_of(DIALECTS["vllm"], {"efforts": ("low",)}), "mine", "2026-11-20")

    assert text == (
        "[dialects.mine]\n"
        'base = "vllm"\n'
        'source = "probed 2026-11-20, model tiny"\n'
        "# check: what was found?\n"
        'efforts = ["low"]\n'
        "\n"
        "[routes.mine]\n"
        'upstream = "http://127.0.0.1:8000/v1"\n'
        'dialect = "mine"\n'
        "default = true\n"
    )


def test_fact_that_toml_cannot_say_is_not_written(tmp_path: Path) -> None:
    """TOML has no null; no check finds one."""
    report = report_of(DIALECTS["mistral"], {"tool_bridge": None})

    assert "tool_bridge" not in to_toml(report, "mine", "2026-11-20")


@pytest.mark.parametrize(
    ("base", "name"), [("generic", "my-server"), ("vllm", "my-vllm"), ("llama.cpp", "my-llama-cpp")]
)
def test_name_is_that_of_the_base(base: str, name: str) -> None:
    assert name_of(report_of(DIALECTS[base], {})) == name
