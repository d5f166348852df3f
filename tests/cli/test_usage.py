"""What the command says of itself, and how it says what is wrong with how it was called."""

import pytest
from click.testing import CliRunner, Result

from adapter import __version__
from adapter.cli import main
from adapter.config import describe_settings
from tests.cli.process import run, taken_port


def invoke(*arguments: str, **environ: str) -> Result:
    settings = dict.fromkeys(_settings_in_environment())
    runner = CliRunner(env=settings | {"ADAPTER_STORE": "none"} | environ)
    return runner.invoke(main, arguments)


def _settings_in_environment() -> list[str]:
    return ["ADAPTER_CONFIG", *(f"ADAPTER_{name.upper()}" for name in describe_settings())]


@pytest.mark.parametrize("option", ["--help", "-h"])
@pytest.mark.parametrize("command", [[], ["serve"], ["demo"]])
def test_help_is_shown(command: list[str], option: str) -> None:
    result = invoke(*command, option)

    assert result.exit_code == 0
    assert result.output.startswith("Usage: ")
    assert "--help" in result.output


def test_help_lists_the_commands() -> None:
    result = invoke("--help")

    assert {"serve", "demo"} <= {line.split()[0] for line in result.output.splitlines() if line}


@pytest.mark.parametrize("name", describe_settings())
def test_help_of_serve_lists_the_setting(name: str) -> None:
    description, default = describe_settings()[name]

    shown = _words(invoke("serve", "--help").output)

    assert f"--{name.replace('_', '-')}" in shown
    assert f"env:ADAPTER_{name.upper()};" in shown
    assert _words(description[1:]) in shown
    assert f"default:{_words(_first(default))}" in shown


@pytest.mark.parametrize("name", describe_settings(tables=True))
def test_tables_of_the_settings_file_are_no_options(name: str) -> None:
    assert f"--{name} " not in invoke("serve", "--help").output


def _words(text: str) -> str:
    """Leave out the blanks: lines are wrapped at any of them, and at hyphens."""
    return "".join(text.split())


def _first(default: object) -> str:
    if isinstance(default, tuple):
        default = default[0] if default else None
    return "none" if default is None else str(default)


def test_version_is_that_of_the_package() -> None:
    """By `python -m adapter`; the check of the wheel tries the script that it installs."""
    assert run("--version").stdout == f"responses-adapter, version {__version__}\n"


def test_serve_without_upstream_is_a_usage_error() -> None:
    done = run("serve")

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == (
        "Error: No upstream: expected the base URL of a chat-completions server, such as "
        "http://127.0.0.1:8000/v1, as an argument or in ADAPTER_UPSTREAM."
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--upstream", "127.0.0.1:8000"], "Invalid setting 'upstream': the base URL"),
        (["--upstream", "http://a:b@host"], "Invalid setting 'upstream': credentials"),
        (["--start-grace", "soon"], "Invalid setting 'start_grace': expected float, got str."),
        (["--start-grace", "-1"], "Invalid setting 'start_grace': expected float >= 0.0."),
        (["--keepalive", "no"], "Invalid setting 'keepalive': expected one of event, comment, off"),
        (["--dialect", "nobody"], "Invalid setting 'dialect'"),
        (["--max-body-bytes", "0"], "Invalid setting 'max_body_bytes': expected int >= 1."),
        (["--config", "/no/such/file.toml"], "Cannot read the settings file"),
        (["--port", "99999"], "Invalid value for '--port'"),
        (["--port", "http"], "Invalid value for '--port'"),
        (["--workers", "0"], "Invalid value for '--workers'"),
        (["--log-level", "loud"], "Invalid value for '--log-level'"),
        (["--wat", "1"], "No such option"),
        (["extra"], "Got unexpected extra argument"),
    ],
)
def test_bad_argument_is_a_usage_error_that_names_it(arguments: list[str], message: str) -> None:
    result = invoke("serve", *arguments, ADAPTER_UPSTREAM="http://127.0.0.1:1/v1")

    assert result.exit_code == 2
    assert message in result.output
    assert isinstance(result.exception, SystemExit)


def test_bad_value_in_the_environment_is_a_usage_error_that_names_it() -> None:
    result = invoke("serve", ADAPTER_UPSTREAM="http://127.0.0.1:1/v1", ADAPTER_START_GRACE="soon")

    assert result.exit_code == 2
    assert "Invalid setting 'start_grace'" in result.output


def test_unknown_command_is_a_usage_error() -> None:
    result = invoke("server")

    assert result.exit_code == 2
    assert "No such command 'server'" in result.output


def test_port_in_use_is_said_without_a_traceback() -> None:
    with taken_port() as port:
        done = run("serve", "--upstream", "http://127.0.0.1:1/v1", "--port", str(port))

    assert done.returncode == 3  # uvicorn's for a failed start
    assert "address already in use" in done.stderr
    assert "Traceback" not in done.stderr
