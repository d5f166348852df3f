"""The guide to scaling out leads to what it says: its own lines, with other addresses."""

import shlex
from collections.abc import Iterator
from contextlib import ExitStack
from uuid import uuid4

import pytest

from tests.cli.process import running
from tests.deploy.balancer import balancer
from tests.readme.document import code_block
from tests.readme.test_snippets import ADAPTER, UPSTREAM, run_block
from tests.servers.answers import Answer, text_answer
from tests.servers.redis import RedisServer, shared_redis
from tests.servers.requests import Request
from tests.servers.scripted import ScriptedUpstream, scripted_upstream

__all__ = ["shared_redis"]

pytestmark = pytest.mark.needs("nginx", "redis-server")

REDIS = "redis://127.0.0.1:6379/0"


def count_messages(request: Request) -> Answer:
    return text_answer(f"I was sent {len(request.json['messages'])}")


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as server:
        server.always(count_messages)
        yield server


def test_conversation_goes_on_at_whichever_replica(
    upstream: ScriptedUpstream, shared_redis: RedisServer, capsys: pytest.CaptureFixture[str]
) -> None:
    code = code_block("tested", "scaling-replicas").replace(UPSTREAM, upstream.url)
    code = code.replace(REDIS, f"{shared_redis.url}?prefix={uuid4().hex}")
    lines = [shlex.split(line) for line in code.splitlines()]
    environ = dict(line[1].split("=", 1) for line in lines if line[0] == "export")
    commands = [line[1:-1] for line in lines if line[0] == "responses-adapter"]

    with ExitStack() as stack:
        urls = []
        for command in commands:
            assert command[-2] == "--port"
            process = stack.enter_context(running(*command[:-1], "0", environ=environ))
            urls.append(process.wait_for_url())
        nginx = stack.enter_context(balancer(*urls))
        run_block("scaling-client", (ADAPTER, nginx.url))["client"].close()

    assert capsys.readouterr().out == "I was sent 7\n"
