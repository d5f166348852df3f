"""Reasoning that is more than a piece of text: `reasoning_details`, an object, everything so far.

OpenRouter sends a list of typed parts, in pieces; MiniMax with `reasoning_split` everything so far,
again and again (`reported.md` §3.1); some relays an object. What has no text (encrypted parts) is
not shown.
"""

from typing import Any


class ReasoningDetails:
    """Reads the reasoning of one turn.

    Args:
        cumulative: each piece repeats what the ones before it said.
    """

    def __init__(self, *, cumulative: bool) -> None:
        self.is_cumulative = cumulative
        self._so_far = ""

    def read(self, details: Any) -> str:
        """Return the text that is new."""
        text = _text(details)
        if not self.is_cumulative:
            return text
        if text.startswith(self._so_far):
            new, self._so_far = text[len(self._so_far) :], text
            return new
        self._so_far += text
        return text


def _text(detail: Any) -> str:
    match detail:
        case str():
            return detail
        case list():
            return "".join(map(_text, detail))
        case {"text": str(text)} | {"summary": str(text)} | {"content": str(text)}:
            return text
        case _:
            return ""
