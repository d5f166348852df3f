"""What the model says, and the chunks that every way of streaming it is made of."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from tests.servers.answers import Answer, chunk

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


def text_chunks(say: Say, field: str = "reasoning_content") -> list[Chunk]:
    thoughts = [chunk({field: piece}) for piece in pieces(say.reasoning)]
    return [*thoughts, *(chunk({"content": piece}) for piece in pieces(say.text))]


def call_piece(index: int | None, arguments: str, id: str | None = None, name: str = "") -> Any:
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    fragment: dict[str, Any] = {} if index is None else {"index": index}
    if id is not None:
        fragment |= {"id": id, "type": "function"}
    return fragment | {"function": function}


def calls_chunk(*fragments: Any) -> Chunk:
    return chunk({"tool_calls": list(fragments)})


def usual_calls(say: Say, prefix: str) -> list[Chunk]:
    chunks = []
    for index, call in enumerate(say.calls):
        chunks.append(calls_chunk(call_piece(index, "", f"{prefix}{index}", call.name)))
        chunks += [calls_chunk(call_piece(index, piece)) for piece in pieces(call.text)]
    return chunks


def finish_reason(say: Say) -> str:
    return "tool_calls" if say.calls else "stop"


def ending(say: Say) -> list[Chunk]:
    return [chunk({}, finish_reason(say)), chunk(choices=[], usage=say.usage)]


def first_chunk() -> Chunk:
    return chunk({"role": "assistant", "content": ""})


def whole_stream(say: Say, prefix: str) -> list[Chunk]:
    return [first_chunk(), *text_chunks(say), *usual_calls(say, prefix), *ending(say)]


def between(step: bytes, chunks: list[Chunk]) -> Iterator[bytes | Mapping[str, Any]]:
    for given in chunks:
        yield step
        yield given


def body_of(answer: Answer) -> bytes:
    return b"".join(step for step in answer.chunks if isinstance(step, bytes))
