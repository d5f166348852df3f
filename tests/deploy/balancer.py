"""nginx with the configuration of `deploy/nginx`, before adapters of a test."""

import os
import re
import signal
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from tests.cli.process import Process, free_port, running
from tests.deploy.files import DEPLOY

CONF = DEPLOY / "nginx" / "adapter.conf"
_MAIN = """
{user}
worker_processes 1;
pid {folder}/pid;
error_log stderr notice;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/adapter.conf;
}}
"""
_USER = "user root;" if os.geteuid() == 0 else ""  # its own user may not look into the folder
_SERVER = re.compile(r"server 127\.0\.0\.1:900[12] ")


class Balancer:
    """nginx before replicas.

    Attributes:
        url: of it.
    """

    def __init__(self, folder: Path, replicas: Sequence[str]) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._folder = folder
        self._replicas = [urlsplit(url).netloc for url in replicas]
        self._down: set[int] = set()
        self._port = port
        self._starts = 1
        (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=_USER))
        self._write()
        self.process: Process | None = None

    def take_out(self, index: int) -> None:
        """Send no more requests to a replica; return when none can come."""
        self._down.add(index)
        self._reload()

    def put_in(self, index: int, url: str) -> None:
        """Send requests to a new replica in the place of one."""
        self._replicas[index] = urlsplit(url).netloc
        self._down.discard(index)
        self._reload()

    def _reload(self) -> None:
        assert self.process is not None
        self._write()
        self.process.send_signal(signal.SIGHUP)
        self.process.wait_for(rf"(?s)(gracefully shutting down.*){{{self._starts}}}")
        self._starts += 1

    def _write(self) -> None:
        text = CONF.read_text()
        assert len(_SERVER.findall(text)) == len(self._replicas)
        names = iter(
            f"server {address} {'down ' if index in self._down else ''}"
            for index, address in enumerate(self._replicas)
        )
        text = _SERVER.sub(lambda _: next(names), text)
        text = text.replace("listen 127.0.0.1:9000;", f"listen 127.0.0.1:{self._port};")
        (self._folder / "adapter.conf").write_text(text)


@contextmanager
def balancer(*replicas: str) -> Generator[Balancer]:
    """Start nginx before these replicas; it is stopped in the end."""
    with TemporaryDirectory(prefix="nginx-") as folder:
        made = Balancer(Path(folder), replicas)
        command = ("nginx", "-p", folder, "-c", f"{folder}/nginx.conf", "-g", "daemon off;")
        with running(command=command) as process:
            made.process = process
            process.wait_for("start worker process ")
            yield made
