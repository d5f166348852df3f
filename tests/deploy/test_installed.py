"""What pip does not bring is installed: without it, this alone fails of the tests that need it."""

import pytest

from tests.deploy.programs import MISSING, PROGRAMS, missing


@pytest.mark.parametrize("program", PROGRAMS)
def test_program_is_installed(program: str) -> None:
    assert not missing(program), MISSING.format(program)
