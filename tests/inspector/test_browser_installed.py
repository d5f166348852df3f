"""The browser is installed: without it, this alone fails of the tests that need it."""

from tests.inspector import page


def test_chromium_is_installed() -> None:
    assert page.chromium() is not None, page.MISSING
