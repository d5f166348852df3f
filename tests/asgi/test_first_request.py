"""The first request loads nothing that most requests never need."""

import subprocess
import sys

import pytest

from adapter import ResponsesAPI
from adapter.fetch.guard import UrlPolicy
from adapter.fetch.late import LateFetcher

pytestmark = pytest.mark.anyio

PROGRAM = """
import asyncio, sys
from benchmarks.micro.stages import answer, request_body
from benchmarks.micro.whole import ReadyUpstream, adapter, post
app = adapter(ReadyUpstream(answer("short", 4)))
before = set(sys.modules)
assert asyncio.run(post(app, request_body()))
print(*set(sys.modules) - before)
"""


def test_an_ordinary_request_loads_no_client_library() -> None:
    """It took 0.1 s, for which everybody who asked then waited."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=60
    )

    assert not {"aiohttp", "httpx2", "adapter.fetch.fetch"} & set(done.stdout.split())


async def test_a_fetcher_that_was_never_needed_can_be_closed() -> None:
    await LateFetcher(UrlPolicy()).aclose()


async def test_an_app_that_was_never_asked_can_be_closed() -> None:
    async with ResponsesAPI("http://127.0.0.1:9/v1", store="none"):
        pass
