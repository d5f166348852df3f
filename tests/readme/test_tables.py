"""The tables of the README say what the code does."""

import re
from collections.abc import Iterable
from typing import Any, get_args

import pytest
from click.testing import CliRunner
from msgspec import Raw
from msgspec.json import encode

from adapter.cli import main
from adapter.config import ENV_PREFIX, describe_settings
from adapter.dialects import DIALECTS
from adapter.errors import InvalidRequestError
from adapter.tools.toolbox import HOSTED_TYPES, OFFERED_TYPES
from adapter.translate.history import HISTORY
from adapter.translate.items import SKIPPED_ITEMS, read_input
from adapter.translate.parameters import POLICIES
from adapter.types.events import Event
from adapter.types.parts import Part
from tests.readme.document import (
    DIALECTS_README,
    README,
    ROOT,
    Row,
    quoted,
    render,
    rewrite,
    table,
)

MAX_LINES = 600
KNOWN_ITEMS = {  # besides calls
    "additional_tools",
    "compaction",
    "compaction_summary",
    "compaction_trigger",
    "context_compaction",
    "item_reference",
    "mcp_approval_request",
    "mcp_approval_response",
    "mcp_call",
    "mcp_list_tools",
    "message",
    "reasoning",
}


def settings_rows() -> list[Row]:
    return [
        (f"`{name}`", f"`{ENV_PREFIX}{name.upper()}`", _default(default), description)
        for name, (description, default) in describe_settings().items()
    ]


def _default(value: Any) -> str:
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"{value:.10g}"
        case str():
            return f"`{value}`"
        case tuple():
            return _listed(value)
        case _:
            return "none"  # None, or a factory of something empty


def dialect_rows() -> list[Row]:
    return [
        (
            f"`{name}`",
            _listed(dialect.parts),
            "not sent" if dialect.reasoning_field == "none" else f"`{dialect.reasoning_field}`",
            _listed(dialect.formats),
            _listed(dialect.tool_choices),
        )
        for name, dialect in DIALECTS.items()
    ]


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names)) or "none"


GENERATED = {
    "settings": (README, ("setting", "variable", "default", "meaning"), settings_rows),
    "dialects": (
        DIALECTS_README,
        ("dialect", "parts beyond text", "earlier reasoning", "formats", "`tool_choice`"),
        dialect_rows,
    ),
}


@pytest.mark.parametrize("name", GENERATED)
def test_generated_table_is_what_the_code_makes(name: str, update: bool) -> None:
    """After a change: `pytest --update tests/readme`."""
    file, head, rows = GENERATED[name]
    if update:
        rewrite(name, render(head, rows()), file)

    assert table("generated", name, file) == rows()


def test_every_parameter_is_listed_with_its_policy() -> None:
    listed = {
        name: policy
        for names, policy, _ in table("checked", "parameters")
        for name in quoted(names)
    }

    assert listed == POLICIES


def test_no_parameter_is_listed_twice() -> None:
    names = [name for row in table("checked", "parameters") for name in quoted(row[0])]

    assert len(names) == len(set(names))


def is_known(kind: str) -> bool:
    """Whether input items of this type are read, though this one may lack something."""
    try:
        read_input(Raw(encode([{"type": kind, "id": "item_1"}])), "input")
    except InvalidRequestError as error:
        return error.param != "input[0].type"
    return True


def test_every_item_type_is_listed_with_its_fate() -> None:
    rows = {name: fate for names, fate in table("checked", "items") for name in quoted(names)}
    skipped = {name for name, fate in rows.items() if fate.startswith("skipped")}

    assert skipped - {"vendor:type"} == SKIPPED_ITEMS
    assert rows.keys() - skipped == KNOWN_ITEMS | HISTORY.keys()
    assert [name for name in rows if not is_known(name)] == []


def test_every_part_type_is_listed() -> None:
    listed = [name for names, _ in table("checked", "parts") for name in quoted(names)]

    assert sorted(listed) == sorted(kind.__struct_config__.tag for kind in get_args(Part))


def test_every_tool_type_is_listed_with_its_fate() -> None:
    offered, spaces, hosted, own, _ = (set(quoted(names)) for names, _ in table("checked", "tools"))

    assert offered == OFFERED_TYPES.keys()
    assert spaces == {"namespace"}
    assert hosted == HOSTED_TYPES
    assert own == {"vendor:type"}


def test_every_event_is_in_the_diagram_or_below_it() -> None:
    _, _, section = README.read_text().partition("## Events")
    section, _, _ = section.partition("\n## ")
    named: set[str] = set()
    for name, more in re.findall(
        r"\b(response\.[a-z_.]*[a-z]|error|keepalive)\b((?: …?  ?\.[a-z]+)*)", section
    ):
        stem = name.rpartition(".")[0]
        named |= {name, *(stem + ending for ending in re.findall(r"\.[a-z]+", more))}

    assert named == {kind.__struct_config__.tag for kind in get_args(Event)}


def test_error_codes_are_those_of_the_code() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "adapter").rglob("*.py"))

    codes = {code for *_, cell in table("checked", "errors") for code in quoted(cell)}

    assert [code for code in codes - {"retry-after"} if f'"{code}"' not in sources] == []


def test_headers_are_those_of_the_code() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "adapter" / "asgi").glob("*.py"))

    headers = [name for cell, _ in table("checked", "headers") for name in quoted(cell)]

    assert [name for name in headers if f'"{name}"' not in sources] == []


def test_help_of_serve_lists_every_setting() -> None:
    said = CliRunner().invoke(main, ["serve", "--help"]).output

    for name in describe_settings():
        assert f"--{name.replace('_', '-')} " in said


def test_targets_of_make_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    named = set(re.findall(r"\bmake ([a-z-]+)", README.read_text()))

    assert {"run", "test", "bench"} <= named <= targets


def test_links_lead_to_files_and_every_example_is_linked() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())

    assert [link for link in links if not (ROOT / link).exists()] == []
    examples = {f"examples/{path.name}" for path in (ROOT / "examples").glob("*.py")}
    clients = {f"examples/clients/{path.name}" for path in (ROOT / "examples/clients").iterdir()}
    assert examples | clients <= set(links)


def test_what_clients_are_told_is_in_their_examples() -> None:
    for cell, told in table("checked", "clients"):
        texts = "".join((ROOT / link).read_text() for link in re.findall(r"\]\((\S+)\)", cell))

        assert [code for code in quoted(told) if code not in texts] == []


def test_readme_can_be_read_in_one_sitting() -> None:
    assert len(README.read_text().splitlines()) <= MAX_LINES
