"""Other packages bring dialects of their own, as entry points."""

import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from adapter.dialects import Dialect, all_dialects, dialect_named, dialect_names
from adapter.dialects.third_party import GROUP, load_dialect, third_party_names

INVENTED = Dialect(name="invented", source="a test")
NOT_A_DIALECT = {"name": "invented"}


def entry(value: str, name: str = "invented") -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_the_name_is_known_before_anything_is_imported() -> None:
    assert third_party_names([entry("no_such_module:ROW")]) == {"invented"}


def test_a_dialect_is_loaded() -> None:
    assert load_dialect("invented", [entry(f"{__name__}:INVENTED")]) is INVENTED


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(
            entry("no_such_module:ROW"),
            r"The dialect 'invented' \(no_such_module:ROW\) cannot be loaded: ModuleNotFoundError",
            id="no module",
        ),
        pytest.param(
            entry(f"{__name__}:NOTHING"),
            r"cannot be loaded: AttributeError",
            id="no object",
        ),
        pytest.param(
            entry(f"{__name__}:NOT_A_DIALECT"),
            r"is no Dialect of that name: \{'name': 'invented'\}\.",
            id="no dialect",
        ),
        pytest.param(
            entry(f"{__name__}:INVENTED", "other"),
            r"The dialect 'other' .* is no Dialect of that name: Dialect\(name='invented'",
            id="another name",
        ),
    ],
)
def test_a_broken_entry_point_is_named(given: EntryPoint, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        load_dialect(given.name, [given])


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with one dialect that works and one that does not."""
    info = tmp_path / "their_package-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        f"[{GROUP}]\ninvented = {__name__}:INVENTED\nbroken = no_such_module:ROW\n"
    )
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])


@pytest.mark.usefixtures("installed")
def test_an_installed_package_is_found() -> None:
    assert dialect_named("invented") is INVENTED
    assert {"broken", "generic", "invented"} <= set(dialect_names())


@pytest.mark.usefixtures("installed")
def test_a_broken_one_harms_nobody_who_does_not_ask_for_it() -> None:
    assert dialect_named("vllm").name == "vllm"
    with pytest.raises(ValueError, match="The dialect 'broken' of their-package "):
        dialect_named("broken")
    with pytest.raises(ValueError, match="The dialect 'broken' of their-package "):
        all_dialects()
