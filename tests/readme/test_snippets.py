"""The code blocks of the README and of `docs/` run as they stand there; only addresses are others."""

import os
import re
import shlex
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse

from adapter.asgi.app import make_sidecar
from adapter.config import Settings
from adapter.dialects import find_dialect
from adapter.fetch.guard import UrlPolicy
from adapter.routing import choose_route
from tests.readme.document import ROOT, code_block
from tests.servers.adapter import serve
from tests.servers.answers import text_answer, tool_answer
from tests.servers.mcp_servers import tool_server_in_thread
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

LIMIT_SECONDS = 60
ADAPTER = "http://127.0.0.1:9000"
UPSTREAM = "http://127.0.0.1:8000/v1"


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as server:
        server.always(text_answer("Hello"))
        yield server


def ask(url: str) -> str:
    """Return what a server says to hello, over the Responses API."""
    answer = httpx2.post(
        f"{url}/v1/responses", json={"model": "any", "input": "Hello"}, timeout=LIMIT_SECONDS
    )
    text: str = answer.json()["output"][0]["content"][0]["text"]
    return text


def run_block(name: str, *replacements: tuple[str, str]) -> dict[str, Any]:
    """Run a block of Python in this process; return its names."""
    code = code_block("tested", name)
    for old, new in replacements:
        assert old in code
        code = code.replace(old, new)
    names: dict[str, Any] = {}
    exec(compile(code, f"<{name}>", "exec"), names)  # our own documents
    return names


@contextmanager
def started(name: str, upstream: ScriptedUpstream) -> Iterator[str]:
    """Start the server of a shell block on a free port; yield its address."""
    line, count = re.subn(r"https?://\S+", upstream.url, code_block("tested", name).strip())
    assert count == 1
    words = shlex.split(line.replace("--port 9000", "--port 0"))
    variables = dict(word.split("=", 1) for word in words if re.match(r"[A-Z_]+=", word))
    program, *arguments = words[len(variables) :]
    module = {"responses-adapter": "adapter"}.get(program, program)
    with subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=os.environ | variables,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.communicate(timeout=LIMIT_SECONDS)


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None
    limit = threading.Timer(LIMIT_SECONDS, process.kill)
    limit.start()
    try:
        for line in process.stderr:
            if found := re.search(r"running on (http://\S+)", line):
                return found[1]
    finally:
        limit.cancel()
    raise AssertionError("the server ended before it listened")


def test_mounted_app_answers(upstream: ScriptedUpstream) -> None:
    app = run_block("mounted", (UPSTREAM, upstream.url))["app"]

    with serve(app) as url:
        assert ask(url) == "Hello"


async def complete(_request: dict[str, Any]) -> JSONResponse:
    """Serve chat completions, in the place of the reader's own app."""
    message = {"role": "assistant", "content": "Hello"}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return JSONResponse({"object": "chat.completion", "choices": [choice]})


def test_middleware_answers_from_the_app_itself() -> None:
    app = run_block("middleware")["app"]
    app.post("/v1/chat/completions")(complete)

    with serve(app) as url:
        assert ask(url) == "Hello"


def test_middleware_that_vllm_is_given_is_found_and_needs_no_arguments() -> None:
    """vLLM imports the name and calls `app.add_middleware` with the class alone."""
    *_, option, path = shlex.split(code_block("tested", "vllm"))
    module, _, name = path.rpartition(".")
    app = FastAPI()
    app.post("/v1/chat/completions")(complete)

    app.add_middleware(getattr(import_module(module), name))

    with serve(app) as url:
        assert (option, ask(url)) == ("--middleware", "Hello")


@pytest.mark.parametrize(
    "name",
    [
        *("sidecar", "standalone", "start-sidecar", "start-standalone"),
        *("codex-adapter", "inspector", "llama-cpp", "ollama", "vllm-beside"),
    ],
)
def test_server_answers_and_passes_the_rest_through(name: str, upstream: ScriptedUpstream) -> None:
    with started(name, upstream) as url:
        models = httpx2.get(f"{url}/v1/models", timeout=LIMIT_SECONDS).json()

        assert ask(url) == "Hello"
        assert [model["id"] for model in models["data"]] == ["scripted"]


def test_curl_prints_what_is_shown(demo_url: str) -> None:
    """The words are taken apart here, as not every machine has the program."""
    command, _, pattern = code_block("tested", "curl").strip().partition(" | grep -o ")
    program, options, address, _, header, _, body = shlex.split(command)
    assert (program, options, address) == ("curl", "-sN", f"{ADAPTER}/v1/responses")

    answer = httpx2.post(
        address.replace(f"{ADAPTER}/v1", demo_url),
        headers=dict([header.split(": ")]),
        content=body,
        timeout=LIMIT_SECONDS,
    )
    (expression,) = shlex.split(pattern)

    printed = "".join(f"{found}\n" for found in re.findall(expression, answer.text))
    assert printed == code_block("prints", "curl")


def test_sdk_prints_what_is_shown(demo_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    names = run_block("sdk", (f"{ADAPTER}/v1", demo_url))
    names["client"].close()

    assert capsys.readouterr().out == code_block("prints", "sdk")


def test_codex_is_pointed_at_the_sidecar() -> None:
    config = tomllib.loads(code_block("tested", "codex"))

    provider = config["model_providers"][config["model_provider"]]
    assert (provider["base_url"], provider["wire_api"]) == (f"{ADAPTER}/v1", "responses")


def test_fallback_is_a_route_that_knows_the_model(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "fallback"))
    routes = Settings.load(file, environ={}).routes

    assert routes["local"].fallback == "cloud"
    assert choose_route("qwen3-4b", {"local": routes["local"]}).route == "local"
    assert "qwen3-4b" in routes["cloud"].aliases


def test_routes_serve_the_models_that_they_are_said_to_serve(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "routes"))
    routes = Settings.load(file, environ={}).routes

    models = ("qwen3", "fast", "local/phi-4", "gpt-5", "anything")
    chosen = [choose_route(model, routes) for model in models]
    assert [(choice.route, choice.model) for choice in chosen] == [
        ("local", "qwen3"),
        ("local", "qwen3-4b"),
        ("local", "phi-4"),
        ("openai", "gpt-5"),
        ("cloud", "anything"),
    ]
    assert (routes["openai"].api, routes["cloud"].idle_timeout) == ("responses", 120)


def test_dialect_of_ones_own_is_one(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "dialect"))
    known = Settings.load(file, environ={}).known_dialects()

    mine = find_dialect(base_url="https://llm.example.com/v1", known=known)
    assert mine is not None
    assert (mine.name, mine.reasoning_field, mine.refuses) == (
        "my-server",
        "reasoning",
        {"logit_bias"},
    )
    assert (mine.for_model("small-1").efforts, mine.parts) == ((), known["vllm"].parts)


def test_mcp_server_is_called(
    upstream: ScriptedUpstream, capsys: pytest.CaptureFixture[str]
) -> None:
    upstream.reply(tool_answer(("search", {"query": "release"})), text_answer("Nothing much."))
    with tool_server_in_thread() as server:
        settings = Settings(upstream=upstream.url, fetch=_loopback(server.url))
        with serve(make_sidecar(settings)) as url:
            run_block("mcp", (ADAPTER, url), ("https://mcp.example.com/mcp", server.url))

    assert capsys.readouterr().out == "Nothing much.\n"
    assert server.calls == [("search", {"query": "release"})]


def _loopback(url: str) -> UrlPolicy:
    port = urlsplit(url).port
    assert port is not None
    return UrlPolicy(allow_http=True, allow_private=True, allowed_ports=(port,))


def test_settings_of_hosted_tools_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "hosted"))

    settings = Settings.load(file, environ={})

    assert settings.mcp.keys() == {"wiki", "files"}
    assert settings.tools["web_search"].tool == "search"
