"""A body that does not come: it is waited for, but not for ever."""

import asyncio

import pytest
from starlette.types import Message

from adapter.asgi.bodies import MAX_SECONDS, read_body
from adapter.errors import InvalidRequestError
from tests.asgi.virtual_time import VirtualLoop


async def read_slowly(pause: float, pieces: int) -> bytes:
    left = pieces

    async def receive() -> Message:
        nonlocal left
        await asyncio.sleep(pause)
        left -= 1
        return {"type": "http.request", "body": b"x", "more_body": left > 0}

    return await read_body({"headers": []}, receive, {}, 1000)


def run(pause: float, pieces: int) -> bytes:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(read_slowly(pause, pieces))


def test_body_that_comes_in_time_is_read() -> None:
    assert run(MAX_SECONDS / 10, 9) == b"x" * 9


@pytest.mark.parametrize(("pause", "pieces"), [(MAX_SECONDS + 1, 1), (MAX_SECONDS / 100, 200)])
def test_body_that_takes_too_long_is_a_408(pause: float, pieces: int) -> None:
    """Also one that comes a byte at a time."""
    with pytest.raises(InvalidRequestError) as refused:
        run(pause, pieces)

    assert (refused.value.status, refused.value.code) == (408, "request_timeout")
    assert refused.value.headers == {"connection": "close"}
