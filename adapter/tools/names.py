"""Function names that every upstream takes, and the way back.

OpenAI, Azure and Groq refuse dots, blanks and more than 64 characters, and chat completions have no
namespaces. A name that does not fit is replaced by one that does and that no other name is given;
the toolbox knows both.

Source: `reported.md` §3.3; `clients.md` §0.4 and §7. `namespace__name` is what vLLM 0.33 does.
"""

import hashlib
import re

from msgspec import UNSET, UnsetType

MAX_NAME_CHARS = 64
_fits = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
_HASH_CHARS = 8
_JOINT = "__"


def chat_name(name: str, namespace: str | UnsetType | None = UNSET) -> str:
    """Return the name to offer: the same if it fits, always the same one if it does not."""
    joined = _join(name, namespace)
    return joined if _fits(joined) else hashed_name(name, namespace)


def hashed_name(name: str, namespace: str | UnsetType | None = UNSET) -> str:
    """Return a name that no other tool has, also where `chat_name` gives two tools the same one."""
    whole = f"{namespace or ''}\0{name}"
    digest = hashlib.sha256(whole.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_CHARS]
    # The end tells more than the beginning, which the tools of one server share.
    stem = _UNFIT.sub("_", _join(name, namespace))[-(MAX_NAME_CHARS - _HASH_CHARS - 1) :]
    return f"{stem}_{digest}"


def _join(name: str, namespace: str | UnsetType | None) -> str:
    return f"{namespace}{_JOINT}{name}" if namespace else name
