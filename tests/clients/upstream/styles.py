"""How chat servers stream the same answer: the habits that break clients of chat completions.

Source: `observed.md` §2, `reported.md` §3.2, `clients.md` §7.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from tests.servers.answers import Answer, chunk, cut, json_answer, stream_answer

USAGE = {"prompt_tokens": 11, "completion_tokens": 4, "total_tokens": 15}
Chunk = dict[str, Any]


class Call(msgspec.Struct, frozen=True):
    """A call that the model makes; arguments that are text are sent as they are."""

    name: str
    arguments: dict[str, Any] | str

    @property
    def text(self) -> str:
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments)


class Say(msgspec.Struct, frozen=True):
    """What the model says in one go."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    reasoning: str = ""
    prompt_tokens: int = USAGE["prompt_tokens"]

    @property
    def usage(self) -> dict[str, int]:
        completion = USAGE["completion_tokens"]
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }


# (what is said, a prefix for call ids that no other answer has) to the answer
Style = Callable[[Say, str], Answer]


def pieces(text: str, size: int = 7) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _text(say: Say, field: str = "reasoning_content") -> list[Chunk]:
    thoughts = [chunk({field: piece}) for piece in pieces(say.reasoning)]
    return [*thoughts, *(chunk({"content": piece}) for piece in pieces(say.text))]


def _fragment(index: int | None, arguments: str, id: str | None = None, name: str = "") -> Any:
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    fragment: dict[str, Any] = {} if index is None else {"index": index}
    if id is not None:
        fragment |= {"id": id, "type": "function"}
    return fragment | {"function": function}


def _calls_chunk(*fragments: Any) -> Chunk:
    return chunk({"tool_calls": list(fragments)})


def _usual_calls(say: Say, prefix: str) -> list[Chunk]:
    chunks = []
    for index, call in enumerate(say.calls):
        chunks.append(_calls_chunk(_fragment(index, "", f"{prefix}{index}", call.name)))
        chunks += [_calls_chunk(_fragment(index, piece)) for piece in pieces(call.text)]
    return chunks


def _finish(say: Say) -> str:
    return "tool_calls" if say.calls else "stop"


def _end(say: Say) -> list[Chunk]:
    return [chunk({}, _finish(say)), chunk(choices=[], usage=say.usage)]


def _opening() -> Chunk:
    return chunk({"role": "assistant", "content": ""})


def _whole(say: Say, prefix: str) -> list[Chunk]:
    return [_opening(), *_text(say), *_usual_calls(say, prefix), *_end(say)]


def usual(say: Say, prefix: str) -> Answer:
    return stream_answer(*_whole(say, prefix))


def whole_calls(say: Say, prefix: str) -> Answer:
    """Ollama, transformers: each call in one chunk, finished with `stop`."""
    calls = [
        _calls_chunk(_fragment(index, call.text, f"{prefix}{index}", call.name))
        for index, call in enumerate(say.calls)
    ]
    end = [chunk({}, "stop"), chunk(choices=[], usage=say.usage)]
    return stream_answer(_opening(), *_text(say), *calls, *end)


def object_arguments(say: Say, prefix: str) -> Answer:
    """Ollama's own: arguments that are an object, not a string."""
    calls = [
        chunk({"tool_calls": [{"function": {"name": call.name, "arguments": call.arguments}}]})
        for call in say.calls
    ]
    return stream_answer(_opening(), *_text(say), *calls, *_end(say))


def no_index(say: Say, prefix: str) -> Answer:
    calls = [
        _calls_chunk(_fragment(None, call.text, f"{prefix}{index}", call.name))
        for index, call in enumerate(say.calls)
    ]
    return stream_answer(_opening(), *_text(say), *calls, *_end(say))


def index_zero(say: Say, prefix: str) -> Answer:
    """Several whole calls, all of index 0."""
    calls = [
        _calls_chunk(_fragment(0, call.text, f"{prefix}{index}", call.name))
        for index, call in enumerate(say.calls)
    ]
    return stream_answer(_opening(), *_text(say), *calls, *_end(say))


def empty_ids(say: Say, prefix: str) -> Answer:
    """Old vLLM (vllm#18412)."""
    calls = []
    for index, call in enumerate(say.calls):
        calls.append(_calls_chunk(_fragment(index, "", "", call.name)))
        calls += [_calls_chunk(_fragment(index, piece, "")) for piece in pieces(call.text)]
    return stream_answer(_opening(), *_text(say), *calls, *_end(say))


def same_ids(say: Say, prefix: str) -> Answer:
    """Ids that count from zero in every answer."""
    return usual(say, "call_")


def repeated_ids(say: Say, prefix: str) -> Answer:
    """llama-cpp-python: id and name on every piece, and the legacy field beside them."""
    calls = []
    for index, call in enumerate(say.calls):
        for piece in pieces(call.text):
            fragment = _fragment(index, piece, f"{prefix}{index}", call.name)
            legacy = {"name": call.name, "arguments": piece} if len(say.calls) == 1 else None
            calls.append(chunk({"role": None, "function_call": legacy, "tool_calls": [fragment]}))
    end = chunk({"role": None, "content": None, "function_call": None, "tool_calls": None}, "stop")
    return stream_answer(_opening(), *_text(say), *calls, end)


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
    return stream_answer(_opening(), *_text(say), *calls, *end)


def interleaved(say: Say, prefix: str) -> Answer:
    """Pieces of several calls, in turns."""
    heads = [
        _fragment(index, "", f"{prefix}{index}", call.name) for index, call in enumerate(say.calls)
    ]
    rows = [pieces(call.text, 3) for call in say.calls]
    longest = max(map(len, rows), default=0)
    turns = [
        _calls_chunk(_fragment(index, row[step]))
        for step in range(longest)
        for index, row in enumerate(rows)
        if step < len(row)
    ]
    calls = [_calls_chunk(head) for head in heads] + turns
    return stream_answer(_opening(), *_text(say), *calls, *_end(say))


def nulls(say: Say, prefix: str) -> Answer:
    """SGLang: every field is always there."""
    blank = {"role": None, "content": None, "reasoning_content": None, "tool_calls": None}

    def fill(given: Chunk) -> Chunk:
        if not given["choices"]:
            return given
        choice = given["choices"][0]
        more = {"logprobs": None, "matched_stop": None}
        return given | {"choices": [choice | more | {"delta": blank | choice["delta"]}]}

    return stream_answer(*map(fill, _whole(say, prefix)))


def no_usage(say: Say, prefix: str) -> Answer:
    return stream_answer(*_whole(say, prefix)[:-1])


def usage_everywhere(say: Say, prefix: str) -> Answer:
    """Usage on every chunk, as vLLM counts continuously, and as numbers that may be null."""
    counted = say.usage | {"prompt_tokens_details": None, "completion_tokens_details": None}
    return stream_answer(*(given | {"usage": counted} for given in _whole(say, prefix)[:-1]))


def no_done(say: Say, prefix: str) -> Answer:
    """transformers: the end is the end of the body."""
    return stream_answer(*_whole(say, prefix), done=False)


def comments(say: Say, prefix: str) -> Answer:
    """OpenRouter and llama.cpp: comments in between."""
    return stream_answer(*_between(b": PROCESSING\n\n", _whole(say, prefix)))


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
    return msgspec.structs.replace(answer, chunks=[_body(answer)])


def crumbs(say: Say, prefix: str) -> Answer:
    """Borders anywhere: within lines, and within characters."""
    answer = usual(say, prefix)
    body = _body(answer)
    return msgspec.structs.replace(answer, chunks=cut(body, *range(5, len(body), 5)))


def think_tags(say: Say, prefix: str) -> Answer:
    """No reasoning parser: the tags are in the content, cut anywhere."""
    thought = f"<think>{say.reasoning}</think>\n\n" if say.reasoning else ""
    tagged = msgspec.structs.replace(say, text=thought + say.text, reasoning="")
    return usual(tagged, prefix)


def reasoning_field(say: Say, prefix: str) -> Answer:
    """vLLM: the field is called `reasoning`."""
    chunks = [_opening(), *_text(say, "reasoning"), *_usual_calls(say, prefix), *_end(say)]
    return stream_answer(*chunks)


def all_at_once(say: Say, prefix: str) -> Answer:
    """vLLM with `--stream-interval`: one chunk holds all there is, and the finish with it."""
    fragments = [
        fragment
        for index, call in enumerate(say.calls)
        for fragment in (
            _fragment(index, call.text[:3], f"{prefix}{index}", call.name),
            _fragment(index, call.text[3:]),
        )
    ]
    delta: dict[str, Any] = {"role": "assistant", "content": say.text or None}
    delta["reasoning_content"] = say.reasoning or None
    if fragments:
        delta["tool_calls"] = fragments
    return stream_answer(chunk(delta, _finish(say), usage=say.usage))


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
    choice = {"index": 0, "message": message, "finish_reason": _finish(say)}
    body = {
        "id": prefix,
        "object": "chat.completion",
        "created": 1_790_000_000,
        "model": "scripted",
        "choices": [choice],
        "usage": say.usage,
    }
    return json_answer(200, body)


def _between(step: bytes, chunks: list[Chunk]) -> Iterator[bytes | Mapping[str, Any]]:
    for given in chunks:
        yield step
        yield given


def _body(answer: Answer) -> bytes:
    return b"".join(step for step in answer.chunks if isinstance(step, bytes))


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
