"""Rows that can be added from outside, the picture of all rows, and what the small stages do."""

import asyncio
from xml.etree import ElementTree

import pytest

from benchmarks.guard import subjects
from benchmarks.micro.stages import Stage, stages
from benchmarks.plot import to_svg
from benchmarks.report import Measurement, summarise
from benchmarks.run import run
from benchmarks.scenarios import Scenario
from benchmarks.servers import SERVERS, peer

_SVG = "{http://www.w3.org/2000/svg}"


def test_peer_is_a_server_of_the_responses_api() -> None:
    found = peer("other=other-server --port $port --upstream '$upstream'")

    assert found.name == "other"
    assert found.command == ("other-server", "--port", "$port", "--upstream", "$upstream")
    assert (found.kind, found.path) == ("responses", "/v1/responses")


@pytest.mark.parametrize("text", ["", "name", "name=", "=command"])
def test_peer_without_name_or_command_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="NAME=COMMAND"):
        peer(text)


def test_picture_has_a_bar_for_each_server_that_is_shown() -> None:
    measurements = [
        Measurement("burst", server, "delta", cpu_us, 1, 1, 1, 1, 1, 1, {})
        for server, cpu_us in (("direct", 1), ("nginx", 2), ("<adapter>", 8))
    ]
    svg = ElementTree.fromstring(  # our own
        to_svg(summarise(measurements), ["burst", "paced"], leave_out=["direct"])
    )
    bars = [float(bar.attrib["width"]) for bar in svg.iter(f"{_SVG}rect")]
    texts = [text.text for text in svg.iter(f"{_SVG}text")]

    assert len(bars) == 2
    assert bars[1] == pytest.approx(4 * bars[0], abs=2)
    assert {"nginx", "<adapter>", "2", "8"} <= set(texts)


@pytest.mark.parametrize("stage", stages(), ids=lambda stage: stage.name)
def test_stage_can_be_done_again(stage: Stage) -> None:
    assert stage.call() == stage.call()


def test_what_is_guarded_says_something() -> None:
    with asyncio.Runner() as runner:
        said = [call() for call in subjects(runner.get_loop()).values()]

    assert all(said)


@pytest.mark.parametrize("name", ["adapter", "middleware", "pass-through, aiohttp"])
def test_server_answers_what_the_scenario_asks(name: str) -> None:
    server = next(each for each in SERVERS if each.name == name)
    asked = [
        Scenario("stream", "short-4", True, 2, 2, unit="request"),
        Scenario("whole", "short-4", False, 2, 2, unit="request"),
    ]
    measurements = run([server], asked, rounds=1)

    assert {each.server for each in measurements} == {"direct", name}
    assert [each.errors for each in measurements] == [{}] * 4
