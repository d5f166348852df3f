"""A chat request while it is made to fit."""

from typing import Any

from adapter.types.chat import ChatMessage, ChatRequest


class Draft:
    """The request and what happened to it.

    Attributes:
        model: may be replaced.
        messages: may be replaced, not changed in place.
        parameters: may be changed.
        dropped: paths of what is not sent.
        adapted: paths of what is sent in another form.
        answer_schema: the JSON schema that the answer must fit, where the upstream does not see to
            it.
    """

    def __init__(self, chat: ChatRequest) -> None:
        self.model = chat.model
        self.messages: list[ChatMessage] = list(chat.messages)
        self.parameters: dict[str, Any] = dict(chat.parameters)
        self.dropped: list[str] = []
        self.adapted: list[str] = []
        self.answer_schema: dict[str, Any] | None = None

    def instruct(self, text: str) -> None:
        """Add an instruction behind those that lead the conversation."""
        place = 0
        while place < len(self.messages) and self.messages[place].role in ("system", "developer"):
            place += 1
        self.messages.insert(place, ChatMessage("system", text))

    def request(self) -> ChatRequest:
        """Return the request as it is now."""
        return ChatRequest(self.model, tuple(self.messages), self.parameters)
