"""The documents hold together: links, marks, what they name."""

import re
import shlex
from pathlib import Path

import pytest

from adapter.cli import main
from adapter.config import ENV_PREFIX, describe_settings
from tests.readme.document import DOCS, DOCUMENTS, README, ROOT, blocks, code_block, marks, names
from tests.readme.generated import GENERATED
from tests.test_requirements import EXTRAS

MAX_LINES = 300
RUNNABLE = ("sh", "python", "toml", "js", "json", "yaml")
INCLUDED = re.compile(r'\A--8<-- "([^"]+)"\n\Z')


def by_name(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_readme_can_be_read_in_five_minutes() -> None:
    assert len(README.read_text().splitlines()) <= MAX_LINES


@pytest.mark.parametrize("file", DOCUMENTS, ids=by_name)
def test_links_lead_to_files(file: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", file.read_text())

    here = [link for link in links if "://" not in link]
    assert [link for link in here if not (file.parent / link).exists()] == []


def test_readme_links_every_example() -> None:
    links = set(re.findall(r"\]\(([^)#]+)\)", README.read_text()))
    examples = {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py")}
    clients = {f"examples/clients/{path.name}" for path in (ROOT / "examples/clients").iterdir()}

    assert examples | clients <= links


def test_every_page_is_in_the_navigation() -> None:
    site = (ROOT / "mkdocs.yml").read_text()

    assert [path for path in DOCS.rglob("*.md") if str(path.relative_to(DOCS)) not in site] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=by_name)
def test_every_block_that_can_run_is_marked_or_included(file: Path) -> None:
    """But for the two commands of `make` at the top of the README."""
    unmarked = [
        code
        for before, code in blocks(file, *RUNNABLE)
        if not re.match(r"\s*<!-- (tested|shown): [\w-]+ -->$", before) and not INCLUDED.match(code)
    ]

    assert len(unmarked) == (1 if file == README else 0)
    assert all(line.startswith("make ") for code in unmarked for line in code.splitlines())


@pytest.mark.parametrize("file", DOCUMENTS, ids=by_name)
def test_what_is_included_is_an_example(file: Path) -> None:
    """Examples are run by tests of their own."""
    included = [match[1] for _, code in blocks(file, *RUNNABLE) if (match := INCLUDED.match(code))]

    assert [path for path in included if not path.startswith("examples/")] == []
    assert [path for path in included if not (ROOT / path).exists()] == []


def test_names_of_marks_are_told_apart() -> None:
    named = [(mark.kind, mark.name) for mark in marks()]

    assert len(named) == len(set(named))


def test_what_is_said_to_be_tested_is() -> None:
    """By a test that names it."""
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    assert [name for name in names("tested") if f'"{name}"' not in sources] == []
    assert [name for name in names("checked") if f'"{name}"' not in sources] == []
    assert names("generated") == sorted(GENERATED, key=names("generated").index)


@pytest.mark.parametrize("name", names("shown"))
def test_commands_that_are_shown_name_what_is_there(name: str) -> None:
    """They are of programs that tests do not run: files, targets and commands of ours exist."""
    code = code_block("shown", name).replace("\\\n", " ")
    for line in code.splitlines():
        words = shlex.split(line, comments=True)
        assert [
            word for word in words if word.startswith("deploy/") and not (ROOT / word).exists()
        ] == []
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
        if "responses-adapter" in words:
            _, *arguments = words[words.index("responses-adapter") :]
            assert unknown_options(arguments) == []


def unknown_options(arguments: list[str]) -> list[str]:
    """Return the options of a command of ours that it does not have."""
    if not arguments or arguments[0] not in main.commands:
        return arguments[:1] if arguments and arguments[0].isidentifier() else []
    command = main.commands[arguments[0]]
    known = {name for option in command.params for name in option.opts}
    return [word for word in arguments if word.startswith("--") and word not in known]


@pytest.mark.parametrize("file", DOCUMENTS, ids=by_name)
def test_extras_that_are_named_exist(file: Path) -> None:
    named = re.findall(r"pip install '(?:\.|responses-adapter)\[([\w,]+)\]", file.read_text())

    assert {extra for extras in named for extra in extras.split(",")} <= EXTRAS.keys()


@pytest.mark.parametrize("file", DOCUMENTS, ids=by_name)
def test_variables_that_are_named_are_settings(file: Path) -> None:
    known = {ENV_PREFIX + name.upper() for name in describe_settings()} | {"ADAPTER_CONFIG"}
    named = set(re.findall(rf"\b{ENV_PREFIX}[A-Z_]+[A-Z]\b", file.read_text()))

    assert named - {"ADAPTER_KEY"} <= known  # of the reader's own


@pytest.mark.parametrize("file", DOCUMENTS, ids=by_name)
def test_targets_of_make_exist(file: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert set(re.findall(r"`make ([a-z-]+)", file.read_text())) <= targets
