"""Replies as the probe reads them, made of what servers send, and what is known when they come."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from adapter.dialects import dialect_named
from adapter.errors import UpstreamTimeoutError
from adapter.probe.check import Check, Verdict
from adapter.probe.known import Known, start, user
from adapter.probe.reply import Question, Reply, ReplyReader, no_reply
from adapter.types.chat import ChatRequest
from tests.servers.answers import Answer, Step, chunk, json_answer, stream_answer, whole_answer

QUESTION = Question(ChatRequest("tiny", (user("Hello"),), {"stream": True}), 8)


def known(dialect: str = "generic", **more: Any) -> Known:
    """Return what is known of a server that answers."""
    started = start("tiny", dialect_named(dialect), "")
    return msgspec.structs.replace(started, answers=True, **more)


def read(answer: Answer, question: Question = QUESTION) -> Reply:
    """Return what the probe makes of an answer, a tenth of a second for every read."""
    reader = ReplyReader(question, answer.status, answer.headers)
    seconds = 0.0
    for step in answer.chunks:
        assert isinstance(step, bytes)
        seconds += 0.1
        reader.feed(step, seconds)
        if reader.is_enough:
            break
    return reader.end(seconds)


def streamed(
    *chunks: Mapping[str, Any] | str | Step, done: bool = True, question: Question = QUESTION
) -> Reply:
    return read(stream_answer(*chunks, done=done), question)


def said(
    text: str, *, finish_reason: str | None = "stop", prompt: int | None = None, **delta: Any
) -> Reply:
    """Return a stream of one delta: text, and whatever else is in it.

    Args:
        text: the content.
        finish_reason: in a chunk of its own, unless it is None.
        prompt: tokens of the prompt, in a last chunk of its own, unless it is None.
        delta: the other keys.
    """
    chunks = [chunk({"role": "assistant", "content": text, **delta})]
    if finish_reason is not None:
        chunks.append(chunk({}, finish_reason))
    if prompt is not None:
        usage = {"prompt_tokens": prompt, "completion_tokens": 3, "total_tokens": prompt + 3}
        chunks.append(chunk(choices=[], usage=usage))
    return streamed(*chunks)


def called(*names: str, finish_reason: str = "tool_calls") -> Reply:
    """Return a stream of whole calls."""
    calls = [
        {
            "index": index,
            "id": f"call_{index}",
            "function": {"name": name, "arguments": '{"city": "Paris"}'},
        }
        for index, name in enumerate(names)
    ]
    return streamed(chunk({"tool_calls": calls}), chunk({}, finish_reason))


def whole(text: str) -> Reply:
    return read(whole_answer(text))


def refused(message: str = "no", status: int = 400, **fields: Any) -> Reply:
    """Return a refusal of a request that had these fields."""
    chat = ChatRequest("tiny", (user("Hello"),), {"stream": True, **fields})
    error = {"error": {"message": message, "type": "invalid_request_error", "code": status}}
    return read(json_answer(status, error), Question(chat, 8))


def failed() -> Reply:
    return no_reply(QUESTION, UpstreamTimeoutError("nothing came"))


def judge(check: Check, *replies: Reply, of: Known | None = None) -> Verdict:
    return check.judge(of or known(), replies)


def facts(verdict: Verdict, of: Known | None = None) -> dict[str, Any]:
    """Return the facts of a verdict that differ from what is known."""
    dialect = (of or known()).dialect
    return {name: fact for name, fact in verdict.facts.items() if getattr(dialect, name) != fact}


def fields_of(questions: Sequence[Question]) -> list[dict[str, Any]]:
    """Return the parameters of questions, without those that all of them carry."""
    usual = {"stream", "stream_options", "temperature", "max_tokens"}
    return [
        {name: value for name, value in each.chat.parameters.items() if name not in usual}
        for each in questions
    ]
