"""To decode all items in one pass gives what to read each by its type gives, errors and all."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from adapter.errors import InvalidRequestError
from adapter.translate.history import HISTORY
from adapter.translate.items import ReadInput, read_by_type, read_input

MESSAGE = {"type": "message", "role": "user", "content": "Hi"}
EASY = {"role": "user", "content": "Hi"}
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c", "output": "ok"}
SKIPPED = {"type": "web_search_call"}

_TYPES = st.sampled_from(
    [
        *HISTORY,
        *["message", "reasoning", "item_reference", "mcp_call", "compaction", "context_compaction"],
        *["input_text", "additional_tools", "compaction_trigger", "web_search_call", "a:b", "wish"],
    ]
)
_TEXTS = st.sampled_from(["", "Hi", "user", "assistant", "{}"])
_PARTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["input_text", "output_text", "refusal", "summary_text", "text"])},
    optional={"text": _TEXTS, "refusal": _TEXTS},
)
_JUNK = st.sampled_from([None, 7, [], {}, [{}], True])
_FIELDS = (
    *("type", "role", "id", "content", "call_id", "name", "arguments", "output", "summary"),
    *("namespace", "input", "action", "operation", "tools", "encrypted_content", "unheard_of"),
)


def value_of(field: str) -> st.SearchStrategy[Any]:
    usual = {
        "type": _TYPES,
        "role": st.sampled_from(["user", "assistant", "developer"]),
        "content": st.one_of(_TEXTS, st.lists(_PARTS, max_size=2)),
        "output": st.one_of(_TEXTS, st.lists(_PARTS, max_size=2)),
        "action": st.just({"command": ["ls"]}),
        "operation": st.just({"type": "delete_file"}),
        "tools": st.just([{"type": "function", "name": "f"}]),
    }.get(field, _TEXTS)
    return st.one_of(usual, usual, usual, _JUNK)


# Pairs, of which two may have one name.
_PAIRS = st.sampled_from(_FIELDS).flatmap(lambda name: st.tuples(st.just(name), value_of(name)))
_USUAL = st.sampled_from([MESSAGE, EASY, CALL, OUTPUT, SKIPPED]).map(lambda item: [*item.items()])


@st.composite
def items(draw: st.DrawFn) -> str:
    """Draw an item: a usual one with something before and behind it, or anything."""
    pairs = draw(st.one_of(_USUAL, st.lists(_PAIRS, max_size=3)))
    pairs = [*draw(st.lists(_PAIRS, max_size=1)), *pairs, *draw(st.lists(_PAIRS, max_size=1))]
    text = ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs)
    return f"{{{text}}}"


def each_by_type(raws: list[str]) -> ReadInput:
    read = ReadInput()
    for index, raw in enumerate(raws):
        read_by_type(Raw(raw.encode()), f"input[{index}]", read)
    return read


def outcome(read: Any, *args: Any) -> Any:
    try:
        return read(*args)
    except InvalidRequestError as error:
        return str(error), error.code, error.param


@given(st.lists(items(), max_size=4))
def test_one_pass_gives_what_each_by_its_type_gives(given_items: list[str]) -> None:
    raw = Raw(f"[{','.join(given_items)}]".encode())

    assert outcome(read_input, raw, "input") == outcome(each_by_type, given_items)


@pytest.mark.parametrize(
    "given_items",
    [
        pytest.param([MESSAGE, CALL, OUTPUT], id="types"),
        pytest.param([EASY, MESSAGE, {**EASY, "type": None}], id="easy messages"),
        pytest.param([EASY, CALL, OUTPUT, EASY], id="easy messages among others"),
        pytest.param([MESSAGE, {"type": "tool_search_call"}], id="one that is not shown"),
        pytest.param([MESSAGE, SKIPPED, EASY], id="one that is skipped"),
        pytest.param([MESSAGE, {**CALL, "role": 7}], id="a role that no role is"),
        pytest.param([EASY, {**OUTPUT, "id": 7}], id="an id that no id is"),
        pytest.param([MESSAGE, {**MESSAGE, "content": 7}], id="content that none is"),
    ],
)
def test_each_way_of_reading_is_tried(given_items: list[Any]) -> None:
    raws = [msgspec.json.encode(item).decode() for item in given_items]
    raw = Raw(msgspec.json.encode(given_items))

    assert outcome(read_input, raw, "input") == outcome(each_by_type, raws)
