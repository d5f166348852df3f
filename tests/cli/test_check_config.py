"""`check-config` says what the settings are, where they come from and what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.config import describe_settings
from tests.servers.scripted import scripted_upstream

UPSTREAM = "http://127.0.0.1:1/v1"


def check(*arguments: str, **environ: str) -> Result:
    ours = dict.fromkeys(["ADAPTER_CONFIG", *(f"ADAPTER_{n.upper()}" for n in describe_settings())])
    return CliRunner(env=ours | environ).invoke(main, ["check-config", *arguments])


def report(*arguments: str, **environ: str) -> Any:
    return json.loads(check("--json", *arguments, **environ).stdout)


def test_settings_are_told_with_where_they_come_from(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(f'upstream = "{UPSTREAM}"\nidle_timeout = 3\ndialect = "vllm"\n')

    settings = report("--config", str(file), "--dialect", "sglang", ADAPTER_IDLE_TIMEOUT="4")[
        "settings"
    ]

    found = {each["name"]: (each["value"], each["from"]) for each in settings}
    assert found == {
        "upstream": (UPSTREAM, str(file)),
        "idle_timeout": (4, "ADAPTER_IDLE_TIMEOUT"),
        "dialect": ("sglang", "--dialect"),
    }
    assert all(each["meaning"] == describe_settings()[each["name"]][0] for each in settings)


def test_text_says_the_same() -> None:
    said = check("--upstream", UPSTREAM, "--dialect", "vllm").stdout

    assert f"upstream = {UPSTREAM}   (--upstream)" in said
    assert f"* → {UPSTREAM}\n    dialect vllm, the client's key" in said


def test_secrets_are_not_shown() -> None:
    result = check(
        *("--upstream", UPSTREAM, "--upstream-api-key", "sk-canary"),
        *("--store", "redis://:canary@127.0.0.1:1/0", "--sealing-keys", "canary-canary-canary"),
    )

    assert "canary" not in result.output
    assert "store = redis:…" in result.stdout


def test_routes_are_told_with_their_dialects(tmp_path: Path) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text(
        '[routes.a]\nupstream = "https://api.deepseek.com/v1"\nmodels = ["deep*"]\n'
        f'[routes.b]\nupstream = "{UPSTREAM}"\ndefault = true\nupstream_api_key = "k"\n'
    )

    routes = report("--config", str(file))["routes"]

    assert [(each["name"], each["models"], each["dialect"], each["key"]) for each in routes] == [
        ("a", "deep*", "deepseek", False),
        ("b", "*", "auto: by its first answer", True),
    ]


@pytest.mark.parametrize(
    ("arguments", "environ", "warning"),
    [
        pytest.param([], {"ADAPTER_UPSTRAEM": "x"}, "ADAPTER_UPSTREAM is one", id="misspelt"),
        pytest.param(["--upstream-api-key", "k"], {}, "api_keys says who may", id="open"),
        pytest.param(["--store", "redis://h"], {}, "sealing_keys gives them one", id="own keys"),
        pytest.param(["--store", "redis://h"], {}, "share all that is stored", id="one owner"),
    ],
)
def test_what_may_not_be_meant_is_warned_of(
    arguments: list[str], environ: dict[str, str], warning: str
) -> None:
    warnings = report("--upstream", UPSTREAM, *arguments, **environ)["warnings"]

    assert [text for text in warnings if warning in text] != []


def test_nothing_is_warned_of_without_a_reason() -> None:
    assert report("--upstream", UPSTREAM)["warnings"] == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "No upstream"),
        (["--upstream", UPSTREAM, "--idle-timeout", "soon"], "Invalid setting 'idle_timeout'"),
        (["--upstream", UPSTREAM, "--store", "no-such:"], "Invalid setting 'store'"),
        (["--upstream", UPSTREAM, "--dialect", "no-such"], "Invalid setting 'dialect'"),
    ],
)
def test_what_serve_would_refuse_is_refused(arguments: list[str], message: str) -> None:
    result = check(*arguments)

    assert result.exit_code == 2
    assert message in result.output


def test_misspelt_variable_is_told_with_what_is_missing_for_it() -> None:
    result = check(ADAPTER_UPSTRAEM=UPSTREAM)

    assert result.exit_code == 2
    assert "ADAPTER_UPSTRAEM is no setting; ADAPTER_UPSTREAM is one." in result.stderr
    assert "No upstream" in result.stderr


def test_upstreams_and_store_are_asked() -> None:
    with scripted_upstream() as upstream:
        result = check("--upstream", upstream.url, "--store", "memory:", "--ask")

    assert result.exit_code == 0
    assert "ok  default: scripted; dialect generic" in result.stdout
    assert "ok  store: it answers" in result.stdout


def test_what_does_not_answer_is_told() -> None:
    result = check("--upstream", UPSTREAM, "--ask")

    assert result.exit_code == 1
    assert "down  default: Cannot connect to the model server" in result.stdout
