"""Roles come in an order that the upstream's template accepts."""

from typing import Any

import msgspec
import pytest

from adapter.dialects import Dialect
from tests.translate.requests import PLAIN, call, chat_call, messages, output


def dialect(**facts: Any) -> Dialect:
    return msgspec.structs.replace(PLAIN, **facts)


def said(role: str, content: Any, **fields: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **fields}


IMAGE = {"type": "input_image", "image_url": "https://example.org/a.png"}
CHAT_IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
MERGING = dialect(merge_same_role=True)

# (name, dialect, input, messages)
CASES: list[tuple[str, Dialect, list[Any], list[Any]]] = [
    (
        "system messages at the beginning are one",
        PLAIN,
        [said("system", "a"), said("developer", "b"), said("user", "c")],
        [said("system", "a\n\nb"), said("user", "c")],
    ),
    (
        "empty ones leave no gap",
        PLAIN,
        [said("system", "a"), said("system", ""), said("system", "b"), said("user", "c")],
        [said("system", "a\n\nb"), said("user", "c")],
    ),
    (
        "instructions have the role of the dialect",
        dialect(system_role="developer"),
        [said("system", "a"), said("user", "b")],
        [said("developer", "a"), said("user", "b")],
    ),
    (
        "a later system message stays",
        PLAIN,
        [said("user", "a"), said("system", "b")],
        [said("user", "a"), said("system", "b")],
    ),
    (
        "a later system message is a user's, in tags",
        dialect(late_system="user"),
        [said("user", "a"), said("developer", "b"), said("assistant", "c")],
        [said("user", "a"), said("user", "<system>\nb\n</system>"), said("assistant", "c")],
    ),
    (
        "users take turns with the model",
        MERGING,
        [said("user", "a"), said("user", "b"), said("assistant", "c"), said("user", "d")],
        [said("user", "a\n\nb"), said("assistant", "c"), said("user", "d")],
    ),
    (
        "a user's parts are merged with a user's text",
        MERGING,
        [said("user", "a"), said("user", [IMAGE]), said("user", "b")],
        [said("user", [{"type": "text", "text": "a"}, CHAT_IMAGE, {"type": "text", "text": "b"}])],
    ),
    (
        "a later system message is merged with the user's",
        dialect(merge_same_role=True, late_system="user"),
        [said("user", "a"), said("system", "b")],
        [said("user", "a\n\n<system>\nb\n</system>")],
    ),
    (
        "the model's answers are merged",
        MERGING,
        [said("assistant", "a"), said("assistant", "b")],
        [said("assistant", "a\n\nb")],
    ),
    (
        "an answer is merged with the calls behind it",
        MERGING,
        [said("assistant", "a"), said("user", "b"), call("c"), output("c"), said("assistant", "d")],
        [
            said("assistant", "a"),
            said("user", "b"),
            said("assistant", "", tool_calls=[chat_call("c")]),
            said("tool", "ok", tool_call_id="c"),
            said("assistant", "d"),
        ],
    ),
    (
        "an answer that was thought about is not merged with the one before it",
        MERGING,
        [
            said("assistant", "a"),
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            said("assistant", "b"),
        ],
        [said("assistant", "a"), said("assistant", "b", reasoning_content="Hm.")],
    ),
    (
        "a refusal is what was said, where there is no field for it",
        dialect(refusal_field=False),
        [
            said(
                "assistant",
                [{"type": "output_text", "text": "a"}, {"type": "refusal", "refusal": "No."}],
            )
        ],
        [said("assistant", "aNo.")],
    ),
    (
        "a refusal stands behind a thought that is a part",
        dialect(refusal_field=False, reasoning_field="parts"),
        [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
            said("assistant", [{"type": "refusal", "refusal": "No."}]),
        ],
        [
            said(
                "assistant",
                [
                    {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
                    {"type": "text", "text": "No."},
                ],
            )
        ],
    ),
]


@pytest.mark.parametrize(
    ("dialect", "given", "expected"), [pytest.param(*case, id=name) for name, *case in CASES]
)
def test_roles_are_arranged(dialect: Dialect, given: list[Any], expected: list[Any]) -> None:
    assert messages(given, dialect) == expected


@pytest.mark.parametrize("count", [1_000, 100_000])
def test_merging_takes_time_in_proportion(count: int) -> None:
    """The time limit of all tests is the claim: merged one by one, these took an hour."""
    found = messages([said("user", "x" * 100)] * count, MERGING)

    assert len(found[0]["content"]) == 100 * count + 2 * (count - 1)
