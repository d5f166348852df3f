"""The servers under test, a row each: how one is started, and what it is asked.

A new one is a new row. Rows whose program is not installed are left out of a run, and say so.
"""

import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from string import Template
from typing import Literal
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

    def is_installed(self) -> bool:
        return self.program is None or shutil.which(self.program) is not None


UPSTREAM = Server("direct", (sys.executable, str(FOLDER / "mock_upstream.py"), "--port", "$port"))

_SERVE = (sys.executable, "-m", "adapter", "serve", "--upstream", "$upstream", "--port", "$port")
_ADAPTER = (*_SERVE, "--log-level", "warning")  # no line for each request, as with the others


def _script(name: str, *options: str) -> tuple[str, ...]:
    return (
        *(sys.executable, "-m", f"benchmarks.{name}", *options),
        *("--upstream", "$upstream", "--port", "$port"),
    )


def _responses(name: str, *command: str, is_quick: bool = True, **more: str) -> Server:
    return Server(name, command, kind="responses", path="/v1/responses", is_quick=is_quick, **more)


SERVERS = (
    Server(
        "nginx",
        ("nginx", "-p", "$folder", "-e", "stderr", "-c", "$config"),
        program="nginx",
        config="nginx.conf",
    ),
    Server("pass-through", _script("pass_through")),
    Server("pass-through, aiohttp", _script("pass_through", "--client", "aiohttp")),
    _responses("adapter", *_ADAPTER, "--store", "none"),
    _responses("adapter, memory", *_ADAPTER, "--store", "memory:", is_quick=False),
    _responses(
        "adapter, sqlite", *_ADAPTER, "--store", "sqlite:///$folder/store.db", is_quick=False
    ),
    # What it costs to tell of requests: `adapter.observe`.
    *(
        _responses(f"adapter, {name}", *command, "--store", "none", is_quick=False)
        for name, command in (
            ("request log", _SERVE),
            ("metrics", (*_ADAPTER, "--metrics", "true")),
            ("server-timing", (*_ADAPTER, "--server-timing", "true")),
        )
    ),
    # The model server is an ASGI app here: by itself, and with the middleware in the same process.
    Server("app", _script("in_process")),
    _responses("middleware", *_script("in_process", "--middleware")),
    _responses(
        *("litellm", "litellm", "--config", "$config", "--port", "$port", "--host", "127.0.0.1"),
        is_quick=False,
        program="litellm",
        config="litellm.yaml",
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
def started(server: Server, core: int, upstream: str = "") -> Iterator[Running]:
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
