"""The pins in requirements/ hold what pyproject.toml asks for, with hashes and no addresses."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
NAME = canonicalize_name(PROJECT["project"]["name"])
RUNTIME = [Requirement(line) for line in PROJECT["project"]["dependencies"]]
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
GROUPS: dict[str, list[Any]] = PROJECT["dependency-groups"]


def extra(name: str) -> Iterator[Requirement]:
    """Yield what an extra asks for, with the extras that it names."""
    for requirement in map(Requirement, EXTRAS[name]):
        if canonicalize_name(requirement.name) == NAME:
            for inner in sorted(requirement.extras):
                yield from extra(inner)
        else:
            yield requirement


def group(name: str) -> Iterator[Requirement]:
    """Yield what a dependency group asks for, with the groups that it includes."""
    for entry in GROUPS[name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from group(entry["include-group"])


# For each file: what it must hold, and so what `requirements/compile` makes it of.
ASKED = {
    "dev.txt": [*RUNTIME, *extra("all"), *group("dev")],
    "run.txt": [*RUNTIME, *extra("demo"), *group("build")],
    "lowest.txt": [*RUNTIME, *extra("all"), *group("test"), *group("build")],
    "image.txt": [
        *RUNTIME,
        *(each for name in EXTRAS.keys() - {"all", "demo"} for each in extra(name)),
    ],
    "clients.txt": [*group("clients")],
}


def entries(file: str) -> list[str]:
    """Return the file's requirements, each with its hashes on one line."""
    text = (ROOT / "requirements" / file).read_text().replace("\\\n", "")
    return [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]


def pins(file: str) -> dict[str, str]:
    """Return the pinned version of each distribution in the file."""
    found: dict[str, str] = {}
    for entry in entries(file):
        requirement = Requirement(entry.partition("--hash")[0])
        (pin,) = requirement.specifier
        found[canonicalize_name(requirement.name)] = pin.version
    return found


@pytest.mark.parametrize("file", ASKED)
def test_pins_fit_what_the_project_asks_for(file: str) -> None:
    pinned = pins(file)
    unfit = [
        str(requirement)
        for requirement in ASKED[file]
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]

    assert unfit == []


@pytest.mark.parametrize("file", ASKED)
def test_every_pin_is_exact_and_hashed(file: str) -> None:
    wrong = [
        entry for entry in entries(file) if not re.match(r"\S+==\S+ .*--hash=sha256:\w{64}", entry)
    ]

    assert wrong == []


@pytest.mark.parametrize("file", ASKED)
def test_pins_name_no_address(file: str) -> None:
    text = (ROOT / "requirements" / file).read_text()

    assert re.findall(r"\w+://|--(?:extra-)?index-url|--find-links|--trusted-host", text) == []


@pytest.mark.parametrize("file", ["run.txt", "image.txt"])
def test_pins_of_a_part_are_the_pins_of_dev(file: str) -> None:
    everything = pins("dev.txt").items()

    assert [pin for pin in pins(file).items() if pin not in everything] == []


@pytest.mark.parametrize("requirement", [*RUNTIME, *extra("all")], ids=str)
def test_lowest_pin_is_the_floor_of_the_project(requirement: Requirement) -> None:
    (floor,) = requirement.specifier
    pinned = pins("lowest.txt")[canonicalize_name(requirement.name)]

    assert requirement.specifier.contains(pinned)
    assert floor.operator == ">="
    assert pinned.split(".")[: floor.version.count(".") + 1] == floor.version.split(".")


LOCK = ROOT / "tests" / "clients" / "node" / "package-lock.json"


def test_every_package_of_the_node_clients_is_pinned_and_hashed() -> None:
    packages = json.loads(LOCK.read_text())["packages"]
    asked = packages.pop("")

    assert [
        name for name, row in packages.items() if not {"version", "integrity"} <= row.keys()
    ] == []
    for name, version in {**asked["dependencies"], **asked["optionalDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_packages_of_the_node_clients_name_no_address() -> None:
    assert "resolved" not in LOCK.read_text()
