"""Images and files that a server does not take, or not by URL.

What it does not take at all is learned too: the request is refused here then, by the path of the
part, and the next one without asking the upstream.
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.translate.media import find_image_urls
from adapter.translate.refusal import Refusal

# (kind of part, how it is called)
_KINDS = {
    "file": r"(?:file|document|pdf)",
    "image_url": r"(?:image_url|image|vision|multimodal|multi-modal)",
    "input_audio": r"(?:input_audio|audio)",
    "video_url": r"(?:video_url|video)",
}
_BY_URL = re.compile(
    r"base64|data ur[il]|data:|(?:unsupported|invalid|remote|external|http)\W+(?:image|url)"
    r"|download|fetch|retriev"
)
_REFUSALS = (
    r"(?:not|n't|cannot|unable to) (?:support|accept|have|allow|process|handle|read|an?\b)\w*"
    r"[^.]{0,40}\bKIND",
    r"\bKIND(?:s|\(s\))?\b[^.]{0,60}\b(?:unsupported"
    r"|(?:not|n't) (?:be )?(?:support|accept|allow|permit|enabl|availab))",
    r"(?:invalid value|unknown variant|unexpected|unsupported|unknown)\b[^.,]{0,40}\bKIND\b",
    r"at most 0 KIND",
)
_TEXT_ONLY = re.compile(r"content\W+(?:must|should) be a (?:valid )?string|text[- ]only|only text")


def image_urls(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """A server that fetches no images."""
    if dialect.image_urls == "data" or not find_image_urls(refusal.chat):
        return None
    if not refusal.mentions("image", "image_url", "images", "url", "urls"):
        return None
    if not _BY_URL.search(refusal.text):
        return None
    return msgspec.structs.replace(dialect, image_urls="data")


def parts(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """A server that does not know a kind of part."""
    sent = {
        part["type"]
        for message in refusal.chat.messages
        if isinstance(message.content, list)
        for part in message.content
    }
    refused = {kind for kind in sent & _KINDS.keys() if _is_refused(_KINDS[kind], refusal.text)}
    if _TEXT_ONLY.search(refusal.text):
        refused = sent & _KINDS.keys()
    return msgspec.structs.replace(dialect, parts=dialect.parts - refused)


def _is_refused(words: str, text: str) -> bool:
    return any(re.search(pattern.replace("KIND", words), text) for pattern in _REFUSALS)
