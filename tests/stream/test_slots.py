"""Fragments of calls find their call, whatever a server does with indexes and ids."""

import pytest

from adapter.stream.slots import CallSlots, is_object

# (index, id, name, arguments) and the call that the fragment belongs to
Fragment = tuple[int | None, str, str, str]
SEQUENCES: list[tuple[str, list[tuple[Fragment, int]]]] = [
    (
        "OpenAI: id and name once, then arguments",
        [((0, "a", "f", ""), 0), ((0, "", "", '{"x":'), 0), ((0, "", "", "1}"), 0)],
    ),
    (
        "two calls, one after the other",
        [((0, "a", "f", "{}"), 0), ((1, "b", "g", ""), 1), ((1, "", "", "{}"), 1)],
    ),
    (
        "two calls, interleaved",
        [((0, "a", "f", "{"), 0), ((1, "b", "g", "{"), 1), ((0, "", "", "}"), 0)],
    ),
    ("indexes from 1, with a gap", [((1, "a", "f", ""), 0), ((5, "b", "g", ""), 1)]),
    ("always index 0, new ids", [((0, "a", "f", "{}"), 0), ((0, "b", "f", "{}"), 1)]),
    (
        "always index 0, no ids: a name after a whole call",
        [((0, "", "f", '{"x":1}'), 0), ((0, "", "f", "{}"), 1)],
    ),
    (
        "no ids: a name repeated inside a call",
        [((0, "", "f", '{"x":'), 0), ((0, "", "f", "1}"), 0)],
    ),
    (
        "llama-cpp-python: id and name on every piece",
        [((0, "a", "f", '{"x":1'), 0), ((0, "a", "f", "}"), 0), ((0, "a", "f", " "), 0)],
    ),
    ("no index: new ids", [((None, "a", "f", ""), 0), ((None, "b", "g", ""), 1)]),
    ("no index: a known id", [((None, "a", "f", ""), 0), ((None, "a", "", "{}"), 0)]),
    (
        "no index: interleaved by id",
        [
            ((None, "a", "f", "{"), 0),
            ((None, "b", "g", "{"), 1),
            ((None, "a", "", "}"), 0),
            ((None, "b", "", "}"), 1),
        ],
    ),
    (
        "no index: arguments belong to the last call",
        [((None, "a", "f", ""), 0), ((None, "b", "g", ""), 1), ((None, "", "", "{}"), 1)],
    ),
    ("neither index nor id", [((None, "", "f", "{"), 0), ((None, "", "", "}"), 0)]),
    (
        "neither index nor id: a name after a whole call",
        [((None, "", "f", "{}"), 0), ((None, "", "g", "{}"), 1)],
    ),
    (
        "an id that comes late, with an index",
        [((0, "", "f", "{"), 0), ((0, "a", "", "}"), 0), ((0, "b", "g", ""), 1)],
    ),
    (
        "an id that comes late, without an index",
        [((None, "", "f", "{"), 0), ((None, "a", "", "}"), 0), ((None, "b", "g", ""), 1)],
    ),
    ("a name that comes late", [((0, "a", "", "{}"), 0), ((0, "", "f", ""), 0)]),
    ("one id for two indexes", [((0, "a", "f", "{}"), 0), ((1, "a", "f", "{}"), 1)]),
]


@pytest.mark.parametrize(
    "sequence", [pytest.param(sequence, id=name) for name, sequence in SEQUENCES]
)
def test_fragments_find_their_call(sequence: list[tuple[Fragment, int]]) -> None:
    slots = CallSlots()

    assert [slots.assign(*fragment) for fragment, _ in sequence] == [slot for _, slot in sequence]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("{}", True, id="empty"),
        pytest.param('{"a": [1, "}"]} \n', True, id="with blanks behind"),
        pytest.param("", False, id="nothing"),
        pytest.param('{"a": {}', False, id="not over"),
        pytest.param('{"a": "}', False, id="ends inside a string"),
        pytest.param("[1]", False, id="an array"),
        pytest.param("{} {}", False, id="two"),
        pytest.param('{"a":' * 100_000 + "1" + "}" * 100_000, False, id="too deep"),
    ],
)
def test_only_a_whole_object_is_one(text: str, expected: bool) -> None:
    assert is_object(text) is expected
