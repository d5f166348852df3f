"""A benchmark run measures each server as a process of its own, and leaves none behind."""

import json
import sys

import msgspec
import pytest

from benchmarks.processes import StartError, choose_cores, free_port, running
from benchmarks.run import measure, run
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.servers import SERVERS, UPSTREAM, Server, started

SMALL = Scenario("small", "short-4", True, 2, 2, unit="request")
CHAT = next(server for server in SERVERS if server.name == "pass-through")
RESPONSES = next(server for server in SERVERS if server.name == "adapter")


def test_run_measures_direct_and_server_in_every_round() -> None:
    measurements = run([CHAT], [SMALL], rounds=2)

    assert sorted(each.server for each in measurements) == ["direct"] * 2 + ["pass-through"] * 2
    for each in measurements:
        assert each.errors == {}
        assert each.events == 4 * 8  # role, 4 words, finish, usage, done
        assert each.cpu_us > 0


def test_server_that_cannot_be_run_is_left_out_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    failing = Server("failing", (sys.executable, "-c", "raise SystemExit('on purpose')"))
    missing = Server("missing", ("no-such-program",), program="no-such-program")

    measurements = run([failing, missing], [SMALL], rounds=1)

    said = capsys.readouterr().err
    assert [each.server for each in measurements] == ["direct"]
    assert "failing did not start: on purpose" in said
    assert "missing: no-such-program is not installed" in said


def test_server_that_writes_nothing_before_it_ends_is_told_so() -> None:
    with (
        pytest.raises(StartError, match="wrote nothing"),
        running([sys.executable, "-c", ""], free_port(), choose_cores()[0]),
    ):
        pass


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
@pytest.mark.parametrize("server", [CHAT, RESPONSES], ids=lambda server: server.name)
def test_load_is_what_the_scenario_says(scenario: Scenario, server: Server) -> None:
    load = scenario.load(server, 8000)
    body = json.loads(load.body)
    is_frame = scenario.on_socket and server is RESPONSES

    assert load.url.startswith("ws://" if is_frame else "http://")
    assert (load.streams, load.rounds) == (scenario.streams, scenario.requests)
    assert body["model"] == scenario.model
    assert body.get("stream") == (None if is_frame else scenario.stream)
    assert body.get("type") == ("response.create" if is_frame else None)
    assert ("messages" in body, "input" in body) == (server is CHAT, server is RESPONSES)


def test_slow_server_is_asked_less_but_asked() -> None:
    slow = msgspec.structs.replace(RESPONSES, slowness=10)
    load = msgspec.structs.replace(SMALL, requests=20).load(slow, 8000)

    assert load.rounds == 2
    assert SMALL.load(slow, 8000).rounds == 1


def test_server_without_websocket_is_left_out_where_it_is_asked_over_one() -> None:
    on_socket = msgspec.structs.replace(SMALL, on_socket=True)
    without = msgspec.structs.replace(RESPONSES, has_socket=False)

    assert on_socket.fits(RESPONSES)
    assert on_socket.fits(CHAT)
    assert not on_socket.fits(without)
    assert SMALL.fits(without)


@pytest.mark.parametrize(("name", "workers"), [("adapter", 0), ("adapter, 2 workers", 2)])
def test_adapter_answers_over_every_way(name: str, workers: int) -> None:
    """CPU time counts all processes: with workers, next to nothing is that of the first."""
    server = next(each for each in SERVERS if each.name == name)
    core, upstream_core = choose_cores()
    asked = [
        SMALL,
        msgspec.structs.replace(SMALL, stream=False),
        msgspec.structs.replace(SMALL, on_socket=True),
        msgspec.structs.replace(SMALL, is_agent=True),
    ]
    with (
        started(UPSTREAM, upstream_core) as upstream,
        started(server, core, f"http://127.0.0.1:{upstream.port}/v1") as process,
    ):
        measurements = [measure(each, server, process, upstream_core) for each in asked]
        processes = len(process.pids())

    assert [each.errors for each in measurements] == [{}] * 4
    assert all(each.first_delta_p50_ms is not None for each in measurements)
    assert all(each.cpu_us > 100 for each in measurements)
    assert processes >= 1 + workers


def test_cpu_time_of_children_counts() -> None:
    """A shell takes some milliseconds; the interpreter that it starts takes tens."""
    port = free_port()
    child = "import socket, sys; sum(range(5_000_000)); "
    child += f"s = socket.create_server(('127.0.0.1', {port})); sys.stdin.read()"
    command = ["sh", "-c", f'{sys.executable} -c "{child}"; true']
    with running(command, port, choose_cores()[0]) as process:
        pids, seconds = process.pids(), process.cpu_seconds()

    assert len(pids) == 2
    assert seconds > 0.03
