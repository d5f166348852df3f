"""How chat servers stream the same answer: the habits that break clients of chat completions.

Source: `observed.md` §2, `reported.md` §3.2, `clients.md` §7.
"""

from typing import Any

import msgspec

from tests.clients.upstream.saying import (
    Chunk,
    Say,
    Style,
    between,
    body_of,
    call_piece,
    calls_chunk,
    ending,
    finish_reason,
    first_chunk,
    pieces,
    text_chunks,
    usual_calls,
    whole_stream,
)
from tests.servers.answers import Answer, chunk, cut, json_answer, stream_answer


def usual(say: Say, prefix: str) -> Answer:
    return stream_answer(*whole_stream(say, prefix))


def whole_calls(say: Say, prefix: str) -> Answer:
    """Ollama, transformers: each call in one chunk, finished with `stop`."""
    calls = [
        calls_chunk(call_piece(index, call.text, f"{prefix}{index}", call.name))
        for index, call in enumerate(say.calls)
    ]
    end = [chunk({}, "stop"), chunk(choices=[], usage=say.usage)]
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *end)


def object_arguments(say: Say, prefix: str) -> Answer:
    """Ollama's own: arguments that are an object, not a string."""
    calls = [
        chunk({"tool_calls": [{"function": {"name": call.name, "arguments": call.arguments}}]})
        for call in say.calls
    ]
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *ending(say))


def no_index(say: Say, prefix: str) -> Answer:
    calls = [
        calls_chunk(call_piece(None, call.text, f"{prefix}{index}", call.name))
        for index, call in enumerate(say.calls)
    ]
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *ending(say))


def index_zero(say: Say, prefix: str) -> Answer:
    """Several whole calls, all of index 0."""
    calls = [
        calls_chunk(call_piece(0, call.text, f"{prefix}{index}", call.name))
        for index, call in enumerate(say.calls)
    ]
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *ending(say))


def empty_ids(say: Say, prefix: str) -> Answer:
    """Old vLLM (vllm#18412)."""
    calls = []
    for index, call in enumerate(say.calls):
        calls.append(calls_chunk(call_piece(index, "", "", call.name)))
        calls += [calls_chunk(call_piece(index, piece, "")) for piece in pieces(call.text)]
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *ending(say))


def same_ids(say: Say, prefix: str) -> Answer:
    """Ids that count from zero in every answer."""
    return usual(say, "call_")


def repeated_ids(say: Say, prefix: str) -> Answer:
    """llama-cpp-python: id and name on every piece, and the legacy field beside them."""
    calls = []
    for index, call in enumerate(say.calls):
        for piece in pieces(call.text):
            fragment = call_piece(index, piece, f"{prefix}{index}", call.name)
            legacy = {"name": call.name, "arguments": piece} if len(say.calls) == 1 else None
            calls.append(chunk({"role": None, "function_call": legacy, "tool_calls": [fragment]}))
    end = chunk({"role": None, "content": None, "function_call": None, "tool_calls": None}, "stop")
    return stream_answer(first_chunk(), *text_chunks(say), *calls, end)


def legacy_call(say: Say, prefix: str) -> Answer:
    """`function_call` alone, the field before there was `tool_calls`; it holds one call."""
    calls = []
    for call in say.calls[:1]:
        calls.append(chunk({"function_call": {"name": call.name, "arguments": ""}}))
        calls += [chunk({"function_call": {"arguments": piece}}) for piece in pieces(call.text)]
    end = [
        chunk({}, "function_call" if say.calls else "stop"),
        chunk(choices=[], usage=say.usage),
    ]
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *end)


def interleaved(say: Say, prefix: str) -> Answer:
    """Pieces of several calls, in turns."""
    heads = [
        call_piece(index, "", f"{prefix}{index}", call.name) for index, call in enumerate(say.calls)
    ]
    rows = [pieces(call.text, 3) for call in say.calls]
    longest = max(map(len, rows), default=0)
    turns = [
        calls_chunk(call_piece(index, row[step]))
        for step in range(longest)
        for index, row in enumerate(rows)
        if step < len(row)
    ]
    calls = [calls_chunk(head) for head in heads] + turns
    return stream_answer(first_chunk(), *text_chunks(say), *calls, *ending(say))


def nulls(say: Say, prefix: str) -> Answer:
    """SGLang: every field is always there."""
    blank = {"role": None, "content": None, "reasoning_content": None, "tool_calls": None}

    def fill(given: Chunk) -> Chunk:
        if not given["choices"]:
            return given
        choice = given["choices"][0]
        more = {"logprobs": None, "matched_stop": None}
        return given | {"choices": [choice | more | {"delta": blank | choice["delta"]}]}

    return stream_answer(*map(fill, whole_stream(say, prefix)))


def no_usage(say: Say, prefix: str) -> Answer:
    return stream_answer(*whole_stream(say, prefix)[:-1])


def usage_everywhere(say: Say, prefix: str) -> Answer:
    """Usage on every chunk, as vLLM counts continuously, and as numbers that may be null."""
    counted = say.usage | {"prompt_tokens_details": None, "completion_tokens_details": None}
    return stream_answer(*(given | {"usage": counted} for given in whole_stream(say, prefix)[:-1]))


def no_done(say: Say, prefix: str) -> Answer:
    """transformers: the end is the end of the body."""
    return stream_answer(*whole_stream(say, prefix), done=False)


def comments(say: Say, prefix: str) -> Answer:
    """OpenRouter and llama.cpp: comments in between."""
    return stream_answer(*between(b": PROCESSING\n\n", whole_stream(say, prefix)))


def carriage_returns(say: Say, prefix: str) -> Answer:
    """CRLF, and no blank behind the colon."""
    answer = usual(say, prefix)
    return msgspec.structs.replace(
        answer,
        chunks=[
            step.replace(b"data: ", b"data:").replace(b"\n", b"\r\n")
            for step in answer.chunks
            if isinstance(step, bytes)
        ],
    )


def one_write(say: Say, prefix: str) -> Answer:
    answer = usual(say, prefix)
    return msgspec.structs.replace(answer, chunks=[body_of(answer)])


def crumbs(say: Say, prefix: str) -> Answer:
    """Borders anywhere: within lines, and within characters."""
    answer = usual(say, prefix)
    body = body_of(answer)
    return msgspec.structs.replace(answer, chunks=cut(body, *range(5, len(body), 5)))


def think_tags(say: Say, prefix: str) -> Answer:
    """No reasoning parser: the tags are in the content, cut anywhere."""
    thought = f"<think>{say.reasoning}</think>\n\n" if say.reasoning else ""
    tagged = msgspec.structs.replace(say, text=thought + say.text, reasoning="")
    return usual(tagged, prefix)


def reasoning_field(say: Say, prefix: str) -> Answer:
    """vLLM: the field is called `reasoning`."""
    chunks = [
        first_chunk(),
        *text_chunks(say, "reasoning"),
        *usual_calls(say, prefix),
        *ending(say),
    ]
    return stream_answer(*chunks)


def all_at_once(say: Say, prefix: str) -> Answer:
    """vLLM with `--stream-interval`: one chunk holds all there is, and the finish with it."""
    fragments = [
        fragment
        for index, call in enumerate(say.calls)
        for fragment in (
            call_piece(index, call.text[:3], f"{prefix}{index}", call.name),
            call_piece(index, call.text[3:]),
        )
    ]
    delta: dict[str, Any] = {"role": "assistant", "content": say.text or None}
    delta["reasoning_content"] = say.reasoning or None
    if fragments:
        delta["tool_calls"] = fragments
    return stream_answer(chunk(delta, finish_reason(say), usage=say.usage))


def not_streamed(say: Say, prefix: str) -> Answer:
    """A server that does not know `stream`."""
    calls = [
        {
            "id": f"{prefix}{index}",
            "type": "function",
            "function": {"name": call.name, "arguments": call.text},
        }
        for index, call in enumerate(say.calls)
    ]
    message: dict[str, Any] = {"role": "assistant", "content": say.text or None}
    if say.reasoning:
        message["reasoning_content"] = say.reasoning
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": finish_reason(say)}
    body = {
        "id": prefix,
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "scripted",
        "choices": [choice],
        "usage": say.usage,
    }
    return json_answer(200, body)


STYLES: dict[str, Style] = {
    style.__name__: style
    for style in (
        usual,
        whole_calls,
        object_arguments,
        no_index,
        index_zero,
        empty_ids,
        same_ids,
        repeated_ids,
        legacy_call,
        interleaved,
        nulls,
        no_usage,
        usage_everywhere,
        no_done,
        comments,
        carriage_returns,
        one_write,
        crumbs,
        think_tags,
        reasoning_field,
        all_at_once,
        not_streamed,
    )
}
