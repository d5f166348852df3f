"""Content parts that a client may send inside messages and tool outputs.

The official part types, and the chat-completions ones that look-alike clients mix in
(`text`, `image_url`, `file`). One tagged union, so that an unknown part is refused with its path.

Source: OpenAI SDK 3.51 input content types; Open Responses 2026-04-24 `InputVideoContent`.
"""

from typing import Literal

import msgspec

ImageDetail = Literal["low", "high", "auto", "original"]


class InputText(msgspec.Struct, frozen=True, tag="input_text"):
    text: str


class OutputTextPart(msgspec.Struct, frozen=True, tag="output_text"):
    text: str


class TextPart(msgspec.Struct, frozen=True, tag="text"):
    """Chat-style text."""

    text: str


class SummaryTextPart(msgspec.Struct, frozen=True, tag="summary_text"):
    text: str


class ReasoningTextPart(msgspec.Struct, frozen=True, tag="reasoning_text"):
    text: str


class RefusalPart(msgspec.Struct, frozen=True, tag="refusal"):
    refusal: str


class ImageUrl(msgspec.Struct, frozen=True):
    url: str
    detail: ImageDetail | None = None


class InputImage(msgspec.Struct, frozen=True, tag="input_image"):
    image_url: str | ImageUrl | None = None
    file_id: str | None = None
    detail: ImageDetail | None = None


class ImageUrlPart(msgspec.Struct, frozen=True, tag="image_url"):
    """Chat-style image."""

    image_url: ImageUrl | str


class InputFile(msgspec.Struct, frozen=True, tag="input_file"):
    file_data: str | None = None
    file_url: str | None = None
    file_id: str | None = None
    filename: str | None = None
    file: "ChatFile | None" = None  # as in chat completions


class ChatFile(msgspec.Struct, frozen=True):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class FilePart(msgspec.Struct, frozen=True, tag="file"):
    """Chat-style file."""

    file: ChatFile


class AudioData(msgspec.Struct, frozen=True):
    data: str
    format: str


class InputAudio(msgspec.Struct, frozen=True, tag="input_audio"):
    input_audio: AudioData


class InputVideo(msgspec.Struct, frozen=True, tag="input_video"):
    video_url: str


MediaPart = InputImage | ImageUrlPart | InputFile | FilePart | InputAudio | InputVideo
Part = (
    InputText
    | OutputTextPart
    | TextPart
    | SummaryTextPart
    | ReasoningTextPart
    | RefusalPart
    | MediaPart
)
