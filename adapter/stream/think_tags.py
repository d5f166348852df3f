"""`<think>` tags in content: where a server leaves them in, what is inside is reasoning.

Tags may be cut anywhere by chunk borders; text that could be the beginning of a tag is held back
until it is clear. Which modes there are, and which tags, `adapter.dialects.base` says.
"""

from adapter.dialects.base import THINK_MARKS, ThinkTags


class ThinkTagSplitter:
    """Splits text into reasoning and answer.

    Args:
        mode: where tags count.
        marks: what opens and what closes a thought.

    Attributes:
        passes: nothing that follows can be a tag; the splitter need not be asked any more.
    """

    def __init__(self, mode: ThinkTags, marks: tuple[str, str] = THINK_MARKS) -> None:
        self.passes = mode == "off"
        self._open, self._close = marks
        self._anywhere = mode == "anywhere"
        self._inside = mode == "opened"
        self._at_start = True
        self._held = ""

    def split(self, text: str) -> list[tuple[bool, str]]:
        """Return pieces of (is reasoning, text) that are clear now; none is empty."""
        pieces: list[tuple[bool, str]] = []
        rest = self._held + text
        self._held = ""
        while rest and not self.passes:
            rest = self._inside_step(rest, pieces) if self._inside else self._step(rest, pieces)
        if rest:
            pieces.append((False, rest))
        return pieces

    def end(self) -> list[tuple[bool, str]]:
        """Return what was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return [(self._inside, held)] if held else []

    def _inside_step(self, text: str, pieces: list[tuple[bool, str]]) -> str:
        if self._at_start:  # a template that opened the tag, and a model that opens it again
            start = text.lstrip()
            if self._open.startswith(start):
                self._held = text
                return ""
            self._at_start = False
            text = start.removeprefix(self._open) if start.startswith(self._open) else text
        found = text.find(self._close)
        if found < 0:
            return self._take(text, self._close, pieces)
        _append(pieces, True, text[:found])
        self._inside = False
        self.passes = not self._anywhere
        return text[found + len(self._close) :]

    def _step(self, text: str, pieces: list[tuple[bool, str]]) -> str:
        if self._anywhere:
            found = text.find(self._open)
            if found < 0:
                return self._take(text, self._open, pieces)
            _append(pieces, False, text[:found])
            self._inside = True
            self._at_start = False
            return text[found + len(self._open) :]
        return self._step_at_start(text)

    def _step_at_start(self, text: str) -> str:
        start = text.lstrip()
        if start.startswith(self._open):
            self._inside, self._at_start = True, False
            return start[len(self._open) :]
        if self._open.startswith(start):  # also when there are only blanks so far
            self._held = text
            return ""
        self.passes = True
        return text

    def _take(self, text: str, tag: str, pieces: list[tuple[bool, str]]) -> str:
        """Take text without the tag, but hold back an ending that may be its beginning."""
        held = _overlap(text, tag)
        _append(pieces, self._inside, text[: len(text) - held])
        self._held = text[len(text) - held :]
        return ""


def _append(pieces: list[tuple[bool, str]], is_reasoning: bool, text: str) -> None:
    if text:
        pieces.append((is_reasoning, text))


def _overlap(text: str, tag: str) -> int:
    """Return how many characters at the end of the text begin the tag."""
    for length in range(min(len(text), len(tag) - 1), 0, -1):
        if text.endswith(tag[:length]):
            return length
    return 0
