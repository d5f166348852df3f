"""What models put around the input of a tool with a grammar is taken off, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.tools.unwrap import InputReader, unwrap_input
from adapter.tools.wrappings import is_wrapped, unwrap_text
from tests.tools.calls import item, show

TOOL = "apply_patch"
PATCH = "*** Begin Patch\n*** Delete File: a\n*** End Patch\n"
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: PATCH"}
PATCHING = {"type": "custom", "name": TOOL, "format": GRAMMAR}
WRITING = {"type": "custom", "name": TOOL}

# (name, the input that the model writes, what it means)
WRAPPED: list[tuple[str, str, str]] = [
    ("nothing around it", PATCH, PATCH),
    ("a fence", f"```patch\n{PATCH}```", PATCH.rstrip()),
    ("a fence with blanks around it", f"\n```\n{PATCH}\n```\n", PATCH),
    ("a heredoc", f"apply_patch <<'EOF'\n{PATCH}EOF", PATCH),
    ("a heredoc of another form", f'apply_patch<<-"END"\n{PATCH}END\n', PATCH),
    ("a heredoc in a shell", f"bash -lc \"apply_patch <<'EOF'\n{PATCH}EOF\"", PATCH),
    ("a heredoc in another shell", f"/bin/sh -c 'apply_patch <<EOF\n{PATCH}EOF'", PATCH),
    ("JSON once more", json.dumps({"input": PATCH}), PATCH),
    ("JSON of another field", json.dumps({"patch": PATCH}), PATCH),
    ("JSON in a fence", f"```json\n{json.dumps({'input': PATCH})}\n```", PATCH),
    ("a fence in JSON", json.dumps({"input": f"```\n{PATCH}\n```"}), PATCH),
]

# What only looks as if something were around it.
BARE = [
    "```",
    "``",
    "```\nno end",
    "apply_patch",
    "apply_patch <",
    "apply_patch <<EOF\nno end",
    "cat <<'EOF'\na\nEOF",
    "bash -lc 'ls'",
    "bash script.sh",
    "{ const a = 1; }",
    '{"a": 1, "b": 2}',
    '{"colour": "red"}',
    '{"input": 7}',
    '{"input": ["a"]}',
    '{"a":' * 2000,
    "",
    " \n",
    " " * 300 + "```\na\n```",
]


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in WRAPPED], ids=[row[0] for row in WRAPPED])  # fmt: skip
def test_what_is_around_an_input_is_taken_off(text: str, expected: str) -> None:
    assert unwrap_text(text, TOOL) == expected


@pytest.mark.parametrize("text", BARE, ids=lambda text: repr(text[:30]))
def test_what_only_looks_wrapped_is_left_as_it_is(text: str) -> None:
    assert unwrap_text(text, TOOL) == text


def test_layers_are_taken_off_up_to_a_limit() -> None:
    layers = [PATCH]
    for _ in range(5):
        layers.append(json.dumps({"input": layers[-1]}))

    assert unwrap_text(layers[5], TOOL) == layers[1]
    assert unwrap_text(layers[4], TOOL) == PATCH


@pytest.mark.parametrize(("text", "expected"), [row[1:] for row in WRAPPED], ids=[row[0] for row in WRAPPED])  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_what_is_around_an_input_is_taken_off_while_it_comes(
    text: str, expected: str, size: int
) -> None:
    arguments = json.dumps({"input": text})
    pieces = [arguments[at : at + size] for at in range(0, len(arguments), size)]

    assert item(PATCHING, *pieces)["input"] == expected


def test_an_input_with_nothing_around_it_is_said_as_it_comes() -> None:
    said = show(PATCHING, '{"input": "*', "** Begin", ' Patch"}')

    assert said == [
        ("custom_tool_call_input.delta", "*"),
        ("custom_tool_call_input.delta", "** Begin"),
        ("custom_tool_call_input.delta", " Patch"),
        ("custom_tool_call_input.done", "*** Begin Patch"),
    ]


def test_a_wrapped_input_is_said_when_it_is_whole() -> None:
    said = show(PATCHING, '{"input": "``', "`\\na\\n", '```"}')

    assert said == [
        ("custom_tool_call_input.delta", "a"),
        ("custom_tool_call_input.done", "a"),
    ]


@pytest.mark.parametrize(("text", "_expected"), [row[1:] for row in WRAPPED], ids=[row[0] for row in WRAPPED])  # fmt: skip
def test_a_tool_without_a_grammar_gets_its_input_as_it_is(text: str, _expected: str) -> None:
    assert item(WRITING, json.dumps({"input": text}))["input"] == text


# (name, arguments, input)
ARGUMENTS: list[tuple[str, Any, str]] = [
    ("a command with a heredoc", {"cmd": f"apply_patch <<'EOF'\n{PATCH}EOF"}, PATCH),
    ("a command line with a heredoc", {"command": ["bash", "-lc", f"apply_patch <<'EOF'\n{PATCH}EOF"]}, PATCH),
    ("a command line with the text", {"command": ["apply_patch", PATCH]}, PATCH),
    ("lines", {"input": PATCH.splitlines()}, PATCH.rstrip()),
    ("one line", ["*** Begin Patch"], "*** Begin Patch"),
    ("an input inside an input", {"input": {"patch": PATCH}}, PATCH),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), [row[1:] for row in ARGUMENTS], ids=[row[0] for row in ARGUMENTS])  # fmt: skip
def test_the_input_is_found_in_arguments_of_other_forms(arguments: Any, expected: str) -> None:
    assert unwrap_input(json.dumps(arguments), TOOL) == expected


PIECES = st.sampled_from(
    ["```", "\n", "a", "apply_patch", " <<", "EOF", "'", '"', "{", "}", '{"input":"', "bash -c ", "\\", " "]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=12).map("".join)


@given(TEXTS, st.lists(st.integers(0, 80), max_size=5), st.booleans())
def test_how_the_arguments_are_cut_changes_nothing(
    text: str, places: list[int], is_wrapped_in_json: bool
) -> None:
    arguments = json.dumps({"input": text}) if is_wrapped_in_json else text
    borders = sorted(min(place, len(arguments)) for place in places)
    reader = InputReader(TOOL)
    said = [
        reader.feed(arguments[start:end])
        for start, end in zip([0, *borders], [*borders, len(arguments)], strict=True)
    ]
    said.append(reader.rest(arguments))

    assert "".join(said) == reader.text == unwrap_input(arguments, TOOL)


@given(TEXTS, st.integers(0, 80))
def test_what_is_told_from_a_beginning_holds_for_the_whole(text: str, at: int) -> None:
    told = is_wrapped(text[:at], TOOL)

    assert told is None or is_wrapped(text, TOOL) is told


@given(TEXTS)
def test_text_that_begins_like_no_wrapping_is_left_as_it_is(text: str) -> None:
    plain = f"*** {text}"

    assert unwrap_input(json.dumps({"input": plain}), TOOL) == plain
