"""Content parts to chat parts.

Text-only content becomes one string without separators: some templates take only strings, and
servers join text parts with line breaks that nobody wrote (`observed.md` §4).
"""

from operator import attrgetter
from typing import assert_never

import msgspec

from adapter.dialects import Dialect
from adapter.types.chat import ChatPart
from adapter.types.decoding import missing_parameter, unsupported
from adapter.types.input import Content
from adapter.types.parts import (
    FilePart,
    ImageUrl,
    ImageUrlPart,
    InputAudio,
    InputFile,
    InputImage,
    InputText,
    InputVideo,
    MediaPart,
    OutputTextPart,
    ReasoningTextPart,
    RefusalPart,
    SummaryTextPart,
    TextPart,
)

_URL_SCHEMES = ("data:", "http://", "https://")
_text_of = attrgetter("text")
_TEXTS = (InputText, OutputTextPart, TextPart, SummaryTextPart, ReasoningTextPart)


class SplitContent(msgspec.Struct, frozen=True):
    """Content, its text apart from the rest.

    Attributes:
        texts: all texts, in order.
        refusal: all refusals, joined.
        parts: all but refusals as chat parts, in order; empty for text alone.
        media: the parts that are no text.
    """

    texts: list[str] = []
    refusal: str = ""
    parts: list[ChatPart] = []
    media: list[ChatPart] = []

    @property
    def text(self) -> str:
        """All text, joined."""
        return "".join(self.texts)

    def as_output(self) -> str:
        """Return the text of a tool's output: its parts are results of their own."""
        return "\n".join(self.texts) + self.refusal

    def for_chat(self) -> str | list[ChatPart]:
        """Return what to put into a user message: a string if it is all text."""
        return self.parts if self.media else self.text


def plain_text(content: Content) -> str | None:
    """Return the text of content that is nothing else, as most is; None if it is more."""
    if isinstance(content, str):
        return content
    try:
        return "".join(map(_text_of, content))
    except AttributeError:  # only texts have one
        return None


def split_content(content: Content | None, at: str, dialect: Dialect) -> SplitContent:
    """Translate content.

    Raises:
        InvalidRequestError: a part that the dialect does not take; `param` is its path.
    """
    if content is None:
        return SplitContent()
    if isinstance(content, str):
        return SplitContent([content])
    texts = [part.text for part in content if isinstance(part, _TEXTS)]
    if len(texts) == len(content):
        return SplitContent(texts)
    refusals: list[str] = []
    parts: list[ChatPart] = []
    media: list[ChatPart] = []
    for index, part in enumerate(content):
        if isinstance(part, _TEXTS):
            parts.append({"type": "text", "text": part.text})
        elif isinstance(part, RefusalPart):
            refusals.append(part.refusal)
        else:
            media.append(_to_chat_part(part, f"{at}[{index}]", dialect))
            parts.append(media[-1])
    return SplitContent(texts, "".join(refusals), parts, media)


def _to_chat_part(part: MediaPart, at: str, dialect: Dialect) -> ChatPart:
    match part:
        case InputImage() | ImageUrlPart():
            return _image(part, at, dialect)
        case InputFile() | FilePart():
            return _file(part, at, dialect)
        case InputAudio():
            _require("input_audio", at, dialect)
            audio = part.input_audio
            return {
                "type": "input_audio",
                "input_audio": {"data": audio.data, "format": audio.format},
            }
        case InputVideo():
            _require("video_url", at, dialect)
            return {"type": "video_url", "video_url": {"url": part.video_url}}
        case _:
            assert_never(part)


def _image(part: InputImage | ImageUrlPart, at: str, dialect: Dialect) -> ChatPart:
    _require("image_url", at, dialect)
    image = part.image_url
    if image is None:
        assert isinstance(part, InputImage)
        if part.file_id is None:
            raise missing_parameter(f"{at}.image_url")
        raise unsupported(f"{at}.file_id", "names a file, and no file store is there")
    url = image if isinstance(image, str) else image.url
    if not url.startswith(_URL_SCHEMES):
        raise unsupported(f"{at}.image_url", "is neither a data URL nor an http(s) URL")
    detail = part.detail if isinstance(part, InputImage) else None
    if isinstance(image, ImageUrl):
        detail = image.detail or detail
    image_url: dict[str, str] = {"url": url}
    if detail is not None:
        # Chat completions know only low, high and auto.
        image_url["detail"] = "high" if detail == "original" else detail
    return {"type": "image_url", "image_url": image_url}


def _file(part: InputFile | FilePart, at: str, dialect: Dialect) -> ChatPart:
    _require("file", at, dialect)
    given = part if isinstance(part, InputFile) and part.file is None else part.file
    assert given is not None
    if given.file_data is None:
        by_url = isinstance(given, InputFile) and given.file_url is not None
        raise unsupported(
            f"{at}.{'file_url' if by_url else 'file_id'}",
            "cannot be fetched here; send the file as `file_data`",
        )
    file = {"file_data": given.file_data}
    if given.filename is not None:
        file["filename"] = given.filename
    return {"type": "file", "file": file}


def _require(kind: str, at: str, dialect: Dialect) -> None:
    if kind not in dialect.parts:
        raise unsupported(f"{at}.type", f"needs {kind!r} parts, which the upstream does not take")
