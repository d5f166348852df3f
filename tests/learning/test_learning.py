"""Each refusal is met by asking again; the caller is told, and the next request avoids it.

Over real sockets, through the real app, streamed and not.
"""

import httpx2
import pytest

from tests.asgi.conftest import Start
from tests.learning.case import Case
from tests.learning.cases_fields import FIELD_CASES, UNKNOWN
from tests.learning.cases_messages import MESSAGE_CASES
from tests.learning.cases_tools import TOOL_CASES
from tests.learning.strict import TEXT, ask, strict
from tests.servers.scripted import ScriptedUpstream

pytestmark = pytest.mark.anyio

CASES = (*FIELD_CASES, *MESSAGE_CASES, *TOOL_CASES)
# Words for a field that is not there are the same for every field: each field takes some of them
# here, and all of them in `tests/translate/test_learn.py`.
SHARE = 5


def answers_of(index: int, case: Case) -> list[int]:
    numbers = range(len(case.answers))
    return [number for number in numbers if case not in UNKNOWN or (number - index) % SHARE == 0]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("case", "number"),
    [
        pytest.param(case, number, id=f"{case.name}-{number}")
        for index, case in enumerate(CASES)
        for number in answers_of(index, case)
    ],
)
async def test_what_is_refused_is_learned(
    start: Start,
    client: httpx2.AsyncClient,
    upstream: ScriptedUpstream,
    case: Case,
    number: int,
    stream: bool,
) -> None:
    start(dialect=case.dialect, start_grace=5)
    upstream.always(strict(case.refuses, case.answers[number]))

    said, told = await ask(client, stream=stream, **case.fields)
    assert (said, case.told in told) == (TEXT, True)
    assert case.refuses(upstream.requests[0].json), "the case is none: nothing was refused"

    count = len(upstream.requests)
    said, told = await ask(client, stream=stream, **case.fields)
    assert (said, case.told in told) == (TEXT, True)
    assert len(upstream.requests) == count + 1, "the refusal was repeated"

    await ask(client, model="other", stream=stream, **case.fields)
    assert case.refuses(upstream.requests[count + 1].json), "another model was affected"


LOSSLESS = {"adapted: input", "adapted: instructions", "adapted: max_output_tokens"}


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])
async def test_what_changes_something_is_refused_if_set(
    start: Start, client: httpx2.AsyncClient, upstream: ScriptedUpstream, case: Case
) -> None:
    start(dialect=case.dialect, downgrades="refuse")
    upstream.always(strict(case.refuses, case.answers[0]))
    body = {"model": "m", "input": "Hi", **case.fields}

    first = await client.post("/v1/responses", json=body)
    count = len(upstream.requests)
    second = await client.post("/v1/responses", json=body)

    if case.told in LOSSLESS or case.name == "stream_options":  # which the client did not ask for
        assert (first.status_code, second.status_code) == (200, 200)
        assert len(upstream.requests) == count + 1
    else:
        path = case.told.partition(": ")[2]
        for answer in (first, second):
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (400, "unsupported_value")
            assert error["param"] == path
        assert len(upstream.requests) == count, "what is known was asked for all the same"
