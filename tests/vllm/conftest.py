"""Fixtures: the two ways to put the adapter to vLLM, one after the other, and the SDK."""

from collections.abc import Iterator

import openai
import pytest

from tests.vllm.servers import KEY, LIMIT_SECONDS, SERVERS, Server

# Left out of a run of all tests; a file that is named on the command line is collected all the same.
collect_ignore = ["test_grammars.py", "test_vllm.py"]


@pytest.fixture(scope="session", params=SERVERS)
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    with SERVERS[request.param](tmp_path_factory.mktemp(request.param)) as server:
        yield server


@pytest.fixture(scope="session")
def sdk(server: Server) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=server.url, api_key=KEY, max_retries=0, timeout=LIMIT_SECONDS
    ) as client:
        yield client
