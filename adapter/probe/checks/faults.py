"""How it says that something is wrong, and whether a prompt that is too long is told as that."""

from collections.abc import Sequence
from typing import Any

from adapter.probe.check import MAX_QUOTED, Check, Verdict, fine, lost, met, quote, refusal
from adapter.probe.known import SHORT, Known, user
from adapter.probe.reply import Question, Reply

_MAX_CONTEXT = 8192  # tokens; a longer prompt is no small request any more
_OVER = 200  # tokens; a word has at least one


def _ask_error(known: Known) -> Sequence[Question]:
    return [known.question(user("Hello"), limit=SHORT, fields={"messages": "none"})]


def _judge_error(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return lost("answers a request whose messages are no list", "cannot tell either")
    finding = f"{reply.status} {_form_of(reply)}"
    if reply.status < 500:
        return fine(finding, "tells it in the form of the Responses API")
    return met(
        f"{finding} for a fault of the client's",
        "tells it as a fault of the client's where the words say so",
    )


def _form_of(reply: Reply) -> str:
    """Return the keys of an error, and the types of what stands in them."""
    if reply.body is None:
        return f"as {reply.headers.get('content-type', 'no type').partition(';')[0]}"
    shape = _shape(reply.body)
    return f"{shape[:MAX_QUOTED]}…" if len(shape) > MAX_QUOTED else shape


def _shape(value: Any, levels: int = 2) -> str:
    match value:
        case dict() if levels:
            inner = (f"{key}: {_shape(each, levels - 1)}" for key, each in value.items())
            return "{" + ", ".join(inner) + "}"
        case list() if levels:
            return f"[{_shape(value[0], levels - 1)}]" if value else "[]"
        case None:
            return "null"
        case _:
            return _TYPES.get(type(value), "object")


_TYPES = {str: "text", int: "number", float: "number", bool: "bool", list: "list"}


def _ask_overflow(known: Known) -> Sequence[Question]:
    if known.context is None or known.context > _MAX_CONTEXT:
        return []
    words = "hello " * (known.context + _OVER)
    return [known.question(user(words), limit=SHORT)]


def _judge_overflow(known: Known, replies: Sequence[Reply]) -> Verdict:
    (reply,) = replies
    if not reply.is_refused:
        return lost(
            f"answers, though the context has {known.context} tokens",
            "cannot tell what was cut off",
        )
    assert reply.error is not None  # it is refused
    if reply.error.code == "context_length_exceeded":
        said = quote(reply.error.message)
        return fine(f"refused ({reply.status}): {said}", "tells it as context_length_exceeded")
    return met(refusal(reply), "hands the refusal on, without the code for it")


ERRORS = Check("errors", _ask_error, _judge_error)
OVERFLOW = Check("context overflow", _ask_overflow, _judge_overflow)
