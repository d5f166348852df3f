"""`demo` starts by itself, and what it prints to be tried works as it is printed."""

import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner

from adapter.cli import main
from adapter.demo import llama
from tests.asgi.streams import DONE, parse, text_of, types
from tests.cli.process import Process, clean_environment, free_port, running, taken_port

LIMIT_SECONDS = 30.0


@pytest.fixture(scope="module")
def demo() -> Iterator[Process]:
    """The running demo, when it answers."""
    port = free_port()
    with running("demo", "--port", str(port)) as process:
        process.wait_for("Ctrl-C stops both")
        transport = httpx2.HTTPTransport(retries=10)  # the text is printed just before it listens
        with httpx2.Client(transport=transport, timeout=LIMIT_SECONDS) as client:
            client.get(f"http://127.0.0.1:{port}/v1/models").raise_for_status()
        yield process


def snippet(process: Process, first: str, last: str) -> str:
    """Return the indented lines from one to another, as a reader would copy them."""
    found = re.search(rf"^  {first}.*?{last}$", process.output, re.MULTILINE | re.DOTALL)
    assert found is not None
    return textwrap.dedent(found[0])


def run(command: list[str]) -> str:
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        env=clean_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_printed_curl_command_streams_an_answer(demo: Process) -> None:
    said = run(["bash", "-c", snippet(demo, "curl", "'")])

    blocks = parse(said.encode())
    assert types(blocks)[0] == "response.created"
    assert types(blocks)[-2:] == ["response.completed", DONE]
    assert "Paris" in text_of(blocks)


def test_printed_python_code_calls_a_tool(demo: Process) -> None:
    said = run([sys.executable, "-c", snippet(demo, "from openai", r"print\(.*\)")])

    assert "ResponseFunctionToolCall" in said
    assert "get_weather" in said
    assert "Paris" in said


def test_demo_stops_on_ctrl_c() -> None:
    port = free_port()
    with running("demo", "--port", str(port)) as process:
        process.wait_for("Ctrl-C stops both")
        transport = httpx2.HTTPTransport(retries=10)
        with httpx2.Client(transport=transport, timeout=LIMIT_SECONDS) as client:
            client.get(f"http://127.0.0.1:{port}/v1/models").raise_for_status()
        code = process.stop(signal.SIGINT)

    assert code == 0
    assert "Traceback" not in process.output


def test_taken_port_ends_the_demo_without_a_traceback() -> None:
    with taken_port() as port, running("demo", "--port", str(port)) as process:
        process.wait_for("address already in use")

    assert "Traceback" not in process.output
    assert "Try, in another terminal" not in process.output
    assert f"make run ARGS='--port {port + 1}'" in process.output


def test_missing_extra_is_said_without_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_nothing(_name: str) -> Any:
        return None

    monkeypatch.setattr(llama.importlib.util, "find_spec", find_nothing)

    result = CliRunner().invoke(main, ["demo"])

    assert result.exit_code == 1
    assert "pip install 'responses-adapter[demo]'" in result.output
    assert isinstance(result.exception, SystemExit)
