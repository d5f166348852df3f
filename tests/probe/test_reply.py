"""Answers are read as values: what was said, how it was said, and why there is none."""

import json

import pytest

from adapter.probe.reply import MAX_BYTES, Call
from tests.probe.replies import QUESTION, failed, read, refused, said, streamed, whole
from tests.servers.answers import Answer, chunk, json_answer, stream_answer

SSE = {"content-type": "text/event-stream"}


def test_stream_is_read_as_what_was_said() -> None:
    reply = streamed(
        chunk({"role": "assistant", "content": ""}),
        chunk({"reasoning_content": "Hm."}),
        chunk({"content": "Hello"}),
        chunk({"content": " there"}),
        chunk({}, "stop"),
        chunk(choices=[], usage={"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}),
    )

    assert (reply.outcome, reply.is_stream, reply.is_done) == ("answered", True, True)
    assert (reply.text, reply.reasoning, reply.deltas) == ("Hello there", "Hm.", 3)
    assert (reply.finish_reason, reply.tokens) == ("stop", 3)
    assert (reply.first_seconds, reply.last_seconds) == pytest.approx((0.2, 0.4))


def test_calls_are_put_together() -> None:
    def piece(index: int, **function: str) -> dict[str, object]:
        return {"index": index, "function": function}

    reply = streamed(
        chunk({"tool_calls": [piece(0, name="get_weather", arguments="")]}),
        chunk({"tool_calls": [piece(0, arguments='{"city":')]}),
        chunk({"tool_calls": [piece(0, arguments='"Paris"}'), piece(1, name="get_time")]}),
        chunk({}, "tool_calls"),
    )

    assert reply.calls == (Call("get_weather", '{"city":"Paris"}'), Call("get_time", ""))


def test_whole_answer_is_no_stream() -> None:
    reply = whole("Hello")

    assert (reply.outcome, reply.is_stream, reply.text) == ("answered", False, "Hello")
    assert reply.messages() == [{"role": "assistant", "content": "Hello"}]


def test_tags_stay_in_the_text() -> None:
    assert said("<think>Hm.</think>Hello").text == "<think>Hm.</think>Hello"


def test_answer_that_never_says_that_it_ends_is_an_answer() -> None:
    reply = streamed(chunk({"content": "Hello"}), done=False)

    assert (reply.outcome, reply.text) == ("answered", "Hello")
    assert (reply.finish_reason, reply.is_done) == (None, False)


@pytest.mark.parametrize("status", [400, 404, 415, 422, 500])
def test_status_that_says_no_is_a_refusal(status: int) -> None:
    reply = refused("no such field", status)

    assert (reply.outcome, reply.status) == ("refused", status)
    assert reply.body["error"]["message"] == "no such field"


@pytest.mark.parametrize("status", [401, 403, 408, 429, 502, 503, 504])
def test_status_that_is_about_something_else_is_a_failure(status: int) -> None:
    assert refused("later", status).outcome == "failed"


@pytest.mark.parametrize(
    "answer",
    [
        # vLLM: the first event of a stream with status 200
        stream_answer(json.dumps({"error": {"message": "Grammar error", "code": 400}})),
        # transformers
        stream_answer(json.dumps({"error": "`max_new_tokens` must be greater than 0"}), done=False),
        # llama-cpp-python: nothing at all
        Answer(headers=SSE),
        stream_answer(),
        json_answer(200, {"detail": "no such field"}),
    ],
    ids=["vllm", "transformers", "empty", "done alone", "detail"],
)
def test_no_under_status_200_is_a_refusal(answer: Answer) -> None:
    reply = read(answer)

    assert reply.outcome == "refused"
    assert reply.error is not None


@pytest.mark.parametrize(
    "answer",
    [
        Answer(headers={"content-type": "text/html"}, chunks=[b"<html>Welcome</html>"]),
        stream_answer("no JSON"),
        stream_answer(chunk({"content": "Hel"}), '{"error": {"message": "engine died"}}'),
    ],
    ids=["page", "no JSON", "broken off"],
)
def test_nonsense_is_a_failure(answer: Answer) -> None:
    assert read(answer).outcome == "failed"


def test_no_answer_is_a_failure() -> None:
    assert (failed().outcome, failed().status) == ("failed", 0)


def test_answer_is_not_read_for_longer_than_asked_for() -> None:
    reply = streamed(*(chunk({"content": "word "}) for _ in range(1000)))

    assert reply.was_cut
    assert reply.is_short_of_tokens
    assert QUESTION.max_tokens < reply.deltas < QUESTION.max_tokens + 20


def test_long_deltas_count_for_more() -> None:
    reply = streamed(*(chunk({"content": "word " * 50}) for _ in range(1000)))

    assert reply.was_cut
    assert reply.deltas < 10


def test_no_more_than_a_limit_of_bytes_is_kept() -> None:
    reply = streamed(*(b": keep-alive\n\n" + b" " * (MAX_BYTES // 3) for _ in range(9)))

    assert reply.was_cut


def test_chunks_of_any_shape_have_choices_or_none() -> None:
    reply = streamed(
        chunk({"content": "Hello"}),
        chunk(choices=None),
        chunk(choices=[{"index": 0, "delta": None}]),
        chunk({}, "stop"),
    )

    assert [choice.get("finish_reason") for choice in reply.choices()] == [None, None, "stop"]
    assert reply.messages() == [{"content": "Hello"}]
