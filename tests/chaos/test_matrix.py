"""Every fault of the table, in every way of asking: one end, a legal stream, nothing left behind.

Source: issue 8, "Chaos upstream".
"""

from collections.abc import Callable, Sequence

import pytest

from tests.chaos.conftest import Bench
from tests.chaos.connection_faults import CONNECTION_FAULTS
from tests.chaos.content_faults import CONTENT_FAULTS
from tests.chaos.fault import Fault
from tests.chaos.ways import WAYS, Ending

pytestmark = pytest.mark.anyio

FAULTS = [*CONNECTION_FAULTS, *CONTENT_FAULTS]
# How each fault is met, and in which ways of asking.
OVER_HTTP, IN_PROCESS, IN_SECOND_TURN = Bench.over_http, Bench.in_process, Bench.in_second_turn
MEETINGS = [
    *((OVER_HTTP, way) for way in WAYS),
    *((IN_PROCESS, way) for way in ("stream", "whole")),
    (IN_SECOND_TURN, "stream"),
]


def cells() -> Sequence[object]:
    """Return each fault with each way to meet it; those that are many alike with one, by turns."""
    turn = 0
    found = []
    for fault in FAULTS:
        chosen = [each for each in MEETINGS if each[0] != IN_PROCESS or not fault.on_wire]
        if fault.is_wide:
            turn += 1
            chosen = [chosen[turn % len(chosen)]]
        for meet, way in chosen:
            name = f"{meet.__name__}-{way}-{fault.name}"
            found.append(pytest.param(fault, meet, way, id=name))
    return found


def test_no_two_faults_have_one_name() -> None:
    names = [fault.name for fault in FAULTS]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(("fault", "meet", "way"), cells())
async def test_response_has_one_end_and_leaves_nothing(
    bench: Bench, fault: Fault, meet: Callable[..., Ending], way: str
) -> None:
    ending = await meet(bench, fault, WAYS[way])

    assert ending.status in fault.allowed, ending.error
    if fault.text is not None:
        assert ending.text == fault.text
    if meet == IN_SECOND_TURN:
        assert ("mcp_call", "completed") in ending.output
