"""The protocol's own test server, `@modelcontextprotocol/server-everything`, on Node.js."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from adapter.runners.base import McpServer
from tests.clients.install import Clients

Transport = Literal["stdio", "streamableHttp", "sse"]
_PATHS = {"streamableHttp": "/mcp", "sse": "/sse"}


@contextmanager
def everything(transport: Transport, clients: Clients) -> Iterator[McpServer]:
    """Yield the server, as settings could name it; over `stdio`, whoever speaks to it starts it."""
    script = clients.node_modules / "@modelcontextprotocol/server-everything/dist/index.js"
    command = (str(clients.node), str(script), transport)
    if transport == "stdio":
        yield McpServer(label="everything", command=command, is_configured=True)
        return
    port = _free_port()
    environment = {"PATH": os.environ["PATH"], "PORT": str(port)}
    with subprocess.Popen(
        command,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            listens = next((line for line in process.stderr if str(port) in line), None)
            assert listens, "it did not start"
            url = f"http://127.0.0.1:{port}{_PATHS[transport]}"
            yield McpServer(label="everything", url=url, is_configured=True)
        finally:
            process.kill()


def _free_port() -> int:
    """Return a port that nobody had a moment ago: the server cannot tell which one it took."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
