"""`apply_patch` is a function with one operation on a file, whose diff is said."""

from typing import Any

import pytest

from tests.tools.calls import added, item, show

PATCH = {"type": "apply_patch"}


def patch(status: str = "completed", **operation: Any) -> dict[str, Any]:
    return {"type": "apply_patch_call", "operation": operation, "status": status}


# (name, arguments, item)
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    (
        "an update",
        '{"type": "update_file", "path": "a", "diff": "@@\\n-x\\n+y"}',
        patch(type="update_file", path="a", diff="@@\n-x\n+y"),
    ),
    (
        "a new file without content",
        '{"type": "create_file", "path": "a"}',
        patch(type="create_file", path="a", diff=""),
    ),
    (
        "a file less",
        '{"type": "delete_file", "path": "a", "diff": "x"}',
        patch(type="delete_file", path="a"),
    ),
    (
        "as the item has it",
        '{"operation": {"type": "create_file", "path": "a", "diff": "+x"}}',
        patch(type="create_file", path="a", diff="+x"),
    ),
    ("nothing", "{}", patch(type="update_file", path="", diff="")),
    ("no JSON", "*** Begin", patch(type="update_file", path="", diff="*** Begin")),
    (
        "an unknown operation",
        '{"type": "move_file"}',
        patch(type="update_file", path="", diff='{"type": "move_file"}'),
    ),
]


@pytest.mark.parametrize(
    ("arguments", "expected"), [pytest.param(*case, id=name) for name, *case in CALLS]
)
def test_a_call_has_an_operation(arguments: str, expected: dict[str, Any]) -> None:
    assert item(PATCH, arguments) == expected


def test_the_diff_is_said_when_it_is_whole() -> None:
    assert show(PATCH, '{"type": "create_file", "path": "a", "di', 'ff": "+x"}') == [
        ("apply_patch_call_operation_diff.delta", "+x"),
        ("apply_patch_call_operation_diff.done", "+x"),
    ]


def test_an_empty_diff_is_said_once() -> None:
    assert show(PATCH, "{}") == [("apply_patch_call_operation_diff.done", "")]


def test_of_a_file_less_nothing_is_said() -> None:
    assert show(PATCH, '{"type": "delete_file", "path": "a"}') == []


def test_a_call_that_was_cut_stays_in_progress() -> None:
    found = item(PATCH, '{"type": "create_file", "path": "a', finish_reason="length")

    assert found["status"] == "in_progress"


def test_a_call_is_announced_without_an_operation() -> None:
    assert added(PATCH) == patch("in_progress", type="update_file", path="", diff="")
