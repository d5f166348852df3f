"""A load generator that costs little: many requests at once, hardly parsed.

It counts events and bytes and takes times. It understands next to nothing of what comes: that the
answers are right is for the tests to show; here, a status other than 200 or a broken answer is an
error. Over HTTP each request is a POST; over a WebSocket (`ws://`) it is a frame.

    echo '{"model":"short-4","messages":[],"stream":true}' |
        python -m benchmarks.load http://127.0.0.1:8000/v1/chat/completions --streams 32

prints one JSON object: counts, seconds, and times in milliseconds.
"""

import argparse
import asyncio
import json
import subprocess
import sys
from typing import Any
from urllib.parse import urlsplit

import msgspec
import uvloop

from benchmarks.load_client import Client, Tally, now_ms
from benchmarks.load_http import HttpClient
from benchmarks.load_socket import SocketClient
from benchmarks.processes import ROOT, pinned_to

_CLIENTS: dict[str, type[Client]] = {"http": HttpClient, "ws": SocketClient}


class Load(msgspec.Struct, frozen=True):
    """What to send.

    Attributes:
        url: where to.
        body: what to send.
        streams: how many connections, each with one request at a time.
        rounds: how many requests each connection makes, one after the other.
        ramp_seconds: over what time the first requests are spread evenly.
        limit_seconds: after what time those that have not ended are errors.
    """

    url: str
    body: bytes
    streams: int = 1
    rounds: int = 1
    ramp_seconds: float = 0.0
    limit_seconds: float = 60.0


async def run_load(load: Load) -> dict[str, Any]:
    """Send the load; return what came back as a JSON object."""
    loop = asyncio.get_running_loop()
    url, tally = urlsplit(load.url), Tally()
    kind = _CLIENTS[url.scheme]
    request = kind.encode(url, load.body)
    clients: list[Client] = []
    for _ in range(load.streams):
        try:
            _, client = await loop.create_connection(
                lambda: kind(url, request, load.rounds, tally), url.hostname or "", url.port or 80
            )
        except OSError:
            tally.errors["not connected"] += 1
        else:
            clients.append(client)
    await _wait([client.ready for client in clients], load.limit_seconds)
    for client in clients:
        if not client.ready.done():
            client.fail("no handshake")
    started, started_ms = loop.time(), now_ms()
    for index, client in enumerate(clients):
        loop.call_at(started + load.ramp_seconds * index / load.streams, client.start)
    await _wait([client.done for client in clients], load.limit_seconds)
    seconds = (now_ms() - started_ms) / 1000
    if late := sum(not client.done.done() for client in clients):
        tally.errors["not ended in time"] += late
    return _summary(load, tally, seconds)


async def _wait(futures: "list[asyncio.Future[None]]", seconds: float) -> None:
    if futures:
        await asyncio.wait(futures, timeout=seconds)


def _summary(load: Load, tally: Tally, seconds: float) -> dict[str, Any]:
    return {
        "requests": load.streams * load.rounds,
        "completed": len(tally.stream_ms),
        "errors": dict(tally.errors),
        "events": tally.events,
        "bytes": tally.bytes,
        "seconds": seconds,
        "first_event_ms": _percentiles(tally.first_event_ms),
        "first_delta_ms": _percentiles(tally.first_delta_ms),
        "stream_ms": _percentiles(tally.stream_ms),
    }


def _percentiles(values: list[float]) -> dict[str, float | None]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {
        name: round(ordered[round(last * part)], 4) if ordered else None
        for name, part in (("p50", 0.5), ("p99", 0.99), ("max", 1.0))
    }


def start_load(load: Load, core: int) -> "subprocess.Popen[bytes]":
    """Send the load from a process of its own, on one core; see `read_result`."""
    command = [sys.executable, "-m", "benchmarks.load", load.url]
    command += ["--streams", str(load.streams), "--rounds", str(load.rounds)]
    command += ["--ramp-seconds", str(load.ramp_seconds)]
    command += ["--limit-seconds", str(load.limit_seconds)]
    with pinned_to(core):
        process = subprocess.Popen(  # noqa: S603  # our own module, no shell
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
    assert process.stdin is not None
    process.stdin.write(load.body)
    process.stdin.close()
    return process


def read_result(process: "subprocess.Popen[bytes]") -> dict[str, Any]:
    """Return what a load process says when it has ended."""
    with process:
        assert process.stdout is not None
        said = process.stdout.read()
    if process.returncode:
        raise ChildProcessError(f"the load ended with {process.returncode}")
    result: dict[str, Any] = json.loads(said)
    return result


def main() -> None:
    defaults = Load("", b"")
    parser = argparse.ArgumentParser(description="Send what standard input says, many times.")
    parser.add_argument("url")
    parser.add_argument("--streams", type=int, default=defaults.streams)
    parser.add_argument("--rounds", type=int, default=defaults.rounds)
    parser.add_argument("--ramp-seconds", type=float, default=defaults.ramp_seconds)
    parser.add_argument("--limit-seconds", type=float, default=defaults.limit_seconds)
    options = vars(parser.parse_args())
    load = Load(body=sys.stdin.buffer.read().strip(), **options)
    print(json.dumps(uvloop.run(run_load(load))))


if __name__ == "__main__":
    main()
