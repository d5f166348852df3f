"""Draws the inspector's pictures for the documentation: `python -m tests.inspector.pictures`.

They show a request with a tool of an MCP server, which is real; the model is a script that speaks as
fast as a small one on one GPU.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from adapter.config import Settings
from adapter.inspector.app import make_inspected
from tests.inspector.page import chromium
from tests.servers.adapter import serve
from tests.servers.answers import chunk, tool_answer
from tests.servers.mcp_servers import tool_server_in_thread

FOLDER = Path(__file__).parent.parent.parent / "docs" / "images"
SIZE = {"width": 1280, "height": 800}
MODEL = "qwen3.5-4b"
THOUGHTS = "The user wants to know the weather in Paris . There is a tool for that , so I call it ."
ANSWER = (
    "It is sunny in Paris right now , with 21 degrees and a light wind from the west . "
    "A good day for a walk along the Seine , and no umbrella is needed ."
)


async def speak(request: Request) -> StreamingResponse:
    """Answer a chat request: call the tool, and then say what came of it."""
    body = await request.json()
    is_first = bool(body.get("tools")) and body["messages"][-1]["role"] == "user"
    return StreamingResponse(_pieces(body, is_first), media_type="text/event-stream")


async def _pieces(body: Any, is_first: bool) -> AsyncIterator[bytes]:
    await asyncio.sleep(0.18)  # the prompt
    words = THOUGHTS if is_first else ANSWER
    field = "reasoning_content" if is_first else "content"
    for number, word in enumerate(words.split()):
        await asyncio.sleep(0.016 + 0.012 * (number % 5 == 0))
        yield _event(chunk({field: word if not number else f" {word}"}))
    if is_first:
        for step in tool_answer((body["tools"][0]["function"]["name"], {"city": "Paris"})).chunks:
            await asyncio.sleep(0.02)
            assert isinstance(step, bytes)
            yield step
        return
    usage = {"prompt_tokens": 312, "completion_tokens": 36, "total_tokens": 348}
    yield _event(chunk({}, "stop")) + _event(chunk(choices=[], usage=usage)) + b"data: [DONE]\n\n"


def _event(content: Any) -> bytes:
    return b"data: " + json.dumps(content).encode() + b"\n\n"


async def list_models(_request: Request) -> JSONResponse:
    return JSONResponse({"object": "list", "data": [{"id": MODEL, "object": "model"}]})


MODEL_SERVER = Starlette(
    routes=[
        Route("/v1/chat/completions", speak, methods=["POST"]),
        Route("/v1/models", list_models),
    ]
)


def draw(page: Page, url: str, tools_url: str) -> None:
    """Send a request from the playground, and take the pictures."""
    body = {
        "model": MODEL,
        "input": "What is the weather in Paris?",
        "stream": True,
        "reasoning": {"effort": "low"},
        "tools": [
            {"type": "web_search"},
            {
                "type": "mcp",
                "server_label": "weather",
                "server_url": tools_url,
                "authorization": "nobody-sees-this-0123456789",
                "allowed_tools": ["get_weather"],
                "require_approval": "never",
            },
        ],
    }
    page.goto(f"{url}/adapter/ui/")
    page.get_by_text("Live", exact=True).wait_for()
    for text in ("Write a haiku about rivers.", "Name three cities on the Seine."):
        page.request.post(f"{url}/v1/responses", data={"model": MODEL, "input": text})
    page.goto(f"{url}/adapter/ui/#/playground")
    page.locator("#ask-json").fill(json.dumps(body, indent=2))
    page.get_by_role("button", name="Send").click()
    page.locator("header.head .state.completed").wait_for()
    page.mouse.move(0, 0)
    for name in ("Overview", "Translation"):
        page.get_by_role("tab", name=name).click()
        page.screenshot(path=FOLDER / f"inspector-{name.lower()}.png")
    page.get_by_role("button", name="Edit").click()
    page.screenshot(path=FOLDER / "inspector-playground.png")


def main() -> None:
    """Draw all pictures."""
    path = chromium()
    assert path is not None, "there is no Chromium"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        model_url = stack.enter_context(serve(MODEL_SERVER))
        tools = stack.enter_context(tool_server_in_thread())
        port = urlsplit(tools.url).port
        settings = Settings.load(
            environ={},
            upstream=f"{model_url}/v1",
            dialect="vllm",
            store="none",
            fetch={"allow_http": True, "allow_private": True, "allowed_ports": [port]},
        )
        app = make_inspected(settings, "127.0.0.1")
        url = stack.enter_context(serve(app))
        stack.callback(app.close_soon)
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        draw(browser.new_page(viewport=SIZE), url, tools.url)
        browser.close()


if __name__ == "__main__":
    main()
