"""A chat request while it is made to fit."""

from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from adapter.tools.kinds import GrammarInput
from adapter.types.chat import ChatMessage, ChatRequest


class Draft(msgspec.Struct):
    """The request and what happened to it.

    Attributes:
        model: may be replaced.
        messages: as OpenAI would take them; may be replaced, their messages not changed in place.
        parameters: the same; may be changed.
        kept: fields that go to the upstream by the operator's own word, whatever it is known to
            have.
        grammars: that the input of custom tools has to fit, by the name of the function.
        dropped: paths of what is not sent.
        adapted: paths of what is sent in another form.
        lossless: those of them by which nothing changes for the client.
        answer_schema: the JSON schema that the answer must fit, where the upstream does not see to
            it.
        text_call: the function whose call the answer's text stands for, or None.
    """

    model: str
    messages: list[ChatMessage]
    parameters: dict[str, Any]
    kept: Collection[str] = frozenset()
    grammars: Mapping[str, GrammarInput] = {}
    dropped: list[str] = []
    adapted: list[str] = []
    lossless: set[str] = set()
    answer_schema: dict[str, Any] | None = None
    text_call: str | None = None

    def rewrite(self, path: str) -> None:
        """Report what is said in another way, and means the same."""
        if path not in self.adapted:
            self.adapted.append(path)
            self.lossless.add(path)

    def instruct(self, text: str) -> None:
        """Add an instruction behind those that lead the conversation."""
        place = 0
        while place < len(self.messages) and self.messages[place].role in ("system", "developer"):
            place += 1
        self.messages.insert(place, ChatMessage("system", text))

    def request(self) -> ChatRequest:
        """Return the request as it is now."""
        return ChatRequest(self.model, tuple(self.messages), self.parameters)
