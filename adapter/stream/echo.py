"""Content that begins by saying in tags what a field for reasoning has said already.

MiniMax-M3 does so without `reasoning_split` (oh-my-pi #2434). Tags that say anything else are text:
a server that has a field for reasoning does not use them.
"""


class EchoFilter:
    """Leaves out the echo at the beginning of content.

    Args:
        marks: what opens and what closes a thought.

    Attributes:
        passes: nothing that follows can be an echo; the filter need not be asked any more.
    """

    def __init__(self, marks: tuple[str, str]) -> None:
        self.passes = False
        self._open, self._close = marks
        self._said: list[str] = []
        self._held = ""

    def say(self, reasoning: str) -> None:
        """Take note of what the field says."""
        self._said.append(reasoning)

    def filter(self, text: str) -> str:
        """Return the text that is no echo, as far as that is clear."""
        if not self._held and text.isspace():
            return text
        self._held += text
        start = self._held.lstrip()
        if self._open.startswith(start):
            return ""
        thought, close, rest = start.removeprefix(self._open).partition(self._close)
        is_echo = start.startswith(self._open) and self._is_said(thought, whole=bool(close))
        if is_echo and not close:
            return ""
        self.passes = True
        held, self._held = self._held, ""
        return rest if is_echo else held

    def end(self) -> str:
        """Return what was held back, now that nothing follows."""
        held, self._held = self._held, ""
        start = held.lstrip()
        thought = start.removeprefix(self._open)
        # The beginning of a mark alone is text, even if the reasoning began so too.
        is_echo = start.startswith(self._open) and thought and self._is_said(thought, whole=False)
        return "" if is_echo else held

    def _is_said(self, thought: str, *, whole: bool) -> bool:
        """Tell whether the field has said the same; blanks around it do not count."""
        said = "".join(self._said).strip()
        if whole:
            return said == thought.strip()
        return said.startswith(thought.strip()) or self._is_closing(thought)

    def _is_closing(self, thought: str) -> bool:
        """Tell whether the end of the thought begins its closing mark."""
        before, bracket, after = thought.rpartition(self._close[0])
        return (
            bool(bracket)
            and self._close.startswith(bracket + after)
            and self._is_said(before, whole=True)
        )
