"""`<think>` tags divide content into reasoning and answer, wherever they are cut."""

import pytest

from adapter.dialects.base import ThinkTags
from adapter.stream.think_tags import ThinkTagSplitter

# (name, mode, the content, its reasoning, its answer)
CONTENTS: list[tuple[str, ThinkTags, str, str, str]] = [
    ("no tag", "start", "Hello", "", "Hello"),
    ("nothing", "start", "", "", ""),
    ("a thought", "start", "<think>Hm.</think>Hello", "Hm.", "Hello"),
    ("a thought behind blanks", "start", " \n<think>Hm.</think>Hello", "Hm.", "Hello"),
    ("blanks around both", "start", "<think>\nHm.\n</think>\n\nHello", "\nHm.\n", "\n\nHello"),
    ("an empty thought", "start", "<think></think>Hello", "", "Hello"),
    ("a thought that never ends", "start", "<think>Hm.", "Hm.", ""),
    ("half a closing tag", "start", "<think>Hm.</thin", "Hm.</thin", ""),
    ("half an opening tag", "start", "<thin", "", "<thin"),
    ("only blanks", "start", " \n ", "", " \n "),
    ("only a tag", "start", "<think>", "", ""),
    ("an opening that is no tag", "start", "<thing>", "", "<thing>"),
    ("a closing that is no tag", "start", "<think>a</thing></think>b", "a</thing>", "b"),
    ("a tag in the middle counts not", "start", "a<think>b</think>", "", "a<think>b</think>"),
    ("a second thought counts not", "start", "<think>a</think>b<think>c", "a", "b<think>c"),
    ("a closing tag alone", "start", "a</think>b", "", "a</think>b"),
    ("tags in tags", "start", "<think><think>a</think>b</think>c", "<think>a", "b</think>c"),
    ("no tag", "anywhere", "Hello", "", "Hello"),
    ("a tag in the middle", "anywhere", "a<think>b</think>c", "b", "ac"),
    ("several thoughts", "anywhere", "<think>a</think>b<think>c</think>d", "ac", "bd"),
    ("half an opening tag", "anywhere", "a<thi", "", "a<thi"),
    ("an angle bracket", "anywhere", "a < b <<think>c", "c", "a < b <"),
    ("a thought that never ends", "anywhere", "a<think>b", "b", "a"),
    ("inside from the start", "opened", "Hm.</think>Hello", "Hm.", "Hello"),
    ("opened twice", "opened", "\n<think>Hm.</think>Hello", "Hm.", "Hello"),
    ("opened twice, in half", "opened", "<thi", "<thi", ""),
    ("blanks before the thought", "opened", "\nHm.</think>a", "\nHm.", "a"),
    ("never closed", "opened", "Hm.", "Hm.", ""),
    ("nothing", "opened", "", "", ""),
    ("a later tag counts not", "opened", "a</think>b<think>c</think>", "a", "b<think>c</think>"),
    ("tags", "off", "<think>Hm.</think>Hello", "", "<think>Hm.</think>Hello"),
]
CASES = [
    pytest.param(mode, given, (reasoning, answer), id=f"{mode}: {name}")
    for name, mode, given, reasoning, answer in CONTENTS
]


def split(mode: ThinkTags, *texts: str) -> tuple[str, str]:
    splitter = ThinkTagSplitter(mode)
    pieces = [piece for text in texts for piece in splitter.split(text)] + splitter.end()
    reasoning = "".join(text for is_reasoning, text in pieces if is_reasoning)
    answer = "".join(text for is_reasoning, text in pieces if not is_reasoning)
    return reasoning, answer


@pytest.mark.parametrize(("mode", "given", "expected"), CASES)
def test_content_is_divided(mode: ThinkTags, given: str, expected: tuple[str, str]) -> None:
    assert split(mode, given) == expected


@pytest.mark.parametrize(("mode", "given", "expected"), CASES)
def test_characters_may_come_one_by_one(
    mode: ThinkTags, given: str, expected: tuple[str, str]
) -> None:
    assert split(mode, *given) == expected


@pytest.mark.parametrize(("mode", "given", "expected"), CASES)
def test_a_cut_anywhere_changes_nothing(
    mode: ThinkTags, given: str, expected: tuple[str, str]
) -> None:
    found = {split(mode, given[:at], given[at:]) for at in range(len(given) + 1)}

    assert found == {expected}


@pytest.mark.parametrize(("mode", "given", "expected"), CASES)
def test_no_piece_is_empty(mode: ThinkTags, given: str, expected: tuple[str, str]) -> None:
    splitter = ThinkTagSplitter(mode)
    pieces = [piece for text in given for piece in splitter.split(text)] + splitter.end()

    assert [text for _, text in pieces if not text] == []


def test_pieces_come_in_the_order_of_the_text() -> None:
    splitter = ThinkTagSplitter("anywhere")

    pieces = splitter.split("a<think>b</think>c<think>d")

    assert pieces == [(False, "a"), (True, "b"), (False, "c"), (True, "d")]


def test_only_what_may_be_a_tag_is_held_back() -> None:
    splitter = ThinkTagSplitter("anywhere")

    assert splitter.split("ab<th") == [(False, "ab")]
    assert splitter.split("e") == [(False, "<the")]


@pytest.mark.parametrize(
    ("mode", "given"),
    [
        pytest.param("off", "", id="off"),
        pytest.param("start", "a", id="the start is over"),
        pytest.param("start", "<think>a</think>", id="the thought is over"),
        pytest.param("opened", "a</think>", id="the opened thought is over"),
    ],
)
def test_the_splitter_says_when_no_tag_can_follow(mode: ThinkTags, given: str) -> None:
    splitter = ThinkTagSplitter(mode)
    splitter.split(given)

    assert splitter.passes


@pytest.mark.parametrize(
    ("mode", "given"),
    [
        pytest.param("start", " <thi", id="it may still begin"),
        pytest.param("start", "<think>a", id="it may still end"),
        pytest.param("anywhere", "<think>a</think>b", id="another may follow"),
    ],
)
def test_the_splitter_says_when_a_tag_may_follow(mode: ThinkTags, given: str) -> None:
    splitter = ThinkTagSplitter(mode)
    splitter.split(given)

    assert not splitter.passes
