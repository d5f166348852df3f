"""`responses-adapter probe` as a user calls it: what it prints, what it writes, how it ends."""

import json
import os
import pty
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.config import Settings, describe_settings
from tests.cli.process import MODULE, START_LIMIT_SECONDS, clean_environment, free_port, run
from tests.readme.document import code_block
from tests.servers.answers import chunk, json_answer, stream_answer
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream, scripted_upstream

KEY = "sk-canary-0123456789"
TALK = stream_answer(chunk({"content": "Hello"}), chunk({}, "stop"))


@pytest.fixture(scope="module")
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as server:
        server.always(TALK)
        yield server


def invoke(*arguments: str, **environ: str) -> Result:
    names = ["ADAPTER_CONFIG", *(f"ADAPTER_{name.upper()}" for name in describe_settings())]
    return CliRunner(env=dict.fromkeys(names) | environ).invoke(main, ["probe", *arguments])


def load(file: Path) -> Settings:
    return Settings.load(file, environ={})


def test_table_has_a_line_for_every_check(upstream: ScriptedUpstream) -> None:
    result = invoke(upstream.url)

    assert result.exit_code == 0
    assert result.stdout.startswith(f"{upstream.url}, model scripted\n")
    assert "  answer  " in result.stdout
    assert "? server  " in result.stdout
    assert "! usage  " in result.stdout
    assert "requests, about" in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stderr == ""


def shown_on_a_terminal(*arguments: str, **environ: str) -> str:
    """Return what a terminal is sent."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*MODULE, "probe", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
        env=clean_environment(environ),
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 65536):
                shown += piece
        except OSError:  # so Linux says that the other end is closed
            pass
        os.close(ours)
        process.wait(START_LIMIT_SECONDS)
    return shown.decode()


def test_terminal_shows_colours_and_what_is_being_asked(upstream: ScriptedUpstream) -> None:
    shown = shown_on_a_terminal(upstream.url, TERM="xterm", COLUMNS="90")
    plain = shown_on_a_terminal(upstream.url, NO_COLOR="1")

    assert "asking: tool_choice named" in shown
    assert "\x1b[31m! usage  " in shown
    assert "! usage  " in plain
    assert "\x1b[31m" not in plain


def test_json_is_for_machines(upstream: ScriptedUpstream) -> None:
    report = json.loads(invoke(upstream.url, "--json", "--model", "mine").stdout)

    assert report.keys() == {
        *("url", "model", "models", "answers", "base", "facts"),
        *("findings", "requests", "tokens"),
    }
    assert (report["model"], report["models"], report["base"]) == ("mine", ["scripted"], "generic")
    assert report["findings"][0] == {
        "check": "answer",
        "grade": "fine",
        "finding": 'streams, 1 deltas: "Hello"',
        "action": "",
        "facts": {},
    }
    assert report["facts"]["refuses"] == ["logprobs", "top_logprobs"]


def test_settings_are_written_that_the_adapter_takes(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "adapter.toml"

    result = invoke(upstream.url, "--write", str(file))

    assert result.exit_code == 0
    assert result.stderr == f"Added [dialects.my-server] and [routes.my-server] to {file}.\n"
    settings = load(file)
    dialect = settings.known_dialects()["my-server"]
    assert dialect.source.startswith("probed 20")
    assert dialect.refuses == {"logprobs", "top_logprobs"}
    assert settings.routes["my-server"].upstream == upstream.url


def test_settings_are_added_to_those_that_are_there(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(
        'upstream = "http://127.0.0.1:1/v1"\n\n# mine\n[routes.other]\nupstream = "http://127.0.0.1:2/v1"'
    )
    file.chmod(0o600)

    invoke(upstream.url, "--write", str(file), "--name", "fast")

    settings = load(file)
    assert list(settings.routes) == ["other", "fast"]
    assert settings.routes["fast"].models == ("scripted",)
    assert not settings.routes["fast"].default  # `upstream` is
    assert "# mine" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_second_default_is_not_written(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"

    for name in ("first", "second"):
        invoke(upstream.url, "--write", str(file), "--name", name)

    assert [route.default for route in load(file).routes.values()] == [True, False]


@pytest.mark.parametrize(
    ("there", "message"),
    [
        ("[dialects.my-server]\n", "already has [dialects.my-server]: choose another name"),
        ('[routes.my-server]\nupstream = "http://a/v1"\n', "already has [routes.my-server]"),
        ("[routes\n", "Nothing was written: The settings file there is not valid TOML"),
        ("wat = 1\n", "Nothing was written: Unknown setting 'wat'."),
        ("routes = 1\n", "Nothing was written: Invalid setting 'routes'"),
    ],
)
def test_file_that_cannot_be_added_to_stays_as_it_is(
    there: str, message: str, upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(there)

    result = invoke(upstream.url, "--write", str(file))

    assert result.exit_code == 1
    assert message in result.stderr
    assert file.read_text() == there


def test_file_that_cannot_be_written_is_said(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "adapter.toml"):
        result = invoke(upstream.url, "--write", str(path))

        assert result.exit_code == 1
        assert isinstance(result.exception, SystemExit)


def test_key_is_sent_and_shown_nowhere(upstream: ScriptedUpstream, tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    before = len(upstream.requests)

    shown = invoke(upstream.url, "--api-key", KEY, "--json", "--write", str(file))
    invoke(upstream.url, ADAPTER_UPSTREAM_API_KEY=f"{KEY}\n")

    assert {each.headers["authorization"] for each in upstream.requests[before:]} == {
        f"Bearer {KEY}"
    }
    assert KEY not in shown.output + file.read_text()


def test_unreachable_server_is_said_without_a_traceback() -> None:
    done = run("probe", f"http://127.0.0.1:{free_port()}/v1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: Cannot connect to the model server at 127.0.0.1:")
    assert len(done.stderr.splitlines()) == 1


def test_missing_key_is_said_without_showing_the_wrong_one() -> None:
    with scripted_upstream() as upstream:
        upstream.always(json_answer(401, {"error": f"wrong key {KEY}"}), to=MODELS_PATH)
        result = invoke(upstream.url, "--api-key", KEY)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: wrong key *** Give a key with --api-key.\n"


def test_server_without_chat_completions_is_said_with_what_it_said() -> None:
    with scripted_upstream() as upstream:
        upstream.always(json_answer(404, {"detail": "Not Found"}))
        result = invoke(upstream.url, "--write", "/nowhere")

    assert result.exit_code == 1
    assert "! bare answer  refused (404): " in result.stdout
    assert result.stderr == f"Error: {upstream.url} does not answer a plain chat request.\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["127.0.0.1:8000"], "Invalid URL: the base URL of an upstream must begin with http"),
        (["http://a:b@host/v1"], "Invalid URL: credentials do not belong in a base URL"),
        ([], "Missing argument 'URL'"),
        (["http://host/v1", "--timeout", "0"], "Invalid value for '--timeout'"),
        (["http://host/v1", "--max-tokens", "1"], "Invalid value for '--max-tokens'"),
        (["http://host/v1", "--budget", "0"], "Invalid value for '--budget'"),
    ],
)
def test_bad_argument_is_a_usage_error(arguments: list[str], message: str) -> None:
    result = invoke(*arguments)

    assert result.exit_code == 2
    assert message in result.output


def test_readme_shows_a_command_that_works(llama_url: str, tmp_path: Path) -> None:
    lines = code_block("tested", "probe").strip().splitlines()
    file = tmp_path / "adapter.toml"
    probe = lines[0].replace("http://127.0.0.1:8000/v1", llama_url)
    words = shlex.split(probe.replace("adapter.toml", str(file)))

    result = CliRunner().invoke(main, words[1:])

    assert result.exit_code == 0
    assert tomllib.loads(file.read_text())["routes"].keys() == {"my-llama-cpp"}
    assert shlex.split(lines[1]) == ["responses-adapter", "serve", "--config", "adapter.toml"]
