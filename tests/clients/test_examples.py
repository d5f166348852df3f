"""The examples for clients run as they stand there; only addresses and names are others."""

import ast
import json
import os
import subprocess
import textwrap
from pathlib import Path

import pytest

from tests.clients.codex import Codex
from tests.clients.driver import node_folder
from tests.clients.install import ROOT, Clients
from tests.clients.opencode import OpenCode
from tests.clients.upstream.scenes import GREETING, PROMPTS
from tests.clients.upstream.server import StrictUpstream

FOLDER = ROOT / "examples" / "clients"
PYTHON = sorted(FOLDER.glob("*.py"))
NODE = sorted(FOLDER.glob("*.mjs"))
URL = "http://127.0.0.1:9000/v1"
LIMIT_SECONDS = 60


def promised(example: Path) -> str:
    """Return the indented lines that end the introduction."""
    text = example.read_text()
    if example.suffix == ".py":
        introduction = ast.get_docstring(ast.parse(text)) or ""
    else:
        comment = text.partition("\n\n")[0]
        introduction = "\n".join(line.removeprefix("//")[1:] for line in comment.splitlines())
    _, found, output = introduction.rpartition("Prints:\n")
    assert found
    return textwrap.dedent(output).strip()


def run(program: Path, example: Path, folder: Path, base_url: str) -> str:
    """Return what an example prints."""
    done = subprocess.run(
        [program, example.name],
        cwd=folder,
        env=os.environ | {"OPENAI_BASE_URL": base_url},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("example", PYTHON, ids=lambda example: example.stem)
def test_python_example_prints_what_it_promises(
    example: Path, clients: Clients, demo_url: str
) -> None:
    assert run(clients.python, example, FOLDER, demo_url) == promised(example)


@pytest.mark.parametrize("example", NODE, ids=lambda example: example.stem)
def test_node_example_prints_what_it_promises(
    example: Path, clients: Clients, demo_url: str, tmp_path: Path
) -> None:
    folder = node_folder(tmp_path, clients, FOLDER)

    assert run(clients.node, example, folder, demo_url) == promised(example)


def example_text(name: str, url: str) -> str:
    """Return a file of settings that points at an adapter of the test's own."""
    text = (FOLDER / name).read_text()
    assert URL in text
    return text.replace(URL, url)


def test_codex_answers_with_its_example(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    codex = Codex(clients.codex, tmp_path, 'approval_policy = "never"\n')
    (codex.home / "adapter.config.toml").write_text(example_text("codex.config.toml", url))

    run = codex.exec(PROMPTS["hello"], "--strict-config", "--profile", "adapter")

    assert run.messages == [GREETING]
    assert upstream.bodies[0]["model"] == "your-model"


def test_opencode_answers_with_its_example(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    config = json.loads(example_text("opencode.json", url))

    assert OpenCode(clients.opencode, tmp_path, config).run(PROMPTS["hello"]) == [GREETING]
    assert {body["model"] for body in upstream.bodies} == {"your-model"}


def test_llm_answers_with_its_example(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    name = "extra-openai-models.yaml"
    (tmp_path / name).write_text(example_text(name, url))
    done = subprocess.run(
        [clients.llm, "-m", "adapter", PROMPTS["hello"]],
        env=os.environ | {"LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "none"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )

    assert (done.returncode, done.stdout.strip()) == (0, GREETING), done.stderr
