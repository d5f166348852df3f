"""The code blocks of the guides: as `test_snippets.py`, for those that need more than a server."""

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import httpx2
import pytest
from click.testing import CliRunner

from adapter.asgi.app import make_sidecar
from adapter.cli import main
from adapter.config import Settings
from adapter.dialects import Dialect, find_dialect
from adapter.dialects.third_party import load_dialect
from adapter.fetch.guard import RefusedUrlError, check_url
from adapter.runners.plugins import load_tool
from tests.cli.process import running
from tests.readme.document import code_block
from tests.readme.test_snippets import ADAPTER, UPSTREAM, ask, run_block, started, upstream
from tests.servers.adapter import serve
from tests.servers.scripted import ScriptedUpstream

__all__ = ["upstream"]


def command(name: str, *replacements: tuple[str, str]) -> list[str]:
    """Return the arguments of a command of ours."""
    code = code_block("tested", name)
    for old, new in replacements:
        assert old in code
        code = code.replace(old, new)
    program, *arguments = shlex.split(code)
    assert program == "responses-adapter"
    return arguments


@pytest.fixture
def stateful_url(upstream: ScriptedUpstream) -> Iterator[str]:
    """Yield the address of an adapter with a store."""
    with serve(make_sidecar(Settings(upstream=upstream.url, store="memory:"))) as url:
        yield url


def test_app_with_a_lifespan_of_its_own_answers(upstream: ScriptedUpstream) -> None:
    app = run_block("lifespan", (UPSTREAM, upstream.url))["app"]

    with serve(app) as url:
        assert ask(url) == "Hello"


def test_settings_file_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "config-file"))

    settings = Settings.load(file, environ={})

    assert (settings.dialect, settings.idle_timeout) == ("vllm", 120)


def test_workers_answer(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    file = tmp_path / "responses.db"
    arguments = command(
        "workers",
        (UPSTREAM, upstream.url),
        ("sqlite:///responses.db", f"sqlite:///{file}"),
        ("--port 9000", "--port 0"),
    )

    with running(*arguments) as process:
        url = process.wait_for_url()
        process.wait_for(r"(?s)(Application startup complete.*){2}")
        assert ask(url) == "Hello"
    assert file.exists()


@pytest.mark.parametrize("name", ["hf-router", "openrouter"])
def test_provider_is_known_and_gets_its_key(name: str, upstream: ScriptedUpstream) -> None:
    base_url = next(word for word in code_block("tested", name).split() if "://" in word)
    dialect = find_dialect(base_url=base_url)
    assert dialect is not None
    assert dialect.name == name

    with started(name, upstream) as url:
        ask(url)

    (key,) = (word for word in code_block("tested", name).split("=")[1].split() if word[0] == "$")
    assert upstream.requests[-1].headers["authorization"] == f"Bearer {key}"


def test_codex_is_told_what_the_server_does_not_tell() -> None:
    printed = CliRunner().invoke(main, command("codex-window")).stdout

    config = tomllib.loads(printed)
    assert (config["model"], config["model_context_window"]) == ("qwen3-8b", 40960)


def test_conversation_goes_on(
    stateful_url: str, upstream: ScriptedUpstream, capsys: pytest.CaptureFixture[str]
) -> None:
    run_block("chained", (ADAPTER, stateful_url))["client"].close()

    assert capsys.readouterr().out == "Hello\n"
    assert len(upstream.requests[-1].json["messages"]) == 3


def test_background_response_is_followed(
    stateful_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_block("background", (ADAPTER, stateful_url))["client"].close()

    assert capsys.readouterr().out == "Hello\n"


def entry_point(plugin: str, code: str, package: ModuleType) -> tuple[str, EntryPoint]:
    """Return the name and the entry point of a block of TOML, with the object of another block."""
    project = tomllib.loads(code_block("tested", plugin))["project"]
    ((group, points),) = project["entry-points"].items()
    ((name, value),) = points.items()
    assert value.partition(":")[0] == package.__name__
    vars(package).update(run_block(code))
    return name, EntryPoint(name, value, group)


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Return the package of the reader, which can be imported."""
    module = ModuleType("my_package")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_dialect_of_a_package_is_loaded(package: ModuleType) -> None:
    name, point = entry_point("dialect-plugin", "dialect-object", package)

    dialect = load_dialect(name, [point])

    assert isinstance(dialect, Dialect)
    assert dialect.reasoning_field == "reasoning"


def test_tool_of_a_package_is_loaded(package: ModuleType, tmp_path: Path) -> None:
    name, point = entry_point("tool-plugin", "tool-object", package)
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "tool-settings"))

    tool = load_tool(name, [point])

    assert Settings.load(file, environ={}).tools[tool.type].plugin == name


def test_store_of_ones_own_is_used(upstream: ScriptedUpstream) -> None:
    names = run_block("store-object", (UPSTREAM, upstream.url))

    with serve(names["responses"]) as url:
        ask(url)

    assert names["store"].saved == 1


def test_client_of_ones_own_is_used(upstream: ScriptedUpstream) -> None:
    names = run_block("httpx-client", (UPSTREAM, upstream.url))

    with serve(names["responses"]) as url:
        assert ask(url) == "Hello"

    assert upstream.requests[-1].headers["x-team"] == "search"


def test_request_is_translated_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    run_block("sans-io")

    assert capsys.readouterr().out == code_block("prints", "sans-io")


def test_key_opens_the_models_that_it_is_for(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    keys = str(tmp_path / "keys.toml")
    made = CliRunner().invoke(main, command("new-key", ("keys.toml", keys)))
    file = tmp_path / "adapter.toml"
    text = code_block("tested", "keys-settings").replace(UPSTREAM, upstream.url)
    file.write_text(text.replace("keys.toml", keys))
    (key,) = made.stdout.split()

    def status(model: str, key: str) -> int:
        headers = {"authorization": f"Bearer {key}"}
        body = {"model": model, "input": "Hello"}
        return httpx2.post(f"{url}/v1/responses", json=body, headers=headers).status_code

    with serve(make_sidecar(Settings.load(file, environ={}))) as url:
        found = [status("qwen3", key), status("qwen3", "another"), status("phi", key)]

    assert found == [200, 401, 404]
    assert upstream.requests[-1].headers["authorization"] == "Bearer sk-of-the-upstream"


def test_settings_of_what_is_told_are_taken(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "observing").replace(UPSTREAM, upstream.url))

    with serve(make_sidecar(Settings.load(file, environ={}))) as url:
        answer = httpx2.post(f"{url}/v1/responses", json={"model": "any", "input": "Hello"})
        metrics = httpx2.get(f"{url}/adapter/metrics").text

    assert re.fullmatch(r"adapter;dur=[\d.]+, upstream;dur=[\d.]+", answer.headers["server-timing"])
    assert "responses_adapter_requests_total{" in metrics


def test_policy_of_fetches_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(code_block("tested", "fetch"))

    policy = Settings.load(file, environ={}).fetch

    check_url("https://mcp.example.com/mcp", policy)
    with pytest.raises(RefusedUrlError):
        check_url("https://example.org/mcp", policy)


def test_settings_are_checked_as_shown(upstream: ScriptedUpstream) -> None:
    result = CliRunner().invoke(main, command("check-config", (UPSTREAM, upstream.url)))

    assert result.stdout.replace(upstream.url, UPSTREAM) == code_block("prints", "check-config")


def test_request_is_translated_as_shown() -> None:
    echo, request, pipe, *words = shlex.split(code_block("tested", "translate-request"))
    assert (echo, pipe, words[0]) == ("echo", "|", "responses-adapter")

    result = CliRunner().invoke(main, words[1:], input=request)

    assert result.output == code_block("prints", "translate-request")


def test_recorded_answer_is_translated() -> None:
    result = CliRunner().invoke(main, command("translate-answer"))

    assert result.stdout.startswith("event: response.created\n")
    assert "event: response.completed\n" in result.stdout


def test_addresses_are_compared(upstream: ScriptedUpstream, stateful_url: str) -> None:
    arguments = command("bench", (UPSTREAM, upstream.url), (ADAPTER, stateful_url))

    result = CliRunner().invoke(main, arguments)

    assert result.exit_code == 0
    assert len(result.stdout.splitlines()) == 3


def test_inspector_is_served(upstream: ScriptedUpstream) -> None:
    arguments = command("inspector", (UPSTREAM, upstream.url))

    with running(*arguments, "--port", "0") as process:
        page = httpx2.get(f"{process.wait_for_url()}/adapter/ui/")

    assert "<title>Inspector" in page.text
