"""Function names that every upstream takes, and the way back.

OpenAI, Azure and Groq refuse dots, blanks and more than 64 characters. A name that does not fit is
replaced by one that does and that no other name is given; the toolbox knows both.

Source: `reported.md` §3.3.
"""

import hashlib
import re

MAX_NAME_CHARS = 64
_FITS = re.compile(r"[A-Za-z0-9_-]{1,64}")
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_HASH_CHARS = 8


def chat_name(name: str) -> str:
    """Return the name to offer: the same if it fits, always the same one if it does not."""
    if _FITS.fullmatch(name):
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARS]
    stem = _UNFIT.sub("_", name)[: MAX_NAME_CHARS - _HASH_CHARS - 1]
    return f"{stem}_{digest}"
