"""`bench` asks addresses in turn and tells what one adds to the other."""

import asyncio
import json
from collections.abc import Iterator
from itertools import count

import pytest
from click.testing import CliRunner, Result

from adapter.asgi.app import make_sidecar
from adapter.cli import main
from adapter.cli.measure import Load, measure
from adapter.config import Settings
from tests.servers.adapter import serve
from tests.servers.answers import json_answer, text_answer
from tests.servers.scripted import ScriptedUpstream, scripted_upstream


@pytest.fixture
def upstream() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as server:
        server.always(text_answer("one two three"))
        yield server


@pytest.fixture
def adapter_url(upstream: ScriptedUpstream) -> Iterator[str]:
    with serve(make_sidecar(Settings(upstream=upstream.url))) as url:
        yield f"{url}/v1"


def bench(*arguments: str) -> Result:
    return CliRunner(env={"ADAPTER_UPSTREAM_API_KEY": None}).invoke(main, ["bench", *arguments])


def test_second_address_is_compared_with_the_first(
    upstream: ScriptedUpstream, adapter_url: str
) -> None:
    result = bench(upstream.url, adapter_url, "--requests", "5", "--streams", "2", "--json")

    chat, responses = json.loads(result.stdout)
    assert chat["name"] == f"{upstream.url}/chat/completions"
    assert responses["name"] == f"{adapter_url}/responses"
    assert [(each["requests"], each["errors"]) for each in (chat, responses)] == [(5, 0), (5, 0)]
    assert chat["added_p50_ms"] == 0
    assert isinstance(responses["added_p50_ms"], float)
    assert responses["events"] > chat["events"] > 0


def test_table_has_a_line_for_each_address(upstream: ScriptedUpstream, adapter_url: str) -> None:
    result = bench(upstream.url, adapter_url, "--requests", "1")

    head, *lines = result.stdout.splitlines()
    assert head.startswith("address ")
    assert [line.split()[0] for line in lines] == [
        f"{upstream.url}/chat/completions",
        f"{adapter_url}/responses",
    ]


def test_addresses_of_endpoints_are_asked_as_they_are(adapter_url: str) -> None:
    urls = (f"{adapter_url}/responses", f"{adapter_url}/chat/completions")

    rows = json.loads(bench(*urls, "--requests", "1", "--json").stdout)

    assert [row["name"] for row in rows] == list(urls)


def test_key_and_model_are_sent(upstream: ScriptedUpstream) -> None:
    bench(upstream.url, "--requests", "1", "--api-key", "k", "--model", "mine")

    (request,) = upstream.requests
    assert request.headers["authorization"] == "Bearer k"
    assert request.json["model"] == "mine"


def test_first_model_of_the_list_is_asked(upstream: ScriptedUpstream) -> None:
    bench(upstream.url, "--requests", "1")

    assert upstream.requests[-1].json["model"] == "scripted"


def test_failures_are_told(upstream: ScriptedUpstream) -> None:
    upstream.always(json_answer(500, {"error": {"message": "no"}}))

    result = bench(upstream.url, "--requests", "2")

    assert result.exit_code == 1
    assert "2 requests failed, such as:" in result.output
    assert "answers with 500" in result.output


def test_server_that_is_not_there_is_told() -> None:
    result = bench("http://127.0.0.1:1/v1")

    assert result.exit_code == 1
    assert "Cannot connect" in result.output


def test_what_is_no_url_is_a_usage_error() -> None:
    assert bench("not a url").exit_code == 2


def test_time_to_the_first_is_that_to_what_the_model_says(upstream: ScriptedUpstream) -> None:
    """The clock goes on by one with each look: begin, first, end."""
    ticks = count()

    (figures,) = asyncio.run(
        measure([upstream.url], Load("Hi", model="m", requests=1), {}, lambda: float(next(ticks)))
    )

    assert figures.first_ms(0.5) == 1000
    assert figures.whole_ms(0.5) == 2000
    assert figures.events_per_second() == round(figures.events / 4, 1)
