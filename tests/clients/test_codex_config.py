"""Codex works with what `codex-config` prints and writes, and with what the README says."""

from pathlib import Path

from click.testing import CliRunner

from adapter.cli import main
from tests.clients.codex import Codex
from tests.clients.install import Clients
from tests.clients.upstream import coding
from tests.clients.upstream.scenes import GREETING, PROMPTS
from tests.clients.upstream.server import StrictUpstream
from tests.readme.document import code_block

README_URL = "http://127.0.0.1:9000/v1"
STRICT = "--strict-config"  # unknown settings are errors


def printed(*words: str) -> str:
    result = CliRunner().invoke(main, ["codex-config", *words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_codex_answers_with_the_printed_configuration(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    config = printed("--base-url", url, "--context-window", "32768")

    run = Codex(clients.codex, tmp_path, config).exec(PROMPTS["hello"], STRICT)

    assert run.messages == [GREETING]


def test_codex_patches_files_with_the_written_catalogue(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    catalog = tmp_path / "models.json"
    config = printed("--base-url", url, "--context-window", "32768", "--catalog", str(catalog))
    codex = Codex(clients.codex, tmp_path, config)
    file = codex.workspace / "greeting.txt"
    file.write_text("hello\n")

    run = codex.exec(coding.PATCH, STRICT)

    assert file.read_text() == coding.PATCHED_TEXT
    assert run.items("error") == []  # nothing is missing of what it wants to know of the model
    system = upstream.bodies[0]["messages"][0]["content"]
    assert system.startswith("You are a coding agent. You work in a terminal")
    assert upstream.refusals == []


def test_codex_takes_the_printed_configuration_as_a_profile(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    codex = Codex(clients.codex, tmp_path, 'approval_policy = "never"\n')
    config = printed("--base-url", url, "--context-window", "32768", "--key-env", "CODEX_API_KEY")
    (codex.home / "local.config.toml").write_text(config)

    run = codex.exec(PROMPTS["hello"], STRICT, "--profile", "local")

    assert run.messages == [GREETING]


def test_codex_sums_up_what_is_too_long_for_the_written_context(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    catalog = tmp_path / "models.json"
    window = str(coding.OVERFLOW_TOKENS)
    config = printed("--base-url", url, "--context-window", window, "--catalog", str(catalog))
    codex = Codex(clients.codex, tmp_path, config)
    codex.exec(coding.FILL_CONTEXT)

    run = codex.exec(PROMPTS["recall"], resume=True)

    assert run.messages == ["It was walnut."]  # which only the summary says


def test_codex_answers_with_the_configuration_of_the_readme(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    config = code_block("tested", "codex").replace(README_URL, url)

    run = Codex(clients.codex, tmp_path, config).exec(PROMPTS["hello"], STRICT)

    assert run.messages == [GREETING]


def test_codex_patches_files_with_the_commands_of_the_readme(
    clients: Clients, upstream: StrictUpstream, url: str, tmp_path: Path
) -> None:
    folder, command, use = code_block("tested", "profile").splitlines()
    assert folder == "mkdir -p ~/.codex"
    codex = Codex(clients.codex, tmp_path, 'approval_policy = "never"\n')
    program, *words = command.replace("~/.codex", str(codex.home)).split()
    assert (program, *words[:1], words[-2]) == ("responses-adapter", "codex-config", ">")
    Path(words[-1]).write_text(printed(*words[1:-2], "--base-url", url))
    file = codex.workspace / "greeting.txt"
    file.write_text("hello\n")

    codex.exec(coding.PATCH, STRICT, *use.split()[1:])

    assert file.read_text() == coding.PATCHED_TEXT
