"""`reasoning_details`: reasoning as a list of typed parts.

OpenRouter sends pieces, MiniMax with `reasoning_split` everything so far, again and again
(`reported.md` §3.1). What has no text (encrypted parts) is not shown.
"""

from typing import Any


class ReasoningDetails:
    """Reads the details of one turn.

    Args:
        cumulative: each list repeats what the ones before it said.
    """

    def __init__(self, *, cumulative: bool) -> None:
        self._cumulative = cumulative
        self._so_far = ""

    def read(self, details: list[Any]) -> str:
        """Return the text that is new."""
        text = "".join(map(_text, details))
        if self._cumulative and text.startswith(self._so_far):
            new, self._so_far = text[len(self._so_far) :], text
            return new
        self._so_far += text
        return text


def _text(detail: Any) -> str:
    match detail:
        case {"text": str(text)} | {"summary": str(text)}:
            return text
        case _:
            return ""
