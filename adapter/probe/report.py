"""What a probe found: findings, and the dialect that they add up to."""

from collections.abc import Iterable
from typing import Any

import msgspec

from adapter.dialects import Dialect
from adapter.probe.check import Grade
from adapter.probe.known import changed


class Finding(msgspec.Struct, frozen=True):
    """One line of the table.

    Attributes:
        check: its name.
        grade: how good it is.
        finding: what the upstream does.
        action: what the adapter does about it, or empty.
        facts: what is different from the dialect that was known before, by name.
    """

    check: str
    grade: Grade
    finding: str
    action: str = ""
    facts: dict[str, Any] = {}


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was found.

    Attributes:
        url: base URL.
        model: that was asked.
        models: those that the upstream lists.
        base: the known dialect that comes nearest, by name.
        dialect: the base for this model, with what was found out.
        facts: what is different from the base for this model.
        findings: in the order of the questions.
        answers: it answers plain questions; without that, there is nothing more.
        requests: how many were made.
        tokens: how many prompts and answers had, about.
    """

    url: str
    model: str
    models: tuple[str, ...]
    base: Dialect
    dialect: Dialect
    findings: tuple[Finding, ...]
    answers: bool
    requests: int
    tokens: int

    @property
    def facts(self) -> dict[str, Any]:
        return changed(self.base.for_model(self.model), self.dialect)

    def to_builtins(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "url": self.url,
            "model": self.model,
            "models": list(self.models),
            "answers": self.answers,
            "base": self.base.name,
            "facts": facts_to_builtins(self.facts),
            "findings": [
                {
                    "check": each.check,
                    "grade": each.grade,
                    "finding": each.finding,
                    "action": each.action,
                    "facts": facts_to_builtins(each.facts),
                }
                for each in self.findings
            ],
            "requests": self.requests,
            "tokens": self.tokens,
        }


def printable(text: str, secrets: Iterable[str] = ()) -> str:
    """Return what an upstream said so that a terminal can show it, and without secrets in it."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return "".join(each if each.isprintable() else "?" for each in text)


def facts_to_builtins(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts of a dialect in the types of JSON and TOML, always in the same order."""
    return {
        name: sorted(map(msgspec.to_builtins, value), key=str)
        if isinstance(value, frozenset)
        else msgspec.to_builtins(value)
        for name, value in facts.items()
    }
