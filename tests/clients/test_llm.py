"""The command `llm` with `responses: true`: text, tools, schemas, pictures, a second turn."""

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clients.install import Clients
from tests.clients.pictures import DOT
from tests.clients.upstream.scenes import GREETING, PARIS, PROMPTS
from tests.clients.upstream.server import StrictUpstream

LIMIT_SECONDS = 60.0
MODELS = """\
- model_id: local
  model_name: test-model
  api_base: {url}
  responses: true
  reasoning: true
  supports_schema: true
  supports_tools: true
  vision: true
"""
FUNCTION = """\
def get_weather(city: str) -> str:
    "Get the current weather in a city."
    return f"It is sunny in {city}."
"""

Llm = Callable[..., str]


@pytest.fixture
def llm(clients: Clients, tmp_path: Path, url: str) -> Llm:
    """Return `llm -m local`, in a folder of its own."""
    (tmp_path / "extra-openai-models.yaml").write_text(MODELS.format(url=url))

    def run(*words: str) -> str:
        done = subprocess.run(
            [clients.llm, "-m", "local", *words],
            cwd=tmp_path,
            env=os.environ | {"LLM_USER_PATH": str(tmp_path), "OPENAI_API_KEY": "key-of-llm"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return run


@pytest.mark.parametrize("options", [[], ["--no-stream"]], ids=["streamed", "whole"])
def test_text_is_answered(options: list[str], llm: Llm, upstream: StrictUpstream) -> None:
    assert llm(*options, PROMPTS["hello"]) == GREETING
    assert upstream.refusals == []


def test_tools_are_called(llm: Llm, upstream: StrictUpstream) -> None:
    said = llm("--functions", FUNCTION, PROMPTS["compare"])

    assert said == "The weather: It is sunny in Paris.; It is sunny in London.."
    assert upstream.refusals == []


def test_an_answer_fits_its_schema(llm: Llm, upstream: StrictUpstream) -> None:
    assert json.loads(llm("--schema", "city, degrees int", PROMPTS["describe"])) == PARIS
    assert upstream.refusals == []


def test_a_picture_is_seen(llm: Llm, upstream: StrictUpstream, tmp_path: Path) -> None:
    (tmp_path / "dot.png").write_bytes(DOT)

    assert llm("-a", "dot.png", PROMPTS["picture"]) == "Pictures: data:image/png."
    assert upstream.refusals == []


def test_the_second_turn_knows_the_first(llm: Llm, upstream: StrictUpstream) -> None:
    llm(PROMPTS["remember"])

    assert llm("-c", PROMPTS["recall"]) == "It was walnut."
    assert upstream.refusals == []
