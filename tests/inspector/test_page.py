"""The page in a real browser, before the demo's model: from the playground to a transcript."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from adapter.asgi.access.hashes import to_sha256
from adapter.config import Settings
from adapter.inspector.app import make_inspected
from tests.inspector.page import LIMIT_SECONDS
from tests.inspector.replays import made_and_recorded
from tests.servers.adapter import serve
from tests.transcript import Transcript

expect.set_options(timeout=LIMIT_SECONDS * 1000)
KEY = "sk-ra-alice-0123456789"


def open_playground(page: Page) -> None:
    page.get_by_role("link", name="Playground").click()
    expect(page.get_by_label("Model")).not_to_have_value("")


def add(page: Page, *names: str) -> None:
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def send(page: Page) -> None:
    """Send what is in the playground, and wait until it is answered."""
    page.get_by_role("button", name="Send").click()
    finished(page)


def finished(page: Page) -> None:
    expect(page.locator("header.head .state")).to_have_text("completed")


def ask(page: Page, body: dict[str, Any]) -> None:
    """Ask for a response, as another client."""
    page.request.post(page.url.partition("/adapter/")[0] + "/v1/responses", data=body)


def rows(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Requests").get_by_role("listitem")


def show(page: Page, name: str) -> Locator:
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel", name=name)


def figure(page: Page, name: str) -> str:
    return page.locator("dl.figures div", has_text=name).locator("dd").inner_text()


def test_what_the_playground_sends_shows_up_and_is_followed(demo_page: Page) -> None:
    page = demo_page
    open_playground(page)
    add(page, "Function")

    send(page)

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("What is the weather in Paris?")
    overview = page.get_by_role("tabpanel", name="Overview")
    expect(overview.get_by_role("img", name="What happened when")).to_be_visible()
    expect(overview.get_by_role("img", name="First token after")).to_be_visible()
    items = overview.locator(".items li")
    expect(items.last).to_contain_text("function_call · get_weather")
    expect(items.last).to_contain_text('{"city": "Paris"}')
    assert figure(page, "Upstream calls") == "1"
    assert figure(page, "First token").endswith("s")
    assert float(figure(page, "Tokens per second")) > 0


def test_requests_of_others_show_up_by_themselves(demo_page: Page) -> None:
    page = demo_page
    expect(page.get_by_text("No requests yet.")).to_be_visible()

    body = {"model": "tiny", "input": "What is the capital of France?"}
    ask(page, body)

    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("completed")
    rows(page).get_by_role("link").click()
    finished(page)
    expect(show(page, "Response")).to_contain_text("output_text")


def test_drops_are_marked_where_they_stand(demo_page: Page) -> None:
    page = demo_page
    open_playground(page)
    add(page, "Web search", "Function")
    send(page)

    panel = show(page, "Translation")

    expect(panel.get_by_label("What was changed")).to_contain_text("dropped: tools[0]")
    marked = panel.locator(".row.dropped")
    expect(marked).to_have_count(3)
    expect(marked.nth(1)).to_contain_text('"type": "web_search"')
    page.set_viewport_size({"width": 1280, "height": 300})
    panel.get_by_role("button", name="dropped: tools[0]").click()
    expect(marked.first).to_be_in_viewport()
    chat = panel.locator("section", has_text="Chat request").locator("pre")
    sent: dict[str, Any] = json.loads(chat.inner_text())
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["get_weather"]


def test_chunks_stand_beside_the_events_that_they_became(demo_page: Page) -> None:
    page = demo_page
    open_playground(page)
    send(page)

    panel = show(page, "Stream")

    chunks, events = panel.locator(".piece.upstream"), panel.locator(".piece.event")
    expect(chunks.first.locator("summary").first).to_contain_text('"role":"assistant"')
    expect(events.first.locator("summary").first).to_have_text("created")
    assert chunks.count() == events.count() == panel.locator(".time").count()
    expect(events.last.locator("summary").last).to_have_text("[DONE]")
    details = events.first.locator("details").first
    details.locator("summary").click()
    expect(details.locator("pre")).to_contain_text('"type": "response.created"')


def test_a_transcript_that_was_downloaded_replays(demo_page: Page, tmp_path: Path) -> None:
    page = demo_page
    open_playground(page)
    add(page, "Function")
    send(page)

    with page.expect_download() as started:
        page.get_by_role("button", name="Download transcript").click()
    archive = tmp_path / started.value.suggested_filename
    started.value.save_as(archive)
    with zipfile.ZipFile(archive) as opened:
        opened.extractall(tmp_path)
    (folder,) = (path.parent for path in tmp_path.glob("*/*/source.toml"))

    transcript = Transcript(folder)
    made, recorded = made_and_recorded(transcript)
    assert transcript.name == "llama.cpp/recorded-1"
    assert transcript.source.dialect == "llama.cpp"
    assert made == recorded
    assert set(recorded) == {"chat.1.json", "events.sse", "response.json"}


def test_replay_sends_the_same_request_again(demo_page: Page) -> None:
    page = demo_page
    open_playground(page)
    send(page)
    before = show(page, "Translation").locator("pre").first.inner_text()

    page.get_by_role("button", name="Replay").click()

    expect(rows(page)).to_have_count(2)
    expect(rows(page).first.get_by_role("link")).to_have_attribute("aria-current", "true")
    finished(page)
    expect(show(page, "Translation").locator("pre").first).to_have_text(before)


def test_a_request_can_be_edited_and_copied_as_curl(demo_page: Page) -> None:
    page = demo_page
    open_playground(page)
    page.get_by_label("Input").fill("What's the capital of France?")
    send(page)

    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_text("The command copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    page.get_by_role("button", name="Edit").click()

    assert command.startswith("curl -N 'http://127.0.0.1:")
    assert "What'\\''s the capital of France?" in command
    expect(page.get_by_label("Input")).to_have_value("What's the capital of France?")


def test_secrets_have_to_be_filled_in_before_a_replay(demo_page: Page) -> None:
    page = demo_page
    tool = {"type": "mcp", "server_label": "d", "server_url": "https://mcp.example/mcp"}
    tools = [{**tool, "authorization": "mcp-token-0123456789"}]
    ask(page, {"model": "tiny", "input": "Hi", "tools": tools})
    rows(page).get_by_role("link").click()

    page.get_by_role("button", name="Replay").click()

    expect(page.get_by_label("Request", exact=True)).to_have_value(
        json.dumps(
            {"model": "tiny", "input": "Hi", "tools": [{**tool, "authorization": "***"}]}, indent=2
        )
    )
    expect(rows(page)).to_have_count(1)


def test_fields_and_json_of_the_playground_say_the_same(demo_page: Page) -> None:
    page = demo_page
    open_playground(page)
    area = page.get_by_label("Request", exact=True)

    page.get_by_label("Reasoning effort").select_option("low")
    page.get_by_label("Instructions").fill("Be brief.")
    add(page, "MCP", "JSON schema")
    page.get_by_role("checkbox", name="Stream").uncheck()
    body = json.loads(area.input_value())
    area.fill('{"model": "other", "input": []}')

    assert body["reasoning"] == {"effort": "low"}
    assert body["instructions"] == "Be brief."
    assert (body["tools"][0]["type"], body["text"]["format"]["type"]) == ("mcp", "json_schema")
    assert body["stream"] is False
    expect(page.get_by_label("Model")).to_have_value("other")
    expect(page.get_by_label("Input")).not_to_be_editable()
    area.fill("{")
    expect(page.get_by_role("alert")).to_have_text("This is not a JSON object.")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()


def test_the_keyboard_is_enough(demo_page: Page) -> None:
    page = demo_page
    ask(page, {"model": "tiny", "input": "What is the weather in Paris?", "temperature": 0})
    rows(page).get_by_role("link").focus()

    page.keyboard.press("Enter")
    finished(page)
    page.get_by_role("tab", name="Overview").focus()
    page.keyboard.press("ArrowRight")

    tab = page.get_by_role("tab", name="Translation")
    expect(tab).to_be_focused()
    expect(tab).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("tab", name="Response")).to_be_focused()


def test_the_filter_and_clearing(demo_page: Page) -> None:
    page = demo_page
    for text in ("first words", "second words"):
        ask(page, {"model": "tiny", "input": text})
    expect(rows(page)).to_have_count(2)

    page.get_by_label("Filter requests").fill("tiny second")
    expect(rows(page)).to_have_count(1)
    page.get_by_label("Filter requests").fill("")
    page.get_by_role("button", name="Clear").click()

    expect(page.get_by_text("No requests yet.")).to_be_visible()


# Texts with too little luminance contrast to what is behind them (WCAG 2.2 §1.4.3).
POOR = """
() => {
  const parts = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (text) => parts(text).slice(0, 3).map((part) => part / 255)
    .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
  const behind = (element) =>
    parts(getComputedStyle(element).backgroundColor)[3] === 0
      ? behind(element.parentElement) : getComputedStyle(element).backgroundColor;
  const contrast = (element) => {
    const found = [light(getComputedStyle(element).color), light(behind(element))];
    return (Math.max(...found) + 0.05) / (Math.min(...found) + 0.05);
  };
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.body.querySelectorAll(":not(svg, svg *, script, .unseen, .skip, .toast)")]
    .filter((element) => element.checkVisibility() && hasText(element) && contrast(element) < 4.5)
    .map((element) => [element.className, element.textContent, contrast(element)]);
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_in_light_and_dark(demo_page: Page, scheme: Any) -> None:
    page = demo_page
    page.emulate_media(color_scheme=scheme)
    open_playground(page)
    add(page, "Web search", "Function")
    poor = page.evaluate(POOR)
    send(page)

    for name in ("Overview", "Translation", "Stream", "Response"):
        show(page, name)
        poor += page.evaluate(POOR)

    assert poor == []


def test_keys_are_asked_for_and_used(page: Page, llama_url: str) -> None:
    settings = Settings(
        upstream=llama_url,
        dialect="llama.cpp",
        store="none",
        api_keys=(f"alice={to_sha256(KEY.encode())}",),
    )
    app = make_inspected(settings, "0.0.0.0")
    with serve(app) as url:
        page.goto(f"{url}/adapter/ui/")
        page.get_by_role("textbox", name="Key").fill("sk-ra-wrong-0123456789")
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_text("That key was not accepted.")).to_be_visible()
        page.get_by_role("textbox", name="Key").fill(KEY)
        page.get_by_role("button", name="Open").click()
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        open_playground(page)
        send(page)
        expect(rows(page)).to_have_count(1)
        page.goto("about:blank")


def test_the_page_says_when_the_server_is_going(page: Page, llama_url: str) -> None:
    settings = Settings(upstream=llama_url, dialect="llama.cpp", store="none")
    app = make_inspected(settings, "127.0.0.1")
    with serve(app) as url:
        page.goto(f"{url}/adapter/ui/")
        expect(page.get_by_text("Live", exact=True)).to_be_visible()
        app.close_soon()
        expect(page.get_by_text("Not connected")).to_be_visible()
        page.goto("about:blank")


def test_no_script_but_ours_runs(browser: Browser) -> None:
    """The policy holds in a browser: what got into the page would not run."""
    settings = Settings(upstream="http://127.0.0.1:9/v1", store="none")
    with serve(make_inspected(settings, "127.0.0.1")) as url, browser.new_page() as page:
        page.goto(f"{url}/adapter/ui/#/playground")
        page.get_by_label("Model").wait_for()

        ran = page.evaluate(TRY_TO_RUN)

    assert ran == []


# Each way says so if its script ran.
TRY_TO_RUN = """
() => {
  window.ran = [];
  const ways = [
    () => { document.body.innerHTML = "<img src=x onerror='ran.push(1)'>"; },
    () => { document.body.setAttribute("onclick", "ran.push(2)"); document.body.click(); },
    () => {
      const script = document.createElement("script");
      script.text = "ran.push(3)";
      document.body.append(script);
    },
  ];
  for (const way of ways) try { way(); } catch {}
  return window.ran;
}
"""
