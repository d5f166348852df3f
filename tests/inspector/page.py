"""The page in a real browser: Debian's Chromium, driven by Playwright.

The `conftest.py` makes the fixtures known. Without Chromium, one test says so, and the others are
left out: `test_browser_installed.py`.
"""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from adapter.config import Settings
from adapter.inspector.app import make_inspected
from tests.servers.adapter import serve

LIMIT_SECONDS = 10.0
NAMES = ("chromium", "chromium-browser", "google-chrome")
MISSING = (
    "There is no Chromium, so the tests of the inspector's page were left out. On Debian and "
    "Ubuntu: apt install chromium"
)
# What a browser's log has when a server goes at the end of a test, or refuses a key.
_USUAL = ("net::ERR_", "status of 401")


def chromium() -> str | None:
    """Return the path of the browser, if there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


@pytest.fixture(scope="module")  # its event loop stays on top, where other modules have theirs
def browser() -> Iterator[Browser]:
    """Yield the browser."""
    path = chromium()
    assert path is not None, "without it, these tests are left out"
    # Its sandbox needs rights that root in a container lacks; the pages are our own.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Yield an empty page, which may break nothing: no policy, and no script."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(
            usual in message.text for usual in _USUAL
        ):
            complaints.append(message.text)

    context = browser.new_context(
        viewport={"width": 1280, "height": 860}, permissions=["clipboard-read", "clipboard-write"]
    )
    page = context.new_page()
    page.set_default_timeout(LIMIT_SECONDS * 1000)
    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def demo_page(page: Page, llama_url: str) -> Iterator[Page]:
    """Yield the page of the inspector before the demo's model, when it is live."""
    settings = Settings(upstream=llama_url, dialect="llama.cpp", store="none")
    app = make_inspected(settings, "127.0.0.1")
    with serve(app) as url:
        page.goto(f"{url}/adapter/ui/")
        page.get_by_text("Live", exact=True).wait_for()
        yield page
        page.goto("about:blank")
