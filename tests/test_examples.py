"""Every example runs, and prints what its first lines promise."""

import ast
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from tests.servers.adapter import serve
from tests.servers.answers import text_answer
from tests.servers.scripted import scripted_upstream

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "examples"
LIMIT_SECONDS = 60

# Needs a model that sees, which the toy model is not.
IMAGE = FOLDER / "image.py"
OTHERS = sorted(set(FOLDER.glob("*.py")) - {IMAGE})


def promised_output(example: Path) -> str:
    """Return the indented lines that end the docstring."""
    docstring = ast.get_docstring(ast.parse(example.read_text()))
    assert docstring is not None
    introduction, _, promised = docstring.rpartition(":\n    ")
    assert introduction.endswith(("Prints", "prints something like"))
    return textwrap.dedent(f"    {promised}")


def run_example(example: Path, base_url: str) -> str:
    """Run an example with warnings as errors; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", str(example)],
        env=os.environ | {"OPENAI_BASE_URL": base_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


@pytest.mark.parametrize("example", OTHERS, ids=lambda example: example.stem)
def test_example_prints_what_it_promises(example: Path, demo_url: str) -> None:
    assert run_example(example, demo_url) == promised_output(example)


def test_image_example_sends_its_picture_and_prints_what_is_said() -> None:
    promised = promised_output(IMAGE)
    with scripted_upstream() as upstream:
        upstream.reply(text_answer(promised))
        with serve(make_sidecar(Settings(upstream=upstream.url))) as url:
            printed = run_example(IMAGE, f"{url}/v1")

    (message,) = upstream.requests[0].json["messages"]
    picture = message["content"][1]["image_url"]["url"]
    assert printed == promised
    assert picture.startswith("data:image/png;base64,iVBORw0KGgo")
