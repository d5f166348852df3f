"""The process of the demo model server: serves until its standard input closes.

Run by `adapter.demo.llama` as a script, with the model file, the model's name and the port. It
prints the address when the server answers. It imports nothing of this package, so that it starts
fast and wherever the package lies.
"""

import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any


def start_server(model_path: str, model_name: str, port: int) -> Any:
    """Start llama.cpp's server in threads of this process; return once the model is loaded."""
    xllamacpp: Any = import_module("xllamacpp")  # a compiled module that tells no types
    params = xllamacpp.CommonParams()
    params.model.path = model_path
    params.model_alias = {model_name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 4096  # all that the model was trained for, shared by the slots
    params.n_parallel = 2
    # Two wait for each other in a busy loop: on two cores a story of 137 tokens takes 0.2 s with two
    # threads and 0.05 s with one, and with four other programs running, 30 s against 0.5 s.
    params.cpuparams.n_threads = 1
    params.use_jinja = True
    params.ui = False
    params.verbosity = 1  # errors only; the default also tells of every request
    return xllamacpp.Server(params)


def wait_for_parent(parent_id: int) -> None:
    """Return when standard input closes, or when the parent is gone.

    The pipe alone is not enough: a fork of the parent without an exec holds a copy of its end.
    """
    closed = threading.Event()

    def read_to_end() -> None:
        sys.stdin.buffer.read()
        closed.set()

    threading.Thread(target=read_to_end, daemon=True).start()
    while not closed.wait(timeout=1.0) and os.getppid() == parent_id:
        pass


def main() -> None:
    parent_id = os.getppid()
    # Ctrl-C in a terminal reaches the whole group; the parent decides when this server stops.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    model_path, model_name, port = sys.argv[1:]
    try:
        server = start_server(model_path, model_name, int(port))
    except RuntimeError as exc:
        sys.exit(f"llama.cpp: {exc} (model {model_path}, port {port})")
    print(server.listening_address, flush=True)  # noqa: T201  # the parent reads it
    wait_for_parent(parent_id)
    # Not sys.exit: that would wait for native threads that may be in the middle of a token.
    os._exit(0)


if __name__ == "__main__":
    main()
