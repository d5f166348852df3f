"""How upstreams are asked for the number of tokens of a chat request: one row per way.

A way is a generator. It yields what to post, is sent the body of the answer, and returns the count,
or None if the answer does not tell it. Nothing here sends anything.

Source: vLLM 0.32.0 `serve/tokenize`, read; llama.cpp b11434, run 2026-11-20; TGI 3 `router/src`,
read. SGLang's `/v1/tokenize` takes no conversation, but a text that stands already in the template
(serving_tokenize.py, read 2026-11), which nobody but SGLang could make of it.
"""

from collections.abc import Callable, Generator, Mapping
from typing import Any

import msgspec

from adapter.dialects.base import TokenCounter
from adapter.types.chat import ChatRequest


class TokenQuestion(msgspec.Struct, frozen=True):
    """What to post.

    Attributes:
        path: under the base URL; one that begins with a slash stands beside the API's version.
        body: JSON.
    """

    path: str
    body: bytes


Way = Generator[TokenQuestion, bytes, int | None]


class _Count(msgspec.Struct, frozen=True):
    count: int | None = None
    input_tokens: int | None = None


class _Prompt(msgspec.Struct, frozen=True):
    prompt: str | None = None


class _Tokens(msgspec.Struct, frozen=True):
    tokens: list[msgspec.Raw] | None = None


class _ChatTokens(msgspec.Struct, frozen=True):
    tokenize_response: list[msgspec.Raw] | None = None


_encode = msgspec.json.Encoder().encode
_count = msgspec.json.Decoder(_Count)
_prompt = msgspec.json.Decoder(_Prompt)
_tokens = msgspec.json.Decoder(_Tokens)
_chat_tokens = msgspec.json.Decoder(_ChatTokens)

# Of the answer, not of the prompt.
_NOT_OF_THE_PROMPT = frozenset({"stream", "stream_options", "max_tokens", "max_completion_tokens"})
# What vLLM's `/tokenize` takes besides, under the names of chat completions.
_OF_VLLM = ("tools", "chat_template", "media_io_kwargs", "mm_processor_kwargs")


def _chat_input_tokens(chat: ChatRequest) -> Way:
    """Ask llama.cpp, which counts pictures and sound as well."""
    answer = yield TokenQuestion("chat/completions/input_tokens", _body(chat, chat.parameters))
    return _count.decode(answer).input_tokens


def _apply_template(chat: ChatRequest) -> Way:
    """Ask an older llama.cpp: for the prompt, and then for the tokens of that."""
    if any(isinstance(message.content, list) for message in chat.messages):
        return None  # what is no text has but a mark in the prompt
    answer = yield TokenQuestion("/apply-template", _body(chat, chat.parameters))
    prompt = _prompt.decode(answer).prompt
    if prompt is None:
        return None
    body = {"model": chat.model, "content": prompt, "add_special": True, "parse_special": True}
    tokens = _tokens.decode((yield TokenQuestion("/tokenize", _encode(body)))).tokens
    return None if tokens is None else len(tokens)


def _tokenize_messages(chat: ChatRequest) -> Way:
    """Ask vLLM, which renders effort in its template as it does for an answer."""
    given = chat.parameters
    fields = {name: given[name] for name in _OF_VLLM if name in given}
    template = dict(given.get("chat_template_kwargs") or {})
    if (effort := given.get("reasoning_effort")) is not None:
        template = {"reasoning_effort": effort, "enable_thinking": effort != "none", **template}
    if template:
        fields["chat_template_kwargs"] = template
    answer = yield TokenQuestion("/tokenize", _body(chat, fields))
    return _count.decode(answer).count


def _chat_tokenize(chat: ChatRequest) -> Way:
    answer = yield TokenQuestion("/chat_tokenize", _body(chat, chat.parameters))
    tokens = _chat_tokens.decode(answer).tokenize_response
    return None if tokens is None else len(tokens)


WAYS: dict[TokenCounter, Callable[[ChatRequest], Way]] = {
    "chat_input_tokens": _chat_input_tokens,
    "apply_template": _apply_template,
    "tokenize_messages": _tokenize_messages,
    "chat_tokenize": _chat_tokenize,
}


def _body(chat: ChatRequest, fields: Mapping[str, Any]) -> bytes:
    kept = {name: value for name, value in fields.items() if name not in _NOT_OF_THE_PROMPT}
    return ChatRequest(chat.model, chat.messages, kept).encode()
