"""OpenAI's Codex CLI, run as `codex exec --json` in a home and a workspace of its own."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

LIMIT_SECONDS = 60.0
KEY = "key-of-codex"

# A provider of the user's own, as the README has it.
PROVIDER = """\
model = "test-model"
model_provider = "adapter"
approval_policy = "never"
check_for_update_on_startup = false
{top}
[analytics]
enabled = false

[model_providers.adapter]
name = "adapter"
base_url = "{base_url}"
wire_api = "responses"
env_key = "ADAPTER_TEST_KEY"
{tables}
"""


# OpenAI's provider, which is built in, on another server: it prefers a WebSocket, and compacts by
# `compaction_trigger`.
BUILT_IN = """\
model = "gpt-5.5"
openai_base_url = "{base_url}"
approval_policy = "never"
check_for_update_on_startup = false
{top}
[analytics]
enabled = false
"""

# What the catalogue must say of a model; the rest is a test's own.
CATALOG_ENTRY: dict[str, Any] = {
    "slug": "test-model",
    "display_name": "Test model",
    "supported_reasoning_levels": [],
    "shell_type": "unified_exec",
    "visibility": "list",
    "supported_in_api": True,
    "priority": 1,
    "support_verbosity": False,
    "truncation_policy": {"mode": "tokens", "limit": 10_000},
    "experimental_supported_tools": [],
    "base_instructions": "You are a coding agent.",
    "context_window": 100_000,
}


def catalog(folder: Path, **facts: Any) -> str:
    """Write a catalogue with these facts of the model; return the line that names it."""
    file = folder / "catalog.json"
    file.write_text(json.dumps({"models": [CATALOG_ENTRY | facts]}))
    return f'model_catalog_json = "{file}"'


class Run(msgspec.Struct, frozen=True):
    """What came of one command.

    Attributes:
        code: the exit code.
        events: what it told, one object a line.
        log: what it wrote to its error output.
    """

    code: int
    events: list[dict[str, Any]]
    log: str

    def items(self, kind: str) -> list[dict[str, Any]]:
        """Return the completed items of a type."""
        return [
            event["item"]
            for event in self.events
            if event["type"] == "item.completed" and event["item"]["type"] == kind
        ]

    @property
    def messages(self) -> list[str]:
        return [item["text"] for item in self.items("agent_message")]

    @property
    def failure(self) -> str:
        """Why the turn failed; empty if it did not."""
        failed = (event for event in self.events if event["type"] == "turn.failed")
        return next((event["error"]["message"] for event in failed), "")

    @property
    def usage(self) -> dict[str, int]:
        (done,) = (event for event in self.events if event["type"] == "turn.completed")
        usage: dict[str, int] = done["usage"]
        return usage


class Codex:
    """A Codex with settings of its own.

    Args:
        program: its path.
        folder: an empty one.
        config: its `config.toml`.

    Attributes:
        home: where its configuration is.
        workspace: where it works.
    """

    def __init__(self, program: Path, folder: Path, config: str) -> None:
        self.home, self.workspace = folder / "home", folder / "workspace"
        self._program = program
        # It refuses a home among the temporary files.
        self._temporary = folder / "tmp"
        for each in (self.home, self.workspace, self._temporary):
            each.mkdir()
        (self.home / "config.toml").write_text(config)

    def exec(
        self, prompt: str, *options: str, resume: bool = False, env: Mapping[str, str] | None = None
    ) -> Run:
        """Run `codex exec`, or `codex exec resume --last`, to its end."""
        common = [
            "--skip-git-repo-check",
            "--json",
            "--dangerously-bypass-approvals-and-sandbox",
        ]
        how = ["resume", *common, "--last"] if resume else common
        done = self._run(["exec", *how, *options, "--", prompt], env)
        events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return Run(done.returncode, events, done.stderr)

    def _run(
        self, arguments: Sequence[str], env: Mapping[str, str] | None
    ) -> "subprocess.CompletedProcess[str]":
        variables = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("OPENAI_", "CODEX_"))
        }
        return subprocess.run(
            [self._program, *arguments],
            cwd=self.workspace,
            env=variables
            | {
                "ADAPTER_TEST_KEY": KEY,
                "CODEX_API_KEY": KEY,
                "CODEX_HOME": str(self.home),
                "HOME": str(self.home),
                "TMPDIR": str(self._temporary),
            }
            | dict(env or {}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
