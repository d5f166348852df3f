"""opencode, run as `opencode run --format json` in a home and a workspace of its own."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

LIMIT_SECONDS = 90.0
MODEL = "test-model"


# Whatever the settings: nothing leaves the machine.
QUIET = {"autoupdate": False, "share": "disabled"}


def config(base_url: str) -> dict[str, Any]:
    """Return an `opencode.json`."""
    model = {
        "name": "Test model",
        "tool_call": True,
        "attachment": True,
        "modalities": {"input": ["text", "image"], "output": ["text"]},
    }
    return {
        "model": f"local/{MODEL}",
        "small_model": f"local/{MODEL}",
        "provider": {
            "local": {
                "npm": "@ai-sdk/openai",
                "name": "local",
                "options": {"baseURL": base_url, "apiKey": "key-of-opencode"},
                "models": {MODEL: model},
            }
        },
    }


class OpenCode:
    """An opencode with settings of its own.

    Args:
        program: its path.
        folder: an empty one.
        settings: its `opencode.json`.

    Attributes:
        workspace: where it works.
    """

    def __init__(self, program: Path, folder: Path, settings: dict[str, Any]) -> None:
        self.workspace = folder / "workspace"
        self._program = program
        self._home = folder / "home"
        self._config = json.dumps(QUIET | settings)
        for each in (self.workspace, self._home):
            each.mkdir()

    def run(self, prompt: str, *options: str) -> list[str]:
        """Return what it said to a prompt.

        Raises:
            AssertionError: it failed.
        """
        done = subprocess.run(
            [self._program, "run", "--format", "json", *options],
            cwd=self.workspace,
            env=os.environ | self._environment(),
            input=prompt,  # arguments are quoted on their way to the model
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        events = [json.loads(line) for line in done.stdout.splitlines()]
        errors = [event for event in events if event["type"] == "error"]
        assert (done.returncode, errors) == (0, []), done.stderr
        return [event["part"]["text"] for event in events if event["type"] == "text"]

    def _environment(self) -> dict[str, str]:
        folders = {
            f"XDG_{kind.upper()}_HOME": str(self._home / kind)
            for kind in ("cache", "config", "data", "state")
        }
        switches = ("AUTOUPDATE", "DEFAULT_PLUGINS", "LSP_DOWNLOAD", "MODELS_FETCH")
        return {
            **folders,
            **{f"OPENCODE_DISABLE_{switch}": "1" for switch in switches},
            "HOME": str(self._home),
            "OPENCODE_CONFIG_CONTENT": self._config,
            "npm_config_offline": "true",  # it looks for plugins
            "PWD": str(self.workspace),  # which it believes more than where it is
        }
