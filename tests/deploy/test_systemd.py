"""The unit is understood by systemd, and shuts the service in."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY

pytestmark = pytest.mark.needs("systemd-analyze")

UNIT = DEPLOY / "systemd" / "responses-adapter.service"
LIMIT_SECONDS = 60
MAX_EXPOSURE = 2.0  # of 10; what systemd finds in services that say nothing is 9.6


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """Write the unit with programs and files that are there."""
    program = Path(sys.executable).with_name("responses-adapter")
    text = UNIT.read_text()
    for name, there in {
        "/opt/responses-adapter/bin/responses-adapter": program,
        "/etc/responses-adapter.env": DEPLOY / "systemd" / "responses-adapter.env",
    }.items():
        assert name in text
        text = text.replace(f"={name}", f"={there}")
    file = tmp_path / UNIT.name
    file.write_text(text)
    return file


def analyze(*arguments: str) -> str:
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_unit_is_understood(unit: Path) -> None:
    assert UNIT.name not in analyze("verify", "--man=no", str(unit))


def test_service_is_shut_in() -> None:
    said = analyze("security", "--offline=true", "--no-pager", str(UNIT))

    exposure = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert exposure is not None
    assert float(exposure[1]) <= MAX_EXPOSURE
