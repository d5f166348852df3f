"""What came back for a question: the bytes of one answer as plain values to judge by. No IO.

Answers are read twice: by the reader of the adapter itself, which tells what clients would get,
and as raw chunks, which tell how the upstream says it.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from adapter.dialects import GENERIC
from adapter.errors import UpstreamError
from adapter.stream.deltas import CallDelta, Delta, ReasoningDelta, TextDelta
from adapter.stream.sse import SSEReader
from adapter.stream.turn import TurnReader
from adapter.translate.errors import http_error
from adapter.types.chat import ChatRequest
from adapter.types.response import Usage

# Statuses that say no to what was asked; the others (keys, rates, gateways) say nothing about it.
# 500 and 501, because llama.cpp and transformers answer so for what they do not take.
REFUSING = frozenset({400, 404, 405, 406, 413, 415, 422, 500, 501})
MAX_BYTES = 1024 * 1024  # of one answer, which has a few hundred tokens
MAX_TOKEN_CHARS = 20  # longer tokens exist, but an answer has not many of them
SLACK_TOKENS = 16  # an upstream may count otherwise than we do
_DONE = b"[DONE]"
# Tags stay in the text: where they are is one of the findings.
_READING = msgspec.structs.replace(GENERIC, think_tags="off")
_json = msgspec.json.Decoder()

Outcome = Literal["answered", "refused", "failed"]


class Question(msgspec.Struct, frozen=True):
    """A chat request, and how many tokens its answer may have.

    Attributes:
        chat: the request.
        max_tokens: no more of an answer is read, whatever the upstream makes of the request.
    """

    chat: ChatRequest
    max_tokens: int


class Call(msgspec.Struct, frozen=True):
    """A tool call, put together."""

    name: str
    arguments: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a question.

    Attributes:
        question: what was asked.
        outcome: `failed` says nothing about the question: no answer, a broken one, or one about
            something else, such as the key.
        status: HTTP status; 0 if there was none.
        headers: of the answer.
        error: what was wrong, unless it was answered.
        body: what stood in a refusal, decoded if it is JSON.
        is_stream: the answer was not one JSON document.
        is_done: `[DONE]` ended it.
        was_cut: we stopped reading, because it went on for longer than it should.
        chunks: everything that was said, decoded, in order.
        text: of the answer, with any tags.
        reasoning: what came in a field for it, or in parts.
        calls: in order.
        deltas: how many there were of any kind.
        finish_reason: the last one that was given.
        usage: the last one that was given.
        first_seconds: from the request to the first delta.
        last_seconds: from the request to the last delta.
    """

    question: Question
    outcome: Outcome
    status: int = 0
    headers: Mapping[str, str] = {}
    error: UpstreamError | None = None
    body: Any = None
    is_stream: bool = True
    is_done: bool = False
    was_cut: bool = False
    chunks: tuple[Any, ...] = ()
    text: str = ""
    reasoning: str = ""
    calls: tuple[Call, ...] = ()
    deltas: int = 0
    finish_reason: str | None = None
    usage: Usage | None = None
    first_seconds: float = 0.0
    last_seconds: float = 0.0

    @property
    def is_refused(self) -> bool:
        return self.outcome == "refused"

    @property
    def tokens(self) -> int:
        """How many tokens the answer has; a guess if the upstream does not say."""
        return self.usage.output_tokens if self.usage is not None else self.deltas

    @property
    def is_short_of_tokens(self) -> bool:
        """Whether the limit ended it, so that what is missing might still have come."""
        return self.was_cut or self.finish_reason == "length"

    def choices(self) -> list[dict[str, Any]]:
        """Return the first choice of every chunk that has one."""
        found = []
        for chunk in self.chunks:
            choices = chunk.get("choices") if isinstance(chunk, dict) else None
            if isinstance(choices, list) and choices and isinstance(choices[0], dict):
                found.append(choices[0])
        return found

    def messages(self) -> list[dict[str, Any]]:
        """Return what stands in the choices: deltas, or the message of a whole answer."""
        said = (choice.get("delta") or choice.get("message") for choice in self.choices())
        return [each for each in said if isinstance(each, dict)]


def no_reply(question: Question, error: UpstreamError) -> Reply:
    """Return the reply of an upstream that gave none, or broke off."""
    return Reply(question=question, outcome="failed", error=error)


class ReplyReader:
    """Reads one answer.

    Args:
        question: what was asked.
        status: HTTP status of the answer.
        headers: of the answer, with names in lower case.

    Attributes:
        is_enough: no more need be read.
    """

    def __init__(self, question: Question, status: int, headers: Mapping[str, str]) -> None:
        self.is_enough = False
        self._question = question
        self._status = status
        self._headers = headers
        content_type = headers.get("content-type", "text/event-stream")
        self._is_page = "html" in content_type
        self._is_stream = "json" not in content_type.lower()
        self._turn = TurnReader(_READING, content_type)
        self._sse = SSEReader()
        self._body = bytearray()
        self._chunks: list[Any] = []
        self._deltas: list[Delta] = []
        self._is_done = False
        self._times: list[float] = []

    def feed(self, data: bytes, seconds: float) -> None:
        """Take the next bytes, which came that long after the request."""
        if len(self._body) + len(data) > MAX_BYTES:
            self.is_enough = True
            return
        self._body += data
        if self._status != 200 or self._is_page:
            return
        if self._is_stream:
            for event in self._sse.feed(data):
                self._keep(event)
        self._take(self._turn.feed(data), seconds)
        self.is_enough = self._turn.failure is not None or self._is_too_long()

    def end(self, seconds: float) -> Reply:
        """Return the reply, now that no more is read."""
        if self._status != 200:
            return self._refusal(
                "refused" if self._status in REFUSING else "failed",
                http_error(self._status, self._headers, bytes(self._body)),
            )
        if self._is_page:
            return self._refusal("failed", UpstreamError("The answer is a web page."))
        was_cut = self.is_enough and self._turn.failure is None
        failure = self._turn.failure
        self._take(self._turn.end(), seconds)
        for event in self._sse.end() if self._is_stream else [bytes(self._body)]:
            self._keep(event)
        if not self._turn.has_begun and not was_cut:
            failure = self._turn.failure
        if failure is not None:
            is_no = not self._turn.has_begun and (not self._chunks or _is_error(self._chunks[-1]))
            return self._refusal("refused" if is_no else "failed", failure)
        return self._answer(was_cut)

    def _keep(self, event: bytes) -> None:
        if event == _DONE:
            self._is_done = True
            return
        try:
            self._chunks.append(_json.decode(event))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._chunks.append(None)

    def _take(self, deltas: list[Delta], seconds: float) -> None:
        if deltas:
            self._times.append(seconds)
            self._deltas += deltas

    def _is_too_long(self) -> bool:
        limit = self._question.max_tokens + SLACK_TOKENS
        return len(self._deltas) > limit or len(self._said()) > limit * MAX_TOKEN_CHARS

    def _said(self) -> str:
        return "".join(
            delta.arguments if isinstance(delta, CallDelta) else delta.text
            for delta in self._deltas
        )

    def _refusal(self, outcome: Outcome, error: UpstreamError) -> Reply:
        try:
            body = _json.decode(bytes(self._body))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            body = next((chunk for chunk in self._chunks if _is_error(chunk)), None)
        return Reply(
            question=self._question,
            outcome=outcome,
            status=self._status,
            headers=self._headers,
            error=error,
            body=body,
            is_stream=self._is_stream,
        )

    def _answer(self, was_cut: bool) -> Reply:
        return Reply(
            question=self._question,
            outcome="answered",
            status=self._status,
            headers=self._headers,
            is_stream=self._is_stream,
            is_done=self._is_done,
            was_cut=was_cut,
            chunks=tuple(self._chunks),
            text="".join(each.text for each in self._deltas if isinstance(each, TextDelta)),
            reasoning="".join(
                each.text for each in self._deltas if isinstance(each, ReasoningDelta)
            ),
            calls=_calls([each for each in self._deltas if isinstance(each, CallDelta)]),
            deltas=len(self._deltas),
            finish_reason=self._turn.finish_reason,
            usage=self._turn.usage,
            first_seconds=self._times[0] if self._times else 0.0,
            last_seconds=self._times[-1] if self._times else 0.0,
        )


def _calls(deltas: list[CallDelta]) -> tuple[Call, ...]:
    slots = sorted({delta.slot for delta in deltas})
    return tuple(
        Call(
            next((each.name for each in deltas if each.slot == slot and each.name), ""),
            "".join(each.arguments for each in deltas if each.slot == slot),
        )
        for slot in slots
    )


def _is_error(chunk: Any) -> bool:
    return isinstance(chunk, dict) and bool(
        chunk.get("error") or chunk.get("detail") or chunk.get("object") == "error"
    )
