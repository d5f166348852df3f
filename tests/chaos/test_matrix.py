"""Every fault of the table, in every way of asking: one end, a legal stream, nothing left behind.

Source: issue 8, "Chaos upstream".
"""

import pytest

from tests.chaos.conftest import Bench
from tests.chaos.connection_faults import CONNECTION_FAULTS
from tests.chaos.content_faults import CONTENT_FAULTS
from tests.chaos.fault import Fault
from tests.chaos.ways import WAYS, Ending

pytestmark = pytest.mark.anyio

FAULTS = [*CONNECTION_FAULTS, *CONTENT_FAULTS]
each_fault = pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=fault.name) for fault in FAULTS]
)
each_fault_of_apps = pytest.mark.parametrize(
    "fault", [pytest.param(fault, id=fault.name) for fault in FAULTS if not fault.on_wire]
)


def holds(fault: Fault, ending: Ending) -> None:
    assert ending.status in fault.allowed, ending
    if fault.text is not None:
        assert ending.text == fault.text


def test_no_two_faults_have_one_name() -> None:
    names = [fault.name for fault in FAULTS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("way", WAYS)
@each_fault
async def test_fault_of_an_upstream_over_http(bench: Bench, fault: Fault, way: str) -> None:
    holds(fault, await bench.over_http(fault, WAYS[way]))


@pytest.mark.parametrize("way", ["stream", "whole"])
@each_fault_of_apps
async def test_fault_of_the_wrapped_app(bench: Bench, fault: Fault, way: str) -> None:
    holds(fault, await bench.in_process(fault, WAYS[way]))


@each_fault
async def test_fault_behind_a_call_of_a_tool(bench: Bench, fault: Fault) -> None:
    ending = await bench.in_second_turn(fault, WAYS["stream"])

    holds(fault, ending)
    assert ("mcp_call", "completed") in ending.output
