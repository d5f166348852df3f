"""The input of a custom tool is found in whatever the model makes of the arguments."""

import pytest

from adapter.tools.unwrap import InputReader, unwrap_input

DEEP = '{"a":' * 100_000 + "1" + "}" * 100_000

# (name, arguments, input)
ARGUMENTS = [
    ("as it should be", '{"input": "a"}', "a"),
    ("with blanks", ' {\n "input" :\t"a" } ', "a"),
    ("with other fields", '{"input": "a", "x": 1}', "a"),
    ("behind another field", '{"x": 1, "input": "a"}', "a"),
    ("every escape", r'{"input": "\"\\\/\b\f\n\r\t\u00e9"}', '"\\/\b\f\n\r\té'),
    ("a surrogate pair", r'{"input": "\ud83d\ude00"}', "😀"),
    ("another field", '{"patch": "a"}', "a"),
    ("an input inside an input", '{"input": {"input": "a"}}', "a"),
    ("a command line", '{"command": ["apply_patch", "a"]}', "a"),
    ("a bare string", '"a"', "a"),
    ("plain text", "*** Begin Patch", "*** Begin Patch"),
    ("plain text in a fence", "```sh\nls\n```", "ls"),
    ("a fence in a string", '"```\\nls\\n```\\n"', "ls"),
    ("two fields of other names", '{"a": "x", "b": "y"}', '{"a": "x", "b": "y"}'),
    ("an array that is no command line", "[1, 2]", "[1, 2]"),
    ("an empty array", "[]", "[]"),
    ("a number", "7", "7"),
    ("null", '{"input": null}', '{"input": null}'),
    ("nothing", "", ""),
    ("cut short", '{"input": "Hel', "Hel"),
    ("cut inside an escape", '{"input": "Hel\\', "Hel"),
    ("cut inside a character", '{"input": "Hel\\u00', "Hel"),
    ("cut inside a pair", '{"input": "Hel\\ud83d\\u', "Hel"),
    ("cut behind the string", '{"input": "Hel"', "Hel"),
    ("cut before the string", '{"inp', '{"inp'),
    ("half a pair", r'{"input": "a\ud83dbcdefg"}', "a\ufffdbcdefg"),
    ("half a pair and another character", r'{"input": "a\ud83d\u0062"}', "a\ufffdb"),
    ("the second half alone", r'{"input": "a\ude00"}', "a\ufffd"),
    ("an escape that is none", r'{"input": "a\qb"}', "aqb"),
    ("a character that is none", r'{"input": "a\u-001b\u1_23"}', "a\ufffdb\ufffd"),
    ("line breaks that are not escaped", '{"input": "a\nb"}', "a\nb"),
    ("nested too deeply", DEEP, DEEP),
]
CASES = [pytest.param(*case, id=name) for name, *case in ARGUMENTS]


def read(*pieces: str) -> str:
    reader = InputReader()
    said = [reader.feed(piece) for piece in pieces]
    said.append(reader.rest("".join(pieces)))
    assert "".join(said) == reader.text
    return reader.text


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_the_input_is_found_in_whole_arguments(arguments: str, expected: str) -> None:
    assert unwrap_input(arguments) == expected


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_the_input_is_found_while_it_comes(arguments: str, expected: str) -> None:
    places = range(min(len(arguments), 40) + 1)
    found = {read(arguments[:at], arguments[at:]) for at in places}

    assert found == {expected}


@pytest.mark.parametrize(("arguments", "expected"), CASES)
def test_characters_may_come_one_by_one(arguments: str, expected: str) -> None:
    assert read(*arguments) == expected


def test_text_is_said_at_once_up_to_what_is_not_clear() -> None:
    reader = InputReader()

    assert [reader.feed(piece) for piece in ('{"input":"He', "l\\", "nlo", '"', "}")] == [
        "He",
        "l",
        "\nlo",
        "",
        "",
    ]
