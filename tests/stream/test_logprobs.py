"""A piece of text gets the log probabilities of the tokens that spell it."""

import pytest

from adapter.stream.logprobs import LogprobQueue
from adapter.types.chat import ChunkLogprob, ChunkTopLogprob
from adapter.types.items import Logprob, TopLogprob


def entry(token: str, *given: int) -> ChunkLogprob:
    return ChunkLogprob(token, -0.5, list(given or token.encode()))


# (name, tokens that came, text that is shown, tokens that it gets, tokens that it would get next)
RUNS = [
    ("one token", [entry("a")], "a", ["a"], []),
    ("several tokens", [entry("Hel"), entry("lo")], "Hello", ["Hel", "lo"], []),
    ("the ones before it are forgotten", [entry("</think>"), entry("a")], "a", ["a"], []),
    ("the ones behind it wait", [entry("a"), entry("b")], "a", ["a"], ["b"]),
    ("no tokens", [], "a", [], []),
    ("the first of equal runs", [entry("a"), entry("a")], "a", ["a"], ["a"]),
    (
        "a run begins and ends with a token",
        [entry("xa"), entry("ab"), entry("a")],
        "a",
        ["a"],
        [],
    ),
    ("half characters", [entry("�", 0xC3), entry("�", 0xA9)], "é", ["�", "�"], []),
    (
        "vLLM: a token without bytes for half a character",
        [ChunkLogprob("", -0.5, []), entry("é")],
        "é",
        ["é"],
        [],
    ),
    (
        "a token without bytes behind the text waits",
        [entry("a"), ChunkLogprob("", -0.5, []), entry("b")],
        "a",
        ["a"],
        ["", "b"],
    ),
    ("tokens that are spelled otherwise", [entry("▁a"), entry("b")], " ab", ["▁a", "b"], []),
]


@pytest.mark.parametrize(
    ("tokens", "text", "expected"),
    [pytest.param(tokens, text, taken, id=name) for name, tokens, text, taken, _ in RUNS],
)
def test_text_takes_the_tokens_that_spell_it(
    tokens: list[ChunkLogprob], text: str, expected: list[str]
) -> None:
    queue = LogprobQueue()
    queue.add(tokens)

    assert [each.token for each in queue.take(text)] == expected


@pytest.mark.parametrize(
    ("tokens", "text", "expected"),
    [pytest.param(tokens, text, rest, id=name) for name, tokens, text, _, rest in RUNS],
)
def test_tokens_behind_the_text_wait(
    tokens: list[ChunkLogprob], text: str, expected: list[str]
) -> None:
    queue = LogprobQueue()
    queue.add(tokens)
    queue.take(text)

    assert [each.token for each in queue.take("never spelled")] == expected


def test_an_entry_is_whole_when_the_server_sends_everything() -> None:
    queue = LogprobQueue()
    queue.add([ChunkLogprob("a", -0.5, [97], [ChunkTopLogprob("b", -1.5, [98])])])

    assert queue.take("a") == (Logprob("a", -0.5, (97,), (TopLogprob("b", -1.5, (98,)),)),)


def test_an_entry_is_whole_when_the_server_leaves_everything_out() -> None:
    queue = LogprobQueue()
    queue.add([ChunkLogprob(top_logprobs=[ChunkTopLogprob("é")])])

    assert queue.take("a") == (Logprob("", 0.0, (), (TopLogprob("é", 0.0, (0xC3, 0xA9)),)),)


def test_bytes_are_bytes_whatever_the_server_sends() -> None:
    queue = LogprobQueue()
    queue.add([ChunkLogprob("a", -0.5, [-1, 256, 97])])

    assert queue.take("a") == (Logprob("a", -0.5, (255, 0, 97)),)


def test_what_waits_can_be_forgotten() -> None:
    queue = LogprobQueue()
    queue.add([entry("a")])
    queue.forget()

    assert queue.take("a") == ()
