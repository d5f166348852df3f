"""A turn whose answer is checked before any of it is handed on, where the upstream checks nothing.

An answer that has to fit a JSON schema, or the input of a custom tool that has to fit a grammar. What
does not fit is asked for once more, and then it has to do.
"""

import logging
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol

import msgspec

from adapter.errors import UpstreamError
from adapter.schema_check import find_misfit
from adapter.stream.deltas import CallDelta, Delta, RefusalDelta, TextDelta
from adapter.tools.grammars.forms import input_misfit
from adapter.tools.kinds import OfferedTool
from adapter.tools.lookup import find_tool
from adapter.tools.unwrap import unwrap_input
from adapter.translate.items import PlacedItem
from adapter.translate.repair import only_json, repair_items, repair_request
from adapter.translate.request import Translation
from adapter.turn import Turn
from adapter.types.chat import ChatRequest

logger = logging.getLogger(__name__)

MAX_CHECKED_CALLS = 16  # of one answer: each check may take 0.3 s

# (the function to call, what was said since) to what to ask then
AskAgain = Callable[[str, Sequence[PlacedItem]], Translation]


class Question(msgspec.Struct, frozen=True):
    """What to ask.

    Attributes:
        chat: the request.
        text_call: the function whose call the answer's text stands for.
    """

    chat: ChatRequest
    text_call: str | None = None


class Check(Protocol):
    """Something that an answer has to fit."""

    def find_misfit(self, deltas: Sequence[Delta]) -> str | None:
        """Return what is wrong with an answer, or None if it fits or need not."""
        ...

    def question(self, deltas: Sequence[Delta], misfit: str) -> Question:
        """Return how to ask for a better answer."""
        ...

    def mend(self, deltas: Sequence[Delta], again: Sequence[Delta]) -> list[Delta] | None:
        """Return the answer with what came of the question, or None if that is no better."""
        ...

    def finish(self, deltas: list[Delta]) -> list[Delta]:
        """Return the answer as it is handed on."""
        ...


def checks_of(translation: Translation, ask_again: AskAgain) -> list[Check]:
    """Return what the answer to a request has to fit."""
    checks: list[Check] = []
    if translation.answer_schema is not None:
        checks.append(SchemaCheck(translation.chat, translation.answer_schema))
    if translation.checks_inputs:
        checks.append(InputCheck(translation.toolbox.offered, ask_again))
    return checks


class CheckedTurn(Turn):
    """A turn that is handed on when it is complete.

    Args:
        checks: what the answer has to fit.
    """

    def __init__(self, *args: Any, checks: Sequence[Check], **options: Any) -> None:
        super().__init__(*args, **options)
        self._checks = checks
        self._deltas: list[Delta] = []

    @asynccontextmanager
    async def open(
        self, translation: Translation
    ) -> AsyncGenerator[AsyncGenerator[bytes, None], None]:
        """Ask until the answer fits, or twice; there is nothing to read then but the end."""
        deltas = await self._collect(Question(translation.chat, translation.text_call))
        for check in self._checks:
            if self.finish_reason != "length":  # half an answer cannot fit
                if (misfit := check.find_misfit(deltas)) is not None:
                    deltas = await self._repair(check, deltas, misfit)
                deltas = check.finish(deltas)
        self._deltas = deltas
        async with aclosing(_no_chunks()) as chunks:
            yield chunks

    async def _repair(self, check: Check, deltas: list[Delta], misfit: str) -> list[Delta]:
        """Return a better answer; if there is none, the first has to do."""
        logger.debug("asking again: the answer does not fit")
        reader, finish_reason = self._reader, self.finish_reason
        try:
            again = await self._collect(check.question(deltas, misfit))
        except UpstreamError as error:
            logger.debug("the answer could not be repaired: %s", error.code)
            again = []
        mended = None if self.finish_reason == "length" else check.mend(deltas, again)
        if mended is None:
            self.has_begun, self._reader, self.finish_reason = True, reader, finish_reason
            return deltas
        if check.find_misfit(mended) is not None:
            logger.debug("the second answer does not fit either, and is handed on")
        return mended

    def end(self) -> list[Delta]:
        """Return the whole answer."""
        return self._deltas

    async def _collect(self, question: Question) -> list[Delta]:
        collected: list[Delta] = []
        async with self._ask(question.chat, question.text_call) as chunks:
            async for chunk in chunks:
                collected += self.read(chunk)
                if self.is_over:
                    self.check()
                    collected += await self.read_rest(chunks)
                    break
        collected += super().end()
        self.check()
        return collected


class SchemaCheck:
    """An answer in words that is a document of a JSON schema.

    Args:
        chat: the request.
        schema: the schema.
    """

    def __init__(self, chat: ChatRequest, schema: dict[str, Any]) -> None:
        self._chat = chat
        self._schema = schema

    def find_misfit(self, deltas: Sequence[Delta]) -> str | None:
        """Return what is wrong; calls and refusals need not fit."""
        return find_misfit(only_json(_text(deltas)), self._schema) if _is_text(deltas) else None

    def question(self, deltas: Sequence[Delta], misfit: str) -> Question:
        return Question(repair_request(self._chat, _text(deltas), misfit))

    def mend(self, deltas: Sequence[Delta], again: Sequence[Delta]) -> list[Delta] | None:
        return list(again) if _is_text(again) and _text(again) else None

    def finish(self, deltas: list[Delta]) -> list[Delta]:
        """Return the document without the code fence around it."""
        text = _text(deltas)
        bare = only_json(text)
        if bare == text or not _is_text(deltas):
            return deltas
        others: list[Delta] = [delta for delta in deltas if not isinstance(delta, TextDelta)]
        return [*others, TextDelta(bare)]


class InputCheck:
    """Calls of custom tools whose input fits their grammar. One call is asked for again at most.

    Of many calls only the first are checked.

    Args:
        offered: the tools, by the name that the model was given.
        ask_again: asks for one call once more.
    """

    def __init__(self, offered: Mapping[str, OfferedTool], ask_again: AskAgain) -> None:
        self._offered = offered
        self._ask_again = ask_again

    def find_misfit(self, deltas: Sequence[Delta]) -> str | None:
        unfit = self._unfit(deltas)
        return None if unfit is None else unfit[2]

    def question(self, deltas: Sequence[Delta], misfit: str) -> Question:
        unfit = self._unfit(deltas)
        assert unfit is not None, "a misfit was found"
        slot, tool, _ = unfit
        items = repair_items(tool, _calls(deltas)[slot][1], misfit)
        translation = self._ask_again(tool.definition.name, items)
        return Question(translation.chat, translation.text_call)

    def mend(self, deltas: Sequence[Delta], again: Sequence[Delta]) -> list[Delta] | None:
        unfit = self._unfit(deltas)
        assert unfit is not None, "a misfit was found"
        slot, tool, _ = unfit
        for name, arguments in _calls(again).values():
            if self._tool(name) == tool:
                return _with_arguments(deltas, slot, arguments)
        return None

    def finish(self, deltas: list[Delta]) -> list[Delta]:
        return deltas

    def _tool(self, name: str) -> OfferedTool:
        return find_tool(name, self._offered)

    def _unfit(self, deltas: Sequence[Delta]) -> tuple[int, OfferedTool, str] | None:
        """Return the first call that does not fit: its slot, its tool, and what is wrong."""
        checked = 0
        for slot, (name, arguments) in _calls(deltas).items():
            tool = self._tool(name)
            if (grammar := tool.grammar) is None:
                continue
            checked += 1
            if checked > MAX_CHECKED_CALLS:
                break
            text = unwrap_input(arguments, tool.name)
            misfit = input_misfit(grammar.syntax, grammar.definition, text)
            if misfit is not None:
                return slot, tool, misfit
        return None


def _calls(deltas: Sequence[Delta]) -> dict[int, tuple[str, str]]:
    """Return name and arguments of each call, by its slot."""
    names: dict[int, str] = {}
    pieces: dict[int, list[str]] = {}
    for delta in deltas:
        if isinstance(delta, CallDelta):
            names[delta.slot] = names.get(delta.slot) or delta.name
            pieces.setdefault(delta.slot, []).append(delta.arguments)
    return {slot: (name, "".join(pieces[slot])) for slot, name in names.items()}


def _with_arguments(deltas: Sequence[Delta], slot: int, arguments: str) -> list[Delta]:
    """Return the deltas with other arguments of one call."""
    changed: list[Delta] = []
    rest: str = arguments
    for delta in deltas:
        if isinstance(delta, CallDelta) and delta.slot == slot:
            changed.append(msgspec.structs.replace(delta, arguments=rest))
            rest = ""
        else:
            changed.append(delta)
    return changed


def _is_text(deltas: Sequence[Delta]) -> bool:
    return not any(isinstance(delta, CallDelta | RefusalDelta) for delta in deltas)


def _text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta))


async def _no_chunks() -> AsyncGenerator[bytes, None]:
    return
    yield b""
