"""A benchmark run measures each server as a process of its own, and leaves none behind."""

import sys

import pytest

from benchmarks.processes import StartError, choose_cores, free_port, running
from benchmarks.run import run
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.servers import SERVERS, Server

SMALL = Scenario("small", "short-4", True, 2, 2, unit="request")
PASS_THROUGH = next(server for server in SERVERS if server.name == "pass-through")


def test_run_measures_direct_and_server_in_every_round() -> None:
    measurements = run([PASS_THROUGH], [SMALL], rounds=2)

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
@pytest.mark.parametrize("kind", ["chat", "responses"])
def test_body_asks_for_what_the_scenario_says(scenario: Scenario, kind: str) -> None:
    body = scenario.body("chat" if kind == "chat" else "responses").decode()

    assert f'"model": "{scenario.model}"' in body
    assert ('"stream": true' in body) == scenario.stream
    assert ('"messages"' in body) == (kind == "chat")
