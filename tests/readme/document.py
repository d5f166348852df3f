"""The parts of the README and of `docs/` that tests look at, found by the comments that mark them.

<!-- tested: NAME -->     a code block that a test runs
<!-- shown: NAME -->      one of a program that tests do not run: what it names of ours is there
<!-- prints: NAME -->     what it prints
<!-- checked: NAME -->    a table or text block whose facts a test compares with the code
<!-- generated: NAME -->  a table that is made from the code; `pytest --update` writes it anew

A name stands for one part, in whichever document it is.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
DOCS = ROOT / "docs"
DOCUMENTS = [README, *sorted(DOCS.rglob("*.md")), ROOT / "adapter" / "dialects" / "README.md"]

Row = tuple[str, ...]


class Mark(NamedTuple):
    """A comment that marks what is behind it."""

    file: Path
    kind: str
    name: str


def code_block(mark: str, name: str) -> str:
    """Return the code behind `<!-- MARK: NAME -->`."""
    found = re.match(r"```\w+[^\n]*\n(.*?)```", behind(mark, name), re.DOTALL)
    assert found is not None, f"no code block behind {mark}: {name}"
    return found[1]


def table(mark: str, name: str) -> list[Row]:
    """Return the cells of the table behind `<!-- MARK: NAME -->`, without its head."""
    text, _, _ = behind(mark, name).partition("\n\n")
    _, _, *lines = text.splitlines()
    return [
        tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")))
        for line in lines
    ]


def quoted(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def render(head: Row, rows: Sequence[Row]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines).replace(" --- ", "---")


def rewrite(name: str, content: str) -> None:
    """Put a table behind `<!-- generated: NAME -->`, in place of the one that is there."""
    file = _file_of("generated", name)
    mark = f"<!-- generated: {name} -->\n"
    before, _, after = file.read_text().partition(mark)
    rest = re.sub(r"\A(\|.*\n)*", "", after)
    file.write_text(before + mark + content + rest)


def marks() -> list[Mark]:
    """Return all marks, in order."""
    return [
        Mark(file, kind, name)
        for file in DOCUMENTS
        for kind, name in re.findall(r"<!-- (\w+): ([\w-]+) -->", file.read_text())
    ]


def names(kind: str) -> list[str]:
    """Return the names of a kind of mark, in order."""
    return [mark.name for mark in marks() if mark.kind == kind]


def blocks(file: Path, *languages: str) -> Iterator[tuple[str, str]]:
    """Yield the code blocks of some languages, each with the line before it."""
    fence = rf"^([^\n]*)\n```(?:{'|'.join(languages)})\b[^\n]*\n(.*?)```$"
    yield from re.findall(fence, file.read_text(), re.MULTILINE | re.DOTALL)


def behind(mark: str, name: str) -> str:
    """Return the text behind `<!-- MARK: NAME -->`."""
    _, _, after = _file_of(mark, name).read_text().partition(f"<!-- {mark}: {name} -->\n")
    return after


def _file_of(mark: str, name: str) -> Path:
    found = [each.file for each in marks() if (each.kind, each.name) == (mark, name)]
    assert len(found) == 1, f"{mark}: {name} stands in {[str(f.relative_to(ROOT)) for f in found]}"
    return found[0]
