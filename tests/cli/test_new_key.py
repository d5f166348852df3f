"""`new-key`: what it prints is of use, and nothing that it keeps is the key."""

import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.asgi.access.keys import KeyRing
from adapter.cli import main

pytestmark = pytest.mark.anyio


def run(*arguments: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(main, ["new-key", *arguments], input=typed)


async def test_key_is_printed_once_and_known_by_its_entry() -> None:
    result = run("alice")

    key = result.stdout.strip()
    entry = result.stderr.splitlines()[-1].rpartition(" ")[2]
    found = await KeyRing([entry]).find(key.encode())

    assert result.exit_code == 0
    assert found is not None
    assert found.name == "alice"
    assert key not in result.stderr


async def test_table_is_appended_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    limits = ["--requests-per-minute", "90", "--max-requests", "5", "--max-streams", "3"]
    about = ["--owner", 'the "team"', "--model", "a*", "--model", "b", "--expires", "2999-01-02"]

    first = run("alice", "--file", str(file), *about, *limits)
    second = run("bob@x.y", "--file", str(file))

    ring = KeyRing(file=str(file))
    found = await ring.find(first.stdout.strip().encode())
    assert found is not None
    assert (found.owner, found.settings.models) == ('the "team"', ("a*", "b"))
    assert found.settings.requests_per_minute == 90
    assert (found.settings.max_requests, found.settings.max_streams) == (5, 3)
    assert found.settings.expires is not None
    assert found.settings.expires.year == 2999
    assert (await ring.find(second.stdout.strip().encode())) is not None
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.stdout.strip() not in file.read_text()


def test_second_key_of_a_name_is_refused_before_it_spoils_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    run("alice", "--file", str(file))
    kept = file.read_text()

    again = run("alice", "--file", str(file))

    assert again.exit_code == 1
    assert "has a key of alice already" in again.output
    assert file.read_text() == kept


def test_file_that_is_not_toml_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "keys.toml"
    file.write_text("[keys.alice\n")

    result = run("bob", "--file", str(file))

    assert result.exit_code == 1
    assert "is not valid TOML: " in result.output
    assert "line 1" in result.output
    assert file.read_text() == "[keys.alice\n"


@pytest.mark.parametrize(
    ("key", "kind"), [("a short one, of mine", "scrypt:"), ("k" * 40, "sha256:")]
)
async def test_key_that_was_thought_of_has_a_slow_hash(tmp_path: Path, key: str, kind: str) -> None:
    file = tmp_path / "keys.toml"

    result = run("alice", "--stdin", "--file", str(file), typed=f"{key}\n")

    assert key not in result.output
    assert f'hash = "{kind}' in file.read_text()
    assert await KeyRing(file=str(file)).find(key.encode()) is not None


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (["a/b"], None, "NAME: expected"),
        (["a\nb"], None, "NAME: expected"),
        (["a", "--stdin"], "short\n", "--stdin: expected a key"),
        (["a", "--stdin"], "k" * 600, "--stdin: expected a key"),
        (["a", "--stdin"], "schlüssel-schlüssel", "--stdin: expected a key"),
        (["a", "--file", "/no/such/folder/keys.toml"], None, "Cannot write /no/such"),
        (["a", "--expires", "soon"], None, "Invalid value for '--expires'"),
    ],
)
def test_what_cannot_be_is_told(arguments: list[str], typed: str | None, message: str) -> None:
    result = run(*arguments, typed=typed)

    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output
