"""Content parts become chat parts, or are refused by their path."""

from typing import Any

import pytest

from adapter.dialects import Dialect
from tests.translate.requests import PLAIN, messages, refusal

TEXT_ONLY = Dialect(name="text only", source="a test", parts=frozenset())
URL = "https://example.org/a.png"

# (name, part, chat part)
PARTS: list[tuple[str, Any, Any]] = [
    (
        "an image",
        {"type": "input_image", "image_url": URL},
        {"type": "image_url", "image_url": {"url": URL}},
    ),
    (
        "an image as data",
        {"type": "input_image", "image_url": "data:image/png;base64,AA==", "file_id": None},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
    ),
    (
        "an image with a detail",
        {"type": "input_image", "image_url": URL, "detail": "low"},
        {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
    ),
    (
        "a detail that chat completions do not know",
        {"type": "input_image", "image_url": URL, "detail": "original"},
        {"type": "image_url", "image_url": {"url": URL, "detail": "high"}},
    ),
    (
        "an image that is half chat-style",
        {"type": "input_image", "image_url": {"url": URL, "detail": "low"}, "detail": "high"},
        {"type": "image_url", "image_url": {"url": URL, "detail": "low"}},
    ),
    (
        "an image that is half chat-style, with the detail outside",
        {"type": "input_image", "image_url": {"url": URL}, "detail": "high"},
        {"type": "image_url", "image_url": {"url": URL, "detail": "high"}},
    ),
    (
        "a chat-style image",
        {"type": "image_url", "image_url": {"url": URL, "detail": "auto"}},
        {"type": "image_url", "image_url": {"url": URL, "detail": "auto"}},
    ),
    (
        "a chat-style image that is only a URL",
        {"type": "image_url", "image_url": URL},
        {"type": "image_url", "image_url": {"url": URL}},
    ),
    (
        "a file",
        {
            "type": "input_file",
            "file_data": "data:application/pdf;base64,AA==",
            "filename": "a.pdf",
        },
        {
            "type": "file",
            "file": {"file_data": "data:application/pdf;base64,AA==", "filename": "a.pdf"},
        },
    ),
    (
        "a file without a name",
        {"type": "input_file", "file_data": "AA=="},
        {"type": "file", "file": {"file_data": "AA=="}},
    ),
    (
        "a chat-style file",
        {"type": "file", "file": {"file_data": "AA==", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "AA==", "filename": "a.pdf"}},
    ),
    (
        "a file that is half chat-style",
        {"type": "input_file", "file": {"file_data": "AA==", "filename": "a.pdf"}},
        {"type": "file", "file": {"file_data": "AA==", "filename": "a.pdf"}},
    ),
    (
        "audio",
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}},
    ),
    (
        "a video",
        {"type": "input_video", "video_url": "https://example.org/a.mp4"},
        {"type": "video_url", "video_url": {"url": "https://example.org/a.mp4"}},
    ),
]


@pytest.mark.parametrize(
    ("given", "expected"), [pytest.param(*case, id=name) for name, *case in PARTS]
)
def test_a_part_becomes_a_chat_part(given: Any, expected: Any) -> None:
    text = {"type": "input_text", "text": "See:"}

    assert messages([{"role": "user", "content": [text, given]}]) == [
        {"role": "user", "content": [{"type": "text", "text": "See:"}, expected]}
    ]


@pytest.mark.parametrize(
    "part_type", ["input_text", "output_text", "text", "summary_text", "reasoning_text"]
)
def test_a_text_of_any_type_is_text(part_type: str) -> None:
    content = [{"type": part_type, "text": "Hi", "annotations": [], "unheard_of": 1}]

    assert messages([{"role": "user", "content": content}]) == [{"role": "user", "content": "Hi"}]


def test_a_refusal_of_the_user_is_left_out() -> None:
    """Only the model refuses; the part is an assistant's."""
    content = [{"type": "input_text", "text": "Hi"}, {"type": "refusal", "refusal": "No."}]

    assert messages([{"role": "user", "content": content}]) == [{"role": "user", "content": "Hi"}]


# (name, part, code, param)
REFUSED: list[tuple[str, Any, str, str]] = [
    (
        "an image by the id of a file",
        {"type": "input_image", "file_id": "file_1"},
        "unsupported_value",
        ".file_id",
    ),
    ("an image without a URL", {"type": "input_image"}, "missing_required_parameter", ".image_url"),
    (
        "an image of another scheme",
        {"type": "input_image", "image_url": "file:///etc/passwd"},
        "unsupported_value",
        ".image_url",
    ),
    (
        "a chat-style image of another scheme",
        {"type": "image_url", "image_url": {"url": "AA=="}},
        "unsupported_value",
        ".image_url",
    ),
    ("a detail that is none", {"type": "input_image", "detail": "x"}, "invalid_value", ".detail"),
    (
        "a file by its URL",
        {"type": "input_file", "file_url": "https://example.org/a.pdf"},
        "unsupported_value",
        ".file_url",
    ),
    (
        "a file by its id",
        {"type": "input_file", "file_id": "file_1"},
        "unsupported_value",
        ".file_id",
    ),
    (
        "a chat-style file by its id",
        {"type": "file", "file": {"file_id": "file_1"}},
        "unsupported_value",
        ".file_id",
    ),
    ("a part without a type", {"text": "Hi"}, "missing_required_parameter", ".type"),
    ("a part of unknown type", {"type": "hologram"}, "invalid_value", ".type"),
    ("a text without a text", {"type": "input_text"}, "missing_required_parameter", ".text"),
    ("a text that is a number", {"type": "input_text", "text": 7}, "invalid_type", ".text"),
    ("a part that is a number", 7, "invalid_type", ""),
]


@pytest.mark.parametrize(
    ("given", "code", "param"), [pytest.param(*case, id=name) for name, *case in REFUSED]
)
def test_a_part_that_cannot_be_sent_is_refused_by_its_path(
    given: Any, code: str, param: str
) -> None:
    text = {"type": "input_text", "text": "See:"}
    found = refusal(input=[{"role": "user", "content": [text, given]}])

    assert found[:2] == (code, f"input[0].content[1]{param}")


@pytest.mark.parametrize("given", [pytest.param(case[1], id=case[0]) for case in PARTS])
def test_a_part_that_the_upstream_does_not_take_is_refused(given: Any) -> None:
    found = refusal(TEXT_ONLY, input=[{"role": "user", "content": [given]}])

    assert found[:2] == ("unsupported_value", "input[0].content[0].type")


def test_parts_of_outputs_are_refused_by_their_path_too() -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image"}]}

    assert refusal(PLAIN, input=[call, output])[1] == "input[1].output[0].image_url"
