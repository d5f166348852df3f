"""`codex-config` prints TOML and writes a catalogue; what Codex makes of them, `tests/clients` shows."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.servers.answers import json_answer
from tests.servers.scripted import MODELS_PATH, ScriptedUpstream, scripted_upstream

NOWHERE = "http://127.0.0.1:9/v1"


@pytest.fixture
def server() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


def lists(server: ScriptedUpstream, *models: dict[str, Any]) -> None:
    server.always(json_answer(200, {"object": "list", "data": list(models)}), to=MODELS_PATH)


def run(*words: str, base_url: str = NOWHERE) -> Result:
    return CliRunner().invoke(main, ["codex-config", "--base-url", base_url, *words])


def printed(*words: str, base_url: str = NOWHERE) -> dict[str, Any]:
    """Return the printed configuration, decoded."""
    result = run(*words, base_url=base_url)
    assert result.exit_code == 0, result.output
    return tomllib.loads(result.stdout)


def entries(file: Path) -> list[dict[str, Any]]:
    models: list[dict[str, Any]] = json.loads(file.read_text())["models"]
    return models


def test_the_least_configuration_names_model_and_provider() -> None:
    assert printed("--model", "qwen3") == {
        "model": "qwen3",
        "model_provider": "responses-adapter",
        "web_search": "disabled",
        "model_providers": {
            "responses-adapter": {
                "name": "responses-adapter",
                "base_url": NOWHERE,
                "wire_api": "responses",
            }
        },
    }


@pytest.mark.parametrize("name", ["a/b:c", 'quo"ted', "back\\slash", "日本 👋", "two\nlines"])
def test_any_name_is_written_as_it_is(name: str) -> None:
    assert printed("--model", name)["model"] == name


def test_the_only_model_of_the_server_is_meant(server: ScriptedUpstream) -> None:
    lists(server, {"id": "tiny"})

    assert printed(base_url=server.url)["model"] == "tiny"


@pytest.mark.parametrize(
    "entry",
    [
        {"max_model_len": 4096},
        {"context_length": 4096},
        {"context_window": 4096},
        {"max_context_length": 4096},
        {"meta": {"n_ctx": 4096, "n_ctx_train": 8192}},
    ],
    ids=["vllm", "openrouter", "groq", "mistral", "llama.cpp"],
)
def test_the_context_is_as_large_as_the_server_says(
    entry: dict[str, Any], server: ScriptedUpstream
) -> None:
    lists(server, {"id": "other"}, {"id": "tiny", **entry})

    assert printed("--model", "tiny", base_url=server.url)["model_context_window"] == 4096


@pytest.mark.parametrize("entry", [{}, {"max_model_len": None}, {"meta": None}, {"meta": []}])
def test_a_context_of_unknown_size_is_said_and_left_out(
    entry: dict[str, Any], server: ScriptedUpstream
) -> None:
    lists(server, {"id": "tiny", **entry})

    result = run(base_url=server.url)

    assert "model_context_window" not in tomllib.loads(result.stdout)
    assert "--context-window" in result.stderr


def test_a_given_context_counts_more_than_what_the_server_says(server: ScriptedUpstream) -> None:
    lists(server, {"id": "tiny", "max_model_len": 4096})

    result = run("--context-window", "2048", base_url=server.url)

    assert tomllib.loads(result.stdout)["model_context_window"] == 2048
    assert result.stderr == ""


def test_a_key_is_named_and_used_but_never_shown(
    server: ScriptedUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists(server, {"id": "tiny"})
    monkeypatch.setenv("SOME_KEY", "a-secret-key")

    result = run("--key-env", "SOME_KEY", base_url=server.url)

    provider = tomllib.loads(result.stdout)["model_providers"]["responses-adapter"]
    assert provider["env_key"] == "SOME_KEY"
    assert server.requests[0].headers["authorization"] == "Bearer a-secret-key"
    assert "a-secret-key" not in result.output


def test_a_catalogue_has_the_patch_tool_and_the_context(tmp_path: Path) -> None:
    file = tmp_path / "models.json"

    config = printed("--model", "tiny", "--context-window", "4096", "--catalog", str(file))

    assert config["model_catalog_json"] == str(file)
    assert "model_context_window" not in config  # the entry has it
    (entry,) = entries(file)
    assert (entry["slug"], entry["context_window"]) == ("tiny", 4096)
    assert (entry["apply_patch_tool_type"], entry["support_verbosity"]) == ("freeform", False)
    assert "apply_patch" in entry["base_instructions"]


def test_a_catalogue_gathers_models(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    file.write_text('{"models": [{"slug": "mine"}, "odd"], "more": 1}')
    for window in ("1000", "2000"):
        printed("--model", "tiny", "--context-window", window, "--catalog", str(file))

    *others, last = entries(file)

    assert others == [{"slug": "mine"}, "odd"]
    assert (last["slug"], last["context_window"]) == ("tiny", 2000)
    assert json.loads(file.read_text())["more"] == 1


def test_a_catalogue_without_a_context_leaves_it_out(tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    printed("--model", "tiny", "--catalog", str(file))

    assert "context_window" not in entries(file)[0]


@pytest.mark.parametrize(
    ("option", "architecture", "expected"),
    [
        ([], None, ["text"]),
        ([], {"input_modalities": ["text", "image"]}, ["text", "image"]),
        ([], {"input_modalities": []}, ["text"]),
        (["--images"], None, ["text", "image"]),
        (["--no-images"], {"input_modalities": ["text", "image"]}, ["text"]),
    ],
)
def test_the_model_sees_what_the_server_or_the_user_says(
    option: list[str],
    architecture: Any,
    expected: list[str],
    server: ScriptedUpstream,
    tmp_path: Path,
) -> None:
    lists(server, {"id": "tiny", "architecture": architecture})
    file = tmp_path / "models.json"

    printed(*option, "--catalog", str(file), base_url=server.url)

    assert entries(file)[0]["input_modalities"] == expected


@pytest.mark.parametrize("text", ["[]", "{}", "not JSON", '{"models": {}}', '{"models"'])
def test_another_file_is_not_overwritten(text: str, tmp_path: Path) -> None:
    file = tmp_path / "models.json"
    file.write_text(text)

    result = run("--model", "tiny", "--catalog", str(file))

    assert (result.exit_code, file.read_text()) == (1, text)
    assert "is not a catalogue of models" in result.output


def test_a_catalogue_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    result = run("--model", "tiny", "--catalog", str(tmp_path / "missing" / "models.json"))

    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert "No such file or directory" in result.output


@pytest.mark.parametrize(
    ("models", "said"),
    [([], "has none"), ([{"id": "a"}, {"id": "b"}], "has a, b")],
    ids=["none", "several"],
)
def test_several_models_are_listed_to_choose_from(
    models: list[dict[str, Any]], said: str, server: ScriptedUpstream
) -> None:
    lists(server, *models)

    result = run(base_url=server.url)

    assert (result.exit_code, said in result.output) == (1, True)


def test_a_long_list_is_cut_short(server: ScriptedUpstream) -> None:
    lists(server, *({"id": f"m{number}"} for number in range(50)))

    assert "m19, …." in run(base_url=server.url).output


@pytest.mark.parametrize(
    "body", [[], {}, {"data": None}, "text"], ids=["list", "empty", "null", "string"]
)
def test_a_server_that_lists_no_models_is_said(body: Any, server: ScriptedUpstream) -> None:
    server.always(json_answer(200, body), to=MODELS_PATH)

    result = run(base_url=server.url)

    assert result.exit_code == 1
    assert "does not list models." in result.output
    assert "--model" in result.output


@pytest.mark.parametrize("base_url", [NOWHERE, "not a URL", "http://[::bad/v1"])
def test_a_server_that_is_not_there_is_said_without_a_traceback(base_url: str) -> None:
    result = run(base_url=base_url)

    assert (result.exit_code, isinstance(result.exception, SystemExit)) == (1, True)
    assert "does not list models: " in result.output


def test_a_server_that_refuses_is_no_hindrance_when_the_model_is_named(
    server: ScriptedUpstream,
) -> None:
    server.always(json_answer(401, {"error": "Unauthorized"}), to=MODELS_PATH)

    assert printed("--model", "tiny", base_url=server.url)["model"] == "tiny"
