"""Each way of asking for the tokens of a prompt: what is posted, and what the answer tells.

Source: see `adapter.translate.counting`.
"""

from typing import Any, get_args

import pytest
from msgspec import DecodeError
from msgspec.json import decode, encode

from adapter.dialects import DIALECTS
from adapter.dialects.base import TokenCounter
from adapter.translate.counting import WAYS
from adapter.types.chat import ChatMessage, ChatRequest

CHAT = ChatRequest(
    "m",
    (ChatMessage("user", "Hi"),),
    {
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 5,
        "tools": [{"type": "function"}],
        "chat_template_kwargs": {"enable_thinking": True},
        "reasoning_effort": "low",
    },
)
SAID: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
OF_THE_PROMPT = SAID | {
    "tools": [{"type": "function"}],
    "chat_template_kwargs": {"enable_thinking": True},
    "reasoning_effort": "low",
}
TOKENS = {"content": "<Hi>", "add_special": True, "parse_special": True, "model": "m"}


def ask(way: TokenCounter, *answers: Any, chat: ChatRequest = CHAT) -> tuple[list[Any], int | None]:
    """Return what is posted, and the count that comes of these answers."""
    asking = WAYS[way](chat)
    posted = []
    left = list(answers)
    try:
        question = next(asking)
        while True:
            posted.append((question.path, decode(question.body)))
            question = asking.send(encode(left.pop(0)))
    except StopIteration as stop:
        assert not left
        return posted, stop.value


@pytest.mark.parametrize(
    ("way", "answers", "posted", "count"),
    [
        pytest.param(
            "chat_input_tokens",
            [{"object": "response.input_tokens", "input_tokens": 7}],
            [("chat/completions/input_tokens", OF_THE_PROMPT)],
            7,
            id="llama.cpp",
        ),
        pytest.param(
            "apply_template",
            [{"prompt": "<Hi>"}, {"tokens": [1, 2, 3]}],
            [("/apply-template", OF_THE_PROMPT), ("/tokenize", TOKENS)],
            3,
            id="llama.cpp, older",
        ),
        pytest.param(
            "tokenize_messages",
            [{"count": 9, "max_model_len": 100, "tokens": [], "token_strs": None}],
            [
                (
                    "/tokenize",
                    SAID
                    | {
                        "tools": [{"type": "function"}],
                        "chat_template_kwargs": {
                            "reasoning_effort": "low",
                            "enable_thinking": True,
                        },
                    },
                )
            ],
            9,
            id="vLLM",
        ),
        pytest.param(
            "chat_tokenize",
            [{"tokenize_response": [{"id": 1}, {"id": 2}], "templated_text": "<Hi>"}],
            [("/chat_tokenize", OF_THE_PROMPT)],
            2,
            id="TGI",
        ),
    ],
)
def test_way_asks_and_reads(
    way: TokenCounter, answers: list[Any], posted: list[Any], count: int
) -> None:
    assert ask(way, *answers) == (posted, count)


@pytest.mark.parametrize("way", get_args(TokenCounter))
def test_answer_of_something_else_tells_nothing(way: TokenCounter) -> None:
    _, count = ask(way, {"ok": True})

    assert count is None


def test_prompt_without_tokens_tells_nothing() -> None:
    _, count = ask("apply_template", {"prompt": "<Hi>"}, {"ok": True})

    assert count is None


def test_answer_that_is_no_json_is_an_error() -> None:
    asking = WAYS["tokenize_messages"](CHAT)
    next(asking)

    with pytest.raises(DecodeError):
        asking.send(b"<html>")


def test_client_says_how_the_template_thinks() -> None:
    kwargs = {"enable_thinking": True, "budget": 3}
    chat = ChatRequest(
        "m", CHAT.messages, {"reasoning_effort": "none", "chat_template_kwargs": kwargs}
    )

    posted, _ = ask("tokenize_messages", {"count": 1}, chat=chat)

    assert posted[0][1]["chat_template_kwargs"] == {"reasoning_effort": "none", **kwargs}


def test_plain_request_says_nothing_of_templates() -> None:
    chat = ChatRequest("m", CHAT.messages, {})

    posted, _ = ask("tokenize_messages", {"count": 1}, chat=chat)

    assert posted == [("/tokenize", SAID)]


def test_picture_has_no_tokens_in_a_prompt_as_text() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}
    chat = ChatRequest("m", (ChatMessage("user", [picture]),), {})

    assert ask("apply_template", chat=chat) == ([], None)
    assert ask("chat_input_tokens", {"input_tokens": 300}, chat=chat)[1] == 300


def test_each_way_is_named_by_a_dialect() -> None:
    named = {way for dialect in DIALECTS.values() for way in dialect.token_counters}

    assert named == set(get_args(TokenCounter)) == WAYS.keys()
