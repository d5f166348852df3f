"""A probe keeps to its limits, finds the server and a model, and gives up when nobody is there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from adapter.errors import UpstreamError
from adapter.probe import Limits, Report, probe
from adapter.probe.ask import Asker, open_upstream
from adapter.probe.checks import CHECKS
from adapter.probe.checks.answer import SERVER, STREAM_END
from adapter.probe.checks.tools import CALLS
from adapter.probe.known import BY_PORT
from tests.cli.process import free_port
from tests.probe.replies import judge, known, said, streamed
from tests.servers.answers import (
    Answer,
    Eof,
    Hang,
    chunk,
    json_answer,
    stream_answer,
    text_answer,
)
from tests.servers.requests import Request
from tests.servers.scripted import MODELS_PATH, Reply, ScriptedUpstream

T = TypeVar("T")
LIMIT_SECONDS = 20.0
HELLO = text_answer("Hello")
HANG = Answer(before=[Hang()])


async def soon(awaitable: Awaitable[T]) -> T:
    async with asyncio.timeout(LIMIT_SECONDS):
        return await awaitable


async def ask(
    upstream: ScriptedUpstream, reply: Reply = HELLO, *, url: str | None = None, **options: object
) -> Report:
    """Probe a server that always answers the same."""
    upstream.always(reply)
    return await soon(probe(url or upstream.url, **options))  # type: ignore[arg-type]  # any of them


@pytest.mark.anyio
async def test_first_model_of_the_list_is_asked() -> None:
    async with ScriptedUpstream() as upstream:
        models = [{"object": "model"}, {"id": "first"}, {"id": "second"}]
        upstream.always(json_answer(200, {"data": models}), to=MODELS_PATH)
        report = await ask(upstream, checks=())

        assert (report.model, report.models) == ("first", ("first", "second"))
        assert (await upstream.request(1)).json["model"] == "first"


@pytest.mark.anyio
async def test_model_that_is_named_is_asked() -> None:
    async with ScriptedUpstream() as upstream:
        report = await ask(upstream, model="mine", checks=())

        assert report.model == "mine"
        assert (await upstream.request(1)).json["model"] == "mine"


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [json_answer(404, {"detail": "Not Found"}), json_answer(200, {"data": []}), HELLO],
    ids=["404", "none", "no list"],
)
async def test_without_a_list_a_model_has_to_be_named(answer: Answer) -> None:
    async with ScriptedUpstream() as upstream:
        upstream.always(answer, to=MODELS_PATH)

        with pytest.raises(UpstreamError, match="lists no models: name one with --model"):
            await ask(upstream)
        assert (await ask(upstream, model="mine", checks=())).answers


@pytest.mark.anyio
async def test_bare_address_is_looked_for_at_v1() -> None:
    async with ScriptedUpstream() as upstream:
        report = await ask(upstream, url=upstream.url.removesuffix("/v1"), checks=())

        assert report.url == upstream.url


@pytest.mark.anyio
async def test_bare_address_may_be_the_base_url() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.always(json_answer(404, {}), to=MODELS_PATH)
        upstream.always(json_answer(200, {"data": [{"id": "bare"}]}), to="/models")
        upstream.always(HELLO, to="/chat/completions")
        report = await ask(upstream, url=upstream.url.removesuffix("/v1"), checks=())

        assert (report.url, report.answers) == (upstream.url.removesuffix("/v1"), True)


@pytest.mark.anyio
async def test_server_that_is_not_there_is_an_error() -> None:
    with pytest.raises(UpstreamError, match="Cannot connect to the model server"):
        await soon(probe(f"http://127.0.0.1:{free_port()}/v1", model="any"))


@pytest.mark.anyio
async def test_missing_key_is_an_error() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.always(json_answer(401, {"error": "Unauthorized"}), to=MODELS_PATH)

        with pytest.raises(UpstreamError, match="Unauthorized"):
            await ask(upstream, model="any")


@pytest.mark.anyio
async def test_key_is_sent_with_every_request() -> None:
    async with ScriptedUpstream() as upstream:
        await ask(upstream, api_key="sk-1", checks=(CALLS,))

        sent = [request.headers["authorization"] for request in upstream.requests]
        assert sent == ["Bearer sk-1"] * 3


@pytest.mark.anyio
async def test_slow_list_of_models_does_not_matter_if_a_model_is_named() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.always(HANG, to=MODELS_PATH)
        report = await ask(upstream, model="mine", limits=Limits(seconds=1.0), checks=())

        assert report.answers


@pytest.mark.anyio
async def test_slow_list_of_models_is_an_error_if_one_has_to_be_chosen() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.always(HANG, to=MODELS_PATH)

        with pytest.raises(UpstreamError, match=r"within 1\.0 s|within 1 s"):
            await ask(upstream, limits=Limits(seconds=1.0))


@pytest.mark.anyio
async def test_list_of_models_without_an_end_is_none() -> None:
    async with ScriptedUpstream() as upstream:
        endless = Answer(chunks=[b'{"data": ["'] + [b"a" * 10**6] * 8 + [Hang()])
        upstream.always(endless, to=MODELS_PATH)
        report = await ask(upstream, model="mine", checks=())

        assert (report.models, report.answers) == ((), True)


@pytest.mark.anyio
async def test_server_that_does_not_answer_is_asked_nothing_else() -> None:
    async with ScriptedUpstream() as upstream:
        report = await ask(upstream, json_answer(404, {"detail": "Not Found"}))

        assert not report.answers
        assert [each.check for each in report.findings] == ["answer", "bare answer"]
        assert len(upstream.requests) == 3


@pytest.mark.anyio
async def test_server_that_falls_silent_is_given_up() -> None:
    """Every hang costs the time of one answer, so there must not be many."""
    async with ScriptedUpstream() as upstream:
        upstream.reply(HELLO)
        report = await ask(upstream, HANG, limits=Limits(seconds=1.0))

        assert len(upstream.requests) == 2 + 3
        assert report.findings[-1].finding == "not asked: the server has stopped answering"


@pytest.mark.anyio
async def test_server_that_goes_away_is_given_up() -> None:
    async with ScriptedUpstream() as upstream:
        upstream.reply(HELLO)
        report = await ask(upstream, Answer(before=[Eof()]))

        assert report.answers
        assert [each.grade for each in report.findings[-3:]] == ["unclear"] * 3


@pytest.mark.anyio
async def test_no_more_tokens_are_asked_for_than_allowed() -> None:
    async with ScriptedUpstream() as upstream:
        report = await ask(upstream, limits=Limits(tokens=400))

        assert report.tokens <= 400
        said = [each.finding for each in report.findings]
        assert "not asked: the limit of 400 tokens is reached" in said
        assert all(request.json.get("max_tokens", 0) <= 256 for request in upstream.requests[1:])


@pytest.mark.anyio
async def test_answer_without_an_end_is_not_read_to_it() -> None:
    async with ScriptedUpstream() as upstream:
        babble = stream_answer(*(chunk({"content": "ha "}) for _ in range(2000)), Hang())
        report = await ask(upstream, babble, checks=(STREAM_END,))

        assert report.findings[-1].finding.startswith("still going after")
        await (await upstream.request(1)).disconnected.wait()


@pytest.mark.anyio
async def test_server_is_told_by_its_answer() -> None:
    async with ScriptedUpstream() as upstream:
        told = stream_answer(chunk({"content": "Hi"}), chunk({}, "stop", x_groq={"id": "1"}))
        report = await ask(upstream, told, checks=(SERVER,))

        assert report.base.name == "groq"
        assert report.findings[-1].finding == "groq, told by its answer"


def test_what_stands_in_an_answer_counts_for_more_than_the_port() -> None:
    of = known("ollama", told_by=BY_PORT)
    silent = judge(SERVER, said("Hi"), of=of)
    speaking = judge(SERVER, streamed(chunk({"content": "Hi"}, x_groq={})), of=of)

    assert silent.finding == "ollama, told by its port"
    assert speaking.finding == "groq, told by its answer"


@pytest.mark.anyio
async def test_names_of_checks_are_told_before_they_are_made() -> None:
    async with ScriptedUpstream() as upstream:
        told: list[str] = []
        report = await ask(upstream, on_check=told.append, checks=(SERVER, STREAM_END))

        assert told == ["answer", "server", "stream end"]
        assert told == [each.check for each in report.findings]


@pytest.mark.anyio
async def test_same_question_is_not_asked_twice() -> None:
    async with ScriptedUpstream() as upstream:
        await ask(upstream, limits=Limits(tokens=10**6))
        bodies = [request.body for request in upstream.requests[1:]]

        assert len(bodies) == len(set(bodies)) > len(CHECKS) // 2


def busy_at_first(retry_after: str) -> Callable[[Request], Answer]:
    answers = iter([json_answer(429, {"error": "slow down"}, {"retry-after": retry_after})])
    return lambda request: next(answers, HELLO)


@pytest.mark.anyio
@pytest.mark.parametrize(("said", "waited"), [("3", 3.0), ("soon", 2.0), ("999", 60.0)])
async def test_busy_server_is_asked_again_when_it_says_so(said: str, waited: float) -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)

    async with ScriptedUpstream() as upstream:
        upstream.always(busy_at_first(said))
        client = open_upstream(upstream.url, LIMIT_SECONDS)
        asker = Asker(client, {}, Limits(), wait=wait)
        (question,) = CALLS.ask(known())
        reply = await soon(asker.ask(question))
        await client.aclose()

    assert (reply.text, waits) == ("Hello", [waited])
