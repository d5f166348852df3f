"""`serve` and `create_app` in processes of their own: they serve, with their settings, and stop."""

import json
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from websockets.sync.client import connect

from tests.asgi.streams import REQUEST
from tests.cli.process import running
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

UVICORN = (sys.executable, "-m", "uvicorn", "--factory", "adapter:create_app", "--port", "0")


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        upstream.always(text_answer("Hello there"))
        yield upstream


def ask(url: str) -> httpx2.Response:
    """Ask over a new connection."""
    return httpx2.post(f"{url}/v1/responses", json=REQUEST | {"stream": True}, timeout=5)


@pytest.mark.parametrize("with_signal", [signal.SIGTERM, signal.SIGINT])
def test_serve_serves_and_stops_when_told(upstream: ScriptedUpstream, with_signal: int) -> None:
    with running("serve", "--upstream", upstream.url, "--port", "0") as process:
        url = process.wait_for_url()
        answer = ask(url)
        models = httpx2.get(f"{url}/v1/models", timeout=5)
        code = process.stop(with_signal)

    assert answer.text.endswith("data: [DONE]\n\n")
    assert '"text":"Hello there"' in answer.text
    assert models.json()["data"][0]["id"] == "scripted"
    assert code in {0, -with_signal}
    assert "Application shutdown complete" in process.output
    assert "Finished server process" in process.output
    assert "Traceback" not in process.output
    assert "Unclosed" not in process.output


@pytest.mark.parametrize("arguments", [(), ("--ui",)], ids=["serve", "serve --ui"])
def test_frames_of_a_websocket_are_not_compressed(
    upstream: ScriptedUpstream, arguments: tuple[str, ...]
) -> None:
    """The client asks for it, as most do."""
    with running("serve", *arguments, "--upstream", upstream.url, "--port", "0") as process:
        url = process.wait_for_url()
        with connect(url.replace("http", "ws") + "/v1/responses", open_timeout=5) as socket:
            socket.send(json.dumps({"type": "response.create", **REQUEST}))
            event = json.loads(socket.recv(5))
            while event["type"] != "response.completed":
                event = json.loads(socket.recv(5))
            extensions = socket.protocol.extensions
        shown = httpx2.get(f"{url}/adapter/ui/api/requests/1", timeout=5) if arguments else None

    assert extensions == []
    assert event["response"]["output"][0]["content"][0]["text"] == "Hello there"
    if shown is not None:
        assert shown.json()["summary"]["state"] == "completed"


def test_serve_takes_settings_from_arguments_environment_and_file(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    file = tmp_path / "adapter.toml"
    file.write_text('upstream_api_key = "from-file"\nreasoning_events = "reasoning"\n')
    upstream.always(text_answer("Hello", reasoning="Hm"))
    environ = {"ADAPTER_UPSTREAM": upstream.url, "ADAPTER_UPSTREAM_API_KEY": "from-environment"}
    arguments = ["--config", str(file), "--forward-headers", "x-a,x-b", "--port", "0"]

    with running("serve", *arguments, environ=environ) as process:
        url = process.wait_for_url()
        headers = {"x-a": "1", "x-b": "2", "x-c": "3"}
        answer = httpx2.post(
            f"{url}/v1/responses", json=REQUEST | {"stream": True}, headers=headers, timeout=5
        )

    request = upstream.requests[0]
    assert request.headers["authorization"] == "Bearer from-environment"
    assert (request.headers["x-a"], request.headers["x-b"]) == ("1", "2")
    assert "x-c" not in request.headers
    assert "event: response.reasoning.delta\n" in answer.text


def test_workers_share_the_port_and_the_settings(
    upstream: ScriptedUpstream, tmp_path: Path
) -> None:
    """Those of arguments and of the file, tables included, which no environment variable holds."""
    file = tmp_path / "adapter.toml"
    route = {"upstream": upstream.url, "upstream_api_key": "ours", "default": True}
    lines = [f"{name} = {json.dumps(value)}" for name, value in route.items()]
    file.write_text("\n".join(["[routes.only]", *lines, ""]))
    arguments = ["--config", str(file), "--reasoning-events", "reasoning"]
    upstream.always(text_answer("Hello there", reasoning="Hm"))

    with running("serve", *arguments, "--workers", "2", "--port", "0") as process:
        url = process.wait_for_url()
        process.wait_for(r"(?s)(Application startup complete.*){2}")
        answers = [ask(url) for _ in range(8)]
        models = httpx2.get(f"{url}/v1/models", timeout=5)
        code = process.stop()

    started = set(re.findall(r"Started server process \[(\d+)\]", process.output))
    assert len(started) == 2
    assert all('"text":"Hello there"' in answer.text for answer in answers)
    assert all("event: response.reasoning.delta\n" in answer.text for answer in answers)
    assert models.status_code == 200
    assert {request.headers["authorization"] for request in upstream.requests} == {"Bearer ours"}
    assert code == 0
    assert "Traceback" not in process.output


def test_factory_serves_with_the_settings_of_the_environment(upstream: ScriptedUpstream) -> None:
    environ = {"ADAPTER_UPSTREAM": upstream.url, "ADAPTER_UPSTREAM_API_KEY": "ours"}

    with running(command=UVICORN, environ=environ) as process:
        url = process.wait_for_url()
        answer = ask(url)
        models = httpx2.get(f"{url}/v1/models", timeout=5)
        code = process.stop()

    assert '"text":"Hello there"' in answer.text
    assert models.status_code == 200
    assert [request.headers["authorization"] for request in upstream.requests] == [
        "Bearer ours",
        "Bearer ours",
    ]
    assert code in {0, -signal.SIGTERM}
    assert "Unclosed" not in process.output


def test_factory_without_upstream_says_what_is_missing() -> None:
    with running(command=UVICORN) as process:
        process.wait_for("No upstream: expected the base URL of a chat-completions server")
