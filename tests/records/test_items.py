"""Items as they are kept, and as they are shown."""

import json
from itertools import count
from typing import Any

import msgspec
import pytest

from adapter.errors import InvalidRequestError, NotFoundError
from adapter.records.items import (
    join_items,
    own_items,
    read_items,
    references,
    resolve,
    to_stored,
)
from adapter.records.shown import show, to_list
from adapter.store.base import StoredItem
from adapter.translate.decode import decode_request
from adapter.translate.history import HISTORY
from adapter.translate.items import SKIPPED_ITEMS


def stored(given: Any, taken: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    numbers = count(1)
    items = read_items(json.dumps(given).encode())
    kept = to_stored(items, lambda prefix: f"{prefix}_{next(numbers)}", taken)
    shown = [json.loads(item.data) for item in kept]
    assert [item.id for item in kept] == [item["id"] for item in shown]
    return shown


MESSAGE = {"type": "message", "id": "msg_1", "role": "user", "content": "Hi"}
MCP = {"type": "mcp", "server_label": "a", "headers": {"x": "y"}, "authorization": "k"}
SAFE = {"type": "mcp", "server_label": "a"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("Hi", [MESSAGE], id="text"),
        pytest.param("", [], id="no-text"),
        pytest.param(None, [], id="null"),
        pytest.param([], [], id="nothing"),
        pytest.param({"role": "user", "content": "Hi"}, [MESSAGE], id="one-item"),
        pytest.param([{"role": "user", "content": "Hi"}], [MESSAGE], id="easy-message"),
        pytest.param([MESSAGE | {"id": None}], [MESSAGE], id="null-id"),
        pytest.param([MESSAGE | {"id": ""}], [MESSAGE], id="empty-id"),
        pytest.param([MESSAGE | {"id": "own"}], [MESSAGE | {"id": "own"}], id="own-id"),
        pytest.param([MESSAGE | {"x": [1]}], [MESSAGE | {"x": [1]}], id="unknown-keys"),
        pytest.param(
            [MESSAGE | {"id": "a"}] * 2, [MESSAGE | {"id": "a"}, MESSAGE], id="id-given-twice"
        ),
        pytest.param(
            [{"type": "input_text", "text": "Hi"}],
            [MESSAGE | {"content": [{"type": "input_text", "text": "Hi"}]}],
            id="bare-part",
        ),
        pytest.param(
            [{"type": "vendor:thing", "a": 1}],
            [{"type": "vendor:thing", "id": "item_1", "a": 1}],
            id="vendor",
        ),
        pytest.param([MESSAGE, {"type": "compaction_trigger"}], [MESSAGE], id="trigger"),
        pytest.param(
            [{"type": "additional_tools", "id": "at_1", "tools": [MCP, {**SAFE, "tools": [MCP]}]}],
            [
                {
                    "type": "additional_tools",
                    "id": "at_1",
                    "tools": [SAFE, {**SAFE, "tools": [SAFE]}],
                }
            ],
            id="secrets",
        ),
        pytest.param(
            [{"type": "additional_tools", "id": "at_1", "tools": ["odd"]}],
            [{"type": "additional_tools", "id": "at_1", "tools": ["odd"]}],
            id="odd-tools",
        ),
        pytest.param(
            [{"type": "tool_search_output", "id": "tso_1", "tools": None}],
            [{"type": "tool_search_output", "id": "tso_1", "tools": None}],
            id="no-tools",
        ),
    ],
)
def test_item_is_kept_with_type_and_id(given: Any, expected: Any) -> None:
    assert stored(given) == expected


def test_id_that_is_taken_is_given_anew() -> None:
    (item,) = stored([MESSAGE | {"id": "a"}], taken=("a",))

    assert item == MESSAGE


def test_item_that_needs_nothing_is_kept_byte_for_byte() -> None:
    raw = b'{ "id":"msg_a",  "type":"message", "role":"user","content":"\\u00fc" }'

    (item,) = to_stored(read_items(b"[" + raw + b"]"), str)

    assert item.data == raw


@pytest.mark.parametrize("kind", sorted(HISTORY.keys() | SKIPPED_ITEMS))
def test_every_kind_of_item_can_be_kept_and_shown(kind: str) -> None:
    (kept,) = stored([{"type": kind}])

    shown = show(StoredItem(kept["id"], json.dumps(kept).encode()))
    assert json.loads(bytes(shown["id"])).endswith("_1")


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (5, "input"),
        ([5], "input[0]"),
        ([{"id": 5, "role": "user"}], "input[0].id"),
        ([MESSAGE, {}], "input[1].type"),
        ([{"type": "item_reference"}], "input[0].id"),
        ([{"type": "additional_tools", "tools": 5}], "input[0]"),
    ],
)
def test_what_is_no_item_is_refused(given: Any, param: str) -> None:
    with pytest.raises(InvalidRequestError) as raised:
        stored(given)

    assert raised.value.param == param


def test_references_are_replaced_by_what_they_refer_to() -> None:
    given = [{"id": "a"}, MESSAGE, {"type": "item_reference", "id": "b"}]
    items = read_items(json.dumps(given).encode())
    found = {id: json.dumps(MESSAGE | {"id": id}).encode() for id in "ab"}

    resolved = resolve(items, found)

    assert references(items) == ["a", "b"]
    assert references(resolved) == []
    assert json.loads(bytes(join_items(resolved))) == [
        MESSAGE | {"id": "a"},
        MESSAGE,
        MESSAGE | {"id": "b"},
    ]


def test_reference_to_nothing_is_a_404() -> None:
    items = read_items(b'[{"id": "a"}]')

    with pytest.raises(NotFoundError, match="Item with id 'a' not found") as raised:
        resolve(items, {})

    assert raised.value.param == "input[0].id"


def test_other_name_of_the_input_counts_too() -> None:
    request = decode_request(b'{"model": "m", "input_items": [{"role": "user", "content": "Hi"}]}')

    assert [item.kind for item in own_items(request)] == ["message"]


# Shown

TEXT = {"type": "input_text", "text": "Hi"}


@pytest.mark.parametrize(
    ("kept", "changes"),
    [
        pytest.param(MESSAGE, {"content": [TEXT], "status": "completed"}, id="text"),
        pytest.param(
            MESSAGE | {"role": "assistant"},
            {
                "content": [
                    {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
                ],
                "status": "completed",
            },
            id="assistant",
        ),
        pytest.param(
            MESSAGE | {"content": [{"type": "input_image", "image_url": "u", "detail": None}]},
            {
                "content": [{"type": "input_image", "image_url": "u", "detail": "auto"}],
                "status": "completed",
            },
            id="image",
        ),
        pytest.param(
            MESSAGE | {"content": None, "status": "incomplete"}, {"content": []}, id="empty"
        ),
        pytest.param(
            {"type": "reasoning", "id": "rs_1"}, {"summary": []}, id="reasoning-without-summary"
        ),
        pytest.param({"type": "mcp_call", "id": "mcp_1"}, {}, id="no-status"),
        pytest.param(
            {"type": "function_call_output", "id": "fco_1", "status": None},
            {"status": "completed"},
            id="null-status",
        ),
    ],
)
def test_item_is_shown_with_what_the_sdk_requires(kept: Any, changes: Any) -> None:
    shown = to_list([StoredItem(kept["id"], json.dumps(kept).encode())])

    assert json.loads(msgspec.json.encode(shown)) == {
        "object": "list",
        "data": [kept | changes],
        "first_id": kept["id"],
        "last_id": kept["id"],
        "has_more": False,
    }
