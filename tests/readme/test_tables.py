"""The tables of the README and of `docs/` say what the code does."""

import re
from typing import get_args

import pytest
from click.testing import CliRunner
from msgspec import Raw
from msgspec.json import encode

from adapter.cli import main
from adapter.config import describe_settings
from adapter.errors import InvalidRequestError
from adapter.tools.toolbox import HOSTED_TYPES, OFFERED_TYPES
from adapter.translate.history import HISTORY
from adapter.translate.items import SKIPPED_ITEMS, read_input
from adapter.translate.parameters import POLICIES
from adapter.types.events import Event
from adapter.types.parts import Part
from tests.readme.document import ROOT, behind, quoted, render, rewrite, table
from tests.readme.generated import GENERATED
from tests.test_requirements import EXTRAS

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


@pytest.mark.parametrize("name", GENERATED)
def test_generated_table_is_what_the_code_makes(name: str, update: bool) -> None:
    """After a change: `pytest --update tests/readme`."""
    head, rows = GENERATED[name]
    if update:
        rewrite(name, render(head, rows()))

    assert table("generated", name) == rows()


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
    section, _, _ = behind("checked", "events").partition("\n## ")
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
    sources = "".join(path.read_text() for path in (ROOT / "adapter").rglob("*.py"))

    headers = [name for cell, _ in table("checked", "headers") for name in quoted(cell)]

    assert [name for name in headers if f'"{name}"' not in sources] == []


def test_help_of_serve_lists_every_setting() -> None:
    said = CliRunner().invoke(main, ["serve", "--help"]).output

    for name in describe_settings():
        assert f"--{name.replace('_', '-')} " in said


def test_what_clients_are_told_is_in_their_examples() -> None:
    for cell, told in table("checked", "clients"):
        texts = "".join((ROOT / link).read_text() for link in re.findall(r"\]\((\S+)\)", cell))

        assert [code for code in quoted(told) if code not in texts] == []


def test_every_extra_is_listed() -> None:
    listed = {name for names, _ in table("checked", "extras") for name in quoted(names)}

    assert listed == EXTRAS.keys()
