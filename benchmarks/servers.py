"""The servers under test, a row each: how one is started, and what it is asked.

A new one is a new row. Rows whose program is not installed are left out of a run, and say so.
"""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from benchmarks.processes import Running, free_port, running

FOLDER = Path(__file__).parent

Kind = Literal["chat", "responses"]


class Server(msgspec.Struct, frozen=True):
    """A server under test.

    Attributes:
        command: its command line; `$upstream` (base URL), `$port`, `$folder` (one of its own,
            empty) and `$config` are filled in.
        kind: the API that it offers.
        path: where requests are posted to.
        program: what must be on the PATH, if it is not Python with this project.
        is_quick: part of a run that ends within a quarter of an hour.
        has_socket: whether it offers the Responses API over WebSocket, too.
        slowness: how many times fewer requests it is asked; all others would wait for it.
        config: name of a template in this folder, filled in like the command, and given to it as
            `$config`; `$upstream_address` is host and port alone.
    """

    name: str
    command: tuple[str, ...]
    kind: Kind = "chat"
    path: str = "/v1/chat/completions"
    program: str | None = None
    is_quick: bool = True
    config: str | None = None
    has_socket: bool = False
    slowness: int = 1

    def is_installed(self) -> bool:
        return self.program is None or shutil.which(self.program) is not None


UPSTREAM = Server("direct", (sys.executable, str(FOLDER / "mock_upstream.py"), "--port", "$port"))

_SERVE = (sys.executable, "-m", "adapter", "serve", "--upstream", "$upstream", "--port", "$port")
_ADAPTER = (*_SERVE, "--log-level", "warning")  # no line for each request, as with the others
# The mock upstream takes the spans, and forgets them.
_TRACED = ("env", "OTEL_EXPORTER_OTLP_ENDPOINT=http://$upstream_address", *_ADAPTER)


def _script(name: str, *options: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", f"benchmarks.{name}", *options),
        *("--upstream", "$upstream", "--port", "$port"),
    )


def _responses(name: str, *command: str, **more: Any) -> Server:
    return Server(name, command, kind="responses", path="/v1/responses", **more)


def _adapter(variant: str, *options: str, command: tuple[str, ...] = _ADAPTER) -> Server:
    """Return a row of ours beside the first, with other options."""
    command = (*command, *(() if "--store" in options else ("--store", "none")), *options)
    return _responses(f"adapter, {variant}", *command, has_socket=True, is_quick=False)


SERVERS = (
    Server(
        "nginx",
        ("nginx", "-p", "$folder", "-e", "stderr", "-c", "$config"),
        program="nginx",
        config="nginx.conf",
    ),
    Server("pass-through", _script("pass_through")),
    Server("pass-through, aiohttp", _script("pass_through", "--client", "aiohttp")),
    _responses("adapter", *_ADAPTER, "--store", "none", has_socket=True),
    _adapter("memory", "--store", "memory:"),
    _adapter("sqlite", "--store", "sqlite:///$folder/store.db"),
    # All processes share the core of the servers: what a request costs, not how many there can be.
    _adapter("2 workers", "--workers", "2"),
    # What it costs to tell of requests: `adapter.observe`.
    _adapter("request log", command=_SERVE),
    _adapter("metrics", "--metrics", "true"),
    _adapter("traces", "--traces", "true", command=_TRACED),
    _adapter("metrics and traces", "--metrics", "true", "--traces", "true", command=_TRACED),
    _adapter("server-timing", "--server-timing", "true"),
    # The model server is an ASGI app here: by itself, and with the middleware in the same process.
    Server("app", _script("in_process")),
    _responses("middleware", *_script("in_process", "--middleware"), has_socket=True),
    _responses(
        *("litellm", "litellm", "--config", "$config", "--port", "$port", "--host", "127.0.0.1"),
        is_quick=False,
        program="litellm",
        config="litellm.yaml",
        slowness=10,
    ),
)


def peer(text: str) -> Server:
    """Return another server that offers the Responses API, from `NAME=COMMAND`.

    Raises:
        ValueError: it is not of that form.
    """
    name, sign, command = text.partition("=")
    if not (name and sign and command):
        raise ValueError("expected NAME=COMMAND, with $upstream and $port in the command")
    return _responses(name, *shlex.split(command))


@contextmanager
def started(server: Server, core: int, upstream: str = "") -> Generator[Running]:
    """Run a server on one core.

    Args:
        server: its row.
        core: number of the core.
        upstream: base URL of what it asks, if it asks something.

    Raises:
        StartError: it did not come to listen.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        values = {
            "upstream": upstream,
            "upstream_address": urlsplit(upstream).netloc,
            "port": str(port),
            "folder": folder,
            "config": f"{folder}/config",
        }
        if server.config is not None:
            filled = Template((FOLDER / server.config).read_text()).substitute(values)
            Path(values["config"]).write_text(filled)
        command = [Template(each).substitute(values) for each in server.command]
        with running(command, port, core) as process:
            yield process
