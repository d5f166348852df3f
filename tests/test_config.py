"""Settings: where they come from, which source wins, and what is said about a value that does not fit."""

import json
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapter.cli.serve import to_environment
from adapter.config import (
    DEFAULT_FORWARDED,
    SECRETS,
    Settings,
    SettingsError,
    describe_settings,
)
from adapter.routing import MAX_SECONDS

# A value other than the default for every setting, as written in the environment, and as it is.
OTHER_VALUES: dict[str, tuple[str, Any]] = {
    "upstream": ("http://host/v1", "http://host/v1"),
    "upstream_api_key": ("key", "key"),
    "dialect": ("openai", "openai"),
    "forward_headers": ("x-a, x-b,,", ("x-a", "x-b")),
    "unknown_fields": ("reject", "reject"),
    "downgrades": ("refuse", "refuse"),
    "reasoning_summaries": ("instead", "instead"),
    "sealing_keys": ("a long enough secret", ("a long enough secret",)),
    "max_summary_tokens": ("10", 10),
    "count_by_call": ("false", False),
    "hosted_tools": ("error", "error"),
    "custom_grammars": ("repair", "repair"),
    "store": ("memory:", "memory:"),
    "store_ttl": ("60", 60.0),
    "store_error": ("answer", "answer"),
    "owner_header": ("x-tenant", "x-tenant"),
    "max_history_bytes": ("11", 11),
    "background_timeout": ("60", 60.0),
    "background_lease": ("1.5", 1.5),
    "background_drain": ("0", 0.0),
    "max_background_runs": ("3", 3),
    "max_background_runs_per_owner": ("2", 2),
    "max_background_log_bytes": ("1000", 1000),
    "reasoning_events": ("reasoning", "reasoning"),
    "websocket": ("false", False),
    "start_grace": ("1.5", 1.5),
    "keepalive": ("comment", "comment"),
    "keepalive_interval": ("2", 2.0),
    "connect_timeout": ("3", 3.0),
    "first_byte_timeout": ("4", 4.0),
    "idle_timeout": ("5", 5.0),
    "total_timeout": ("6", 6.0),
    "max_connections": ("7", 7),
    "max_body_bytes": ("8", 8),
    "max_event_bytes": ("9", 9),
    "api_keys": ("a=sha256:00,b=sha256:11", ("a=sha256:00", "b=sha256:11")),
    "api_keys_file": ("keys.toml", "keys.toml"),
    "app_auth_path": ("/me", "/me"),
    "max_requests": ("1", 1),
    "max_requests_per_owner": ("2", 2),
    "max_streams": ("3", 3),
    "max_streams_per_owner": ("4", 4),
    "max_websockets": ("5", 5),
    "max_websockets_per_owner": ("6", 6),
    "requests_per_minute": ("0.5", 0.5),
    "max_input_items": ("99", 99),
    "max_header_bytes": ("2048", 2048),
    "max_headers": ("20", 20),
    "slow_reader_timeout": ("7", 7.0),
    "max_stream_bytes": ("8", 8),
    "upstream_retries": ("0", 0),
    "upstream_retry_wait": ("2", 2.0),
    "breaker_failures": ("3", 3),
    "breaker_seconds": ("1.5", 1.5),
    "cors_origins": ("https://a, https://b", ("https://a", "https://b")),
    "shutdown_delay": ("5", 5.0),
    "shutdown_timeout": ("9", 9.0),
    "metrics": ("true", True),
    "traces": ("true", True),
    "server_timing": ("true", True),
    "log_format": ("text", "text"),
    "mcp_list_timeout": ("11", 11.0),
    "mcp_call_timeout": ("12", 12.0),
    "mcp_list_ttl": ("0", 0.0),
    "max_mcp_servers": ("2", 2),
    "max_turns": ("4", 4),
    "tools_timeout": ("30", 30.0),
    "max_mcp_tools": ("3", 3),
    "max_tool_output_bytes": ("1000", 1000),
}


def write(path: Path, text: str) -> Path:
    file = path / "adapter.toml"
    file.write_text(text)
    return file


def test_defaults_hold_without_any_source() -> None:
    settings = Settings.load(environ={})

    assert settings == Settings()
    assert settings.upstream is None
    assert settings.forward_headers == DEFAULT_FORWARDED
    assert (settings.start_grace, settings.keepalive, settings.keepalive_interval) == (
        0.25,
        "event",
        15.0,
    )


def test_every_setting_has_another_value_here() -> None:
    assert OTHER_VALUES.keys() == describe_settings().keys()


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_setting_comes_from_the_environment(name: str) -> None:
    text, value = OTHER_VALUES[name]

    settings = Settings.load(environ={f"ADAPTER_{name.upper()}": text, name: "other", "PATH": "/"})

    assert settings == msgspec.structs.replace(Settings(), **{name: value})


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_setting_comes_from_an_argument(name: str) -> None:
    _, value = OTHER_VALUES[name]

    assert getattr(Settings.load(environ={}, **{name: value}), name) == value


@pytest.mark.parametrize("name", OTHER_VALUES)
def test_setting_comes_from_a_file(name: str, tmp_path: Path) -> None:
    _, value = OTHER_VALUES[name]
    written = list(value) if isinstance(value, tuple) else value
    file = write(tmp_path, f"{name} = {json.dumps(written)}\n")
    assert tomllib.loads(file.read_text()) == {name: written}

    settings = Settings.load(file, environ={})

    assert settings == msgspec.structs.replace(Settings(), **{name: value})


def test_file_is_named_by_the_environment_too(tmp_path: Path) -> None:
    file = write(tmp_path, "start_grace = 2\n")

    assert Settings.load(environ={"ADAPTER_CONFIG": str(file)}).start_grace == 2


def test_argument_names_the_file_before_the_environment(tmp_path: Path) -> None:
    file = write(tmp_path, "start_grace = 2\n")

    settings = Settings.load(file, environ={"ADAPTER_CONFIG": "/no/such/file"})

    assert settings.start_grace == 2


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ({"file", "environment", "argument"}, 3.0),
        ({"file", "environment"}, 2.0),
        ({"file", "argument"}, 3.0),
        ({"environment", "argument"}, 3.0),
        ({"file"}, 1.0),
        (set(), 0.25),
    ],
)
def test_arguments_win_over_environment_over_file(
    sources: set[str], expected: float, tmp_path: Path
) -> None:
    settings = Settings.load(
        write(tmp_path, "start_grace = 1\n") if "file" in sources else None,
        environ={"ADAPTER_START_GRACE": "2"} if "environment" in sources else {},
        start_grace=3 if "argument" in sources else None,
    )

    assert settings.start_grace == expected


def test_sources_add_up(tmp_path: Path) -> None:
    file = write(tmp_path, "keepalive = 'off'\nstart_grace = 1\n")

    settings = Settings.load(file, environ={"ADAPTER_START_GRACE": "2"}, idle_timeout=3)

    assert (settings.keepalive, settings.start_grace, settings.idle_timeout) == ("off", 2, 3)


@pytest.mark.parametrize("text", ["", " ", ","])
def test_empty_list_in_the_environment_is_an_empty_list(text: str) -> None:
    assert Settings.load(environ={"ADAPTER_FORWARD_HEADERS": text}).forward_headers == ()


def test_empty_text_in_the_environment_is_not_given(tmp_path: Path) -> None:
    """Containers are started with variables that are set and empty."""
    file = write(tmp_path, "upstream = 'http://host/v1'\n")
    environ = {"ADAPTER_UPSTREAM": "", "ADAPTER_START_GRACE": "", "ADAPTER_CONFIG": str(file)}

    settings = Settings.load(environ=environ)

    assert (settings.upstream, settings.start_grace) == ("http://host/v1", 0.25)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("start_grace", "soon", "expected float, got str", id="text-as-number"),
        pytest.param("start_grace", -1, "expected float >= 0.0", id="negative"),
        pytest.param("start_grace", "nan", "expected float >= 0.0", id="nan"),
        pytest.param("idle_timeout", "inf", f"expected float <= {MAX_SECONDS:.1f}", id="infinite"),
        pytest.param("keepalive_interval", 0, "expected float > 0.0", id="zero"),
        pytest.param("max_connections", "1.5", "expected int, got str", id="fraction-as-number"),
        pytest.param("max_connections", True, "expected int, got bool", id="bool-as-number"),
        pytest.param("max_body_bytes", 0, "expected int >= 1", id="no-bytes"),
        pytest.param("upstream", 5, "expected str | null, got int", id="number-as-text"),
        pytest.param("forward_headers", "a,b", "expected array, got str", id="text-as-list"),
        pytest.param("forward_headers", [1], "expected str, got int", id="number-in-list"),
        pytest.param(
            "keepalive", "no", "expected one of event, comment, off, got 'no'", id="unknown-word"
        ),
        pytest.param(
            "hosted_tools", "run", "expected one of drop, error, got 'run'", id="another-word"
        ),
    ],
)
def test_value_that_does_not_fit_is_named_with_what_was_expected(
    name: str, value: Any, message: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(environ={}, **{name: value})

    assert str(caught.value) == f"Invalid setting '{name}': {message}."


def test_unknown_dialect_is_named_with_those_that_there_are() -> None:
    with pytest.raises(SettingsError, match=r"'dialect'.*vllm.*'nobody'"):
        Settings.load(environ={}, dialect="nobody")


def test_value_in_the_environment_that_does_not_fit_is_named() -> None:
    with pytest.raises(SettingsError, match="Invalid setting 'start_grace': expected float"):
        Settings.load(environ={"ADAPTER_START_GRACE": "soon"})


@pytest.mark.parametrize("text", ["wat = 1\n", "[wat]\na = 1\n", "Upstream = 'x'\nwat = 1\n"])
def test_unknown_key_in_a_file_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^Unknown setting '(wat|Upstream)'\.$"):
        Settings.load(write(tmp_path, text), environ={})


def test_unknown_argument_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"^Unknown setting 'wat'\.$"):
        Settings.load(environ={}, wat=1)


@pytest.mark.parametrize("text", [b"upstream = ", b"a = 1\na = 2\n", b"\xff", b"a = \x00"])
def test_file_that_is_not_toml_is_refused_by_name(text: bytes, tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_bytes(text)

    with pytest.raises(SettingsError, match=r"adapter\.toml is not valid TOML"):
        Settings.load(file, environ={})


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_file_that_cannot_be_read_is_refused_by_name(name: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="Cannot read the settings file"):
        Settings.load(tmp_path / name, environ={})


@pytest.mark.parametrize("name", sorted(SECRETS))
def test_secret_is_not_shown(name: str) -> None:
    value = ("sk-secret",) if isinstance(getattr(Settings(), name), tuple) else "sk-secret"
    settings = Settings(**{name: value})

    shown = repr(settings) + str(settings) + str(dict(settings.__rich_repr__()))
    assert "sk-secret" not in shown
    assert f"{name}='***'" in repr(settings)
    assert "***" not in repr(Settings())


def test_what_is_not_secret_is_shown() -> None:
    shown = repr(Settings(upstream="http://host/v1", start_grace=7))

    assert shown.startswith("Settings(upstream='http://host/v1', ")
    assert "start_grace=7" in shown


def test_every_setting_is_described() -> None:
    values, tables = describe_settings(), describe_settings(tables=True)

    assert {*values, *tables} == {field.name for field in msgspec.structs.fields(Settings)}
    assert not values.keys() & tables.keys()
    assert all(description for description, _ in (values | tables).values())
    assert all(default == getattr(Settings(), name) for name, (_, default) in values.items())


def test_settings_survive_the_way_through_the_environment() -> None:
    """Workers are new processes, and find their settings there."""
    other = Settings(**{name: value for name, (_, value) in OTHER_VALUES.items()})

    for settings in (Settings(), other, Settings(forward_headers=())):
        assert Settings.load(environ=to_environment(settings)) == settings


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().upstream = "http://host/v1"  # type: ignore[misc]  # that is the test
