"""How much to think, and whether earlier thoughts go back.

Source: `reported.md` §3.1 and §3.3; OpenAI's "Supported values are: …", Groq's "must be one of
`none` or `default`", Ollama's `invalid reasoning value`, DeepSeek's "must be passed back".
"""

import re
from collections.abc import Collection

import msgspec

from adapter.dialects import Dialect
from adapter.dialects.base import ALL_EFFORTS
from adapter.translate.refusal import UNKNOWN_FIELD, Refusal

_DEFAULT = "default"  # Groq's word for: it thinks as it always does
_EFFORTS = (*ALL_EFFORTS, _DEFAULT)
_EFFORT = re.compile(r"effort|(?:think|reasoning) value")
_QUOTED = re.compile(r"[\"'`]([a-z]+)[\"'`]")
_LIST = re.compile(
    r"(?:one of|values?(?: are| is)?|must be|should be|expected|allowed|options?(?: are)?|supports?)\W(.*)",
    re.DOTALL,
)
_WORD = re.compile(r"[a-z]+")
_REQUIRED = re.compile(r"must|missing|required|need|pass(?:ed)? back|empty|blank|provide")
_EMPTY = re.compile(r"empty|blank|at least (?:one|1) character")


def effort(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """A value of the effort that is not taken; those that are may stand there."""
    sent = _sent_effort(refusal)
    if sent is None or not _EFFORT.search(refusal.text):
        return None
    efforts = _listed(refusal.text, {*dialect.efforts, _DEFAULT} - {sent})
    if not efforts:
        is_named = re.search(rf"\b{sent}\b", refusal.text) or "efforts" in dialect.learned
        if refusal.blame == "field" and not is_named:
            return None  # there is no such field
        efforts = tuple(value for value in dialect.efforts if value != sent)
    others = [value for value in ALL_EFFORTS if value not in efforts]
    names = dict.fromkeys(others, _DEFAULT) if _DEFAULT in efforts else {}
    return msgspec.structs.replace(dialect, efforts=efforts, effort_names=names)


def _sent_effort(refusal: Refusal) -> str | None:
    parameters = refusal.chat.parameters
    nested = parameters.get("reasoning")
    found = nested.get("effort") if isinstance(nested, dict) else parameters.get("reasoning_effort")
    return found if isinstance(found, str) else None


def _listed(text: str, possible: Collection[str]) -> tuple[str, ...]:
    """Return the efforts that a text offers, in the order of strength."""
    listed = _LIST.search(text)
    words = _QUOTED.findall(text) or (_WORD.findall(listed[1]) if listed else [])
    return tuple(value for value in _EFFORTS if value in words and value in possible)


def replay(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Earlier thoughts that must go back, or must not."""
    if not refusal.has_role("assistant") or not _is_about_thoughts(refusal):
        return None
    sent = refusal.has(lambda message: bool(message.reasoning or message.reasoning_content))
    if sent and UNKNOWN_FIELD.search(refusal.text):
        return msgspec.structs.replace(dialect, reasoning_field="none")
    if not _REQUIRED.search(refusal.text):
        return None
    is_empty = dialect.reasoning_replay == "always" or bool(_EMPTY.search(refusal.text))
    field = dialect.reasoning_field
    if field not in ("reasoning", "reasoning_content"):
        field = "reasoning_content" if refusal.mentions("reasoning_content") else "reasoning"
    return msgspec.structs.replace(
        dialect,
        reasoning_field=field,
        reasoning_replay="always",
        reasoning_filler=" " if is_empty else dialect.reasoning_filler,
    )


def _is_about_thoughts(refusal: Refusal) -> bool:
    return refusal.names("reasoning_content") or (
        refusal.mentions("reasoning") and refusal.mentions("message", "messages", "assistant")
    )
