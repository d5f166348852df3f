"""Reads a stream event by event: its numbers, its own grammar, and one response all along."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from typing import Any, Final

from adapter.stream.grammar.notation import follow_table
from adapter.stream.grammar.output import Output
from adapter.stream.grammar.responses import error_faults, response_faults
from adapter.stream.grammar.rows import ADDED, DONE, ITEMS, item_table
from adapter.stream.grammar.rules import (
    ITEM,
    RELAXED,
    RESPONSE_STATUS,
    START,
    STREAM,
    TERMINAL,
    Fault,
    Rule,
)

_RESUMED: Final = "resumed"


class GrammarError(Exception):
    """One event broke one rule.

    A bug of whoever made the stream, and never an answer to a client: hence not an `AdapterError`.
    The sentence names rule, event and number and holds no text of a user.

    Args:
        fault: the rule, what it is about, and what was found.
        sequence_number: number of the event, or the number it should have had if it had none.
        event_type: type of the event, or `end`.
    """

    def __init__(self, fault: Fault, sequence_number: int, event_type: str) -> None:
        rule, about, found = fault
        super().__init__(
            f"at {sequence_number} ({event_type}): {found}. {rule.name}: {rule.value}."
        )
        self.rule = rule
        self.about = about
        self.sequence_number = sequence_number
        self.event_type = event_type


class StreamChecker:
    """Reads one stream, event by event, and knows which rules it broke.

    `feed` and `end` raise the first rule that the event broke; all of them are in `violations`, and
    the checker can be fed on after an error.

    Args:
        strict: False leaves out what `RELAXED` lists: what api.openai.com itself does. Our own
            streams are held to everything.
        start: number of the first event. Above 0 the stream was resumed (`starting_after`), which
            can be checked only from before its first item; for a later point, feed the events that
            the client had before.
    """

    def __init__(self, *, strict: bool = True, start: int = 0) -> None:
        self.violations: list[GrammarError] = []
        self._strict = strict
        self._next = start
        self._number = start
        self._event_type = "end"
        self._follow = {**follow_table(STREAM), _RESUMED: frozenset({"queued", "in_progress"})}
        self._state = _RESUMED if start else START
        self._response_id: object = None
        self._output = Output()

    def feed(self, event: Mapping[str, Any]) -> None:
        """Read the next event.

        Raises:
            GrammarError: the event broke a rule.
        """
        known = len(self.violations)
        self._event_type = str(event.get("type"))
        self._read_number(event.get("sequence_number"))
        match _kinds().get(self._event_type):
            case "item":
                self._read_item(self._output.feed(event))
            case "added":
                self._read_item(self._output.add(event))
            case "done":
                self._read_item(self._output.finish(event))
            case "response":
                self._read_response(event)
            case "error":
                self._advance("error")
                self._report(error_faults(event))
            case _:
                self._report(self._read_other())
        self._raise_after(known)

    def end(self, *, cancelled: bool = False) -> None:
        """Say that the stream is over.

        Args:
            cancelled: the response was cancelled; its stream just stops.

        Raises:
            GrammarError: it may not end here.
        """
        known = len(self.violations)
        self._number, self._event_type = self._next, "end"
        if self._state not in TERMINAL and not cancelled:
            self._report([Fault(Rule.ENDED, "", f"the stream stopped after {self._state}")])
        self._raise_after(known)

    def _raise_after(self, known: int) -> None:
        if len(self.violations) > known:
            raise self.violations[known]

    def _report(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            if self._strict or (fault.rule, fault.about) not in RELAXED:
                self.violations.append(GrammarError(fault, self._number, self._event_type))

    def _read_number(self, number: object) -> None:
        expected = self._next
        self._number = number if isinstance(number, int) else expected
        self._next = self._number + 1
        if number != expected:
            self._report([Fault(Rule.SEQUENCE, "", f"{number}, expected {expected}")])

    def _advance(self, symbol: str) -> bool:
        """Take a step in the grammar of the stream; False if the stream is over already."""
        state, self._state = self._state, symbol
        if state in TERMINAL:
            self._state = state
            self._report([_late(state)])
            return False
        if symbol not in self._follow[state]:
            expected = ", ".join(sorted(self._follow[state]))
            found = f"{symbol} after {state}, expected {expected}"
            self._report([Fault(Rule.LIFECYCLE, symbol, found)])
        return True

    def _read_item(self, faults: Iterable[Fault]) -> None:
        if self._advance(ITEM):
            self._report(faults)

    def _read_response(self, event: Mapping[str, Any]) -> None:
        symbol = self._event_type.removeprefix("response.")
        response = event.get("response")
        if not isinstance(response, dict):
            self._report([Fault(Rule.FIELD, "response", "no response object")])
            response = {}
        waits = response.get("status") == "queued"
        step = "created{queued}" if waits else "created{in_progress}"
        if not self._advance(step if symbol == "created" else symbol):
            return
        self._report(response_faults(response, symbol))
        identity = (response.get("id"), response.get("created_at"))
        self._response_id = self._response_id or identity
        if identity != self._response_id:
            self._report([Fault(Rule.RESPONSE_ID, "", "another id or created_at")])
        if symbol in TERMINAL:
            self._report(self._output.end(symbol, response.get("output")))

    def _read_other(self) -> Iterable[Fault]:
        """Pass over keep-alives and extensions, which may come at any time but for both ends."""
        if self._event_type != "keepalive" and ":" not in self._event_type:
            yield Fault(Rule.KNOWN_EVENT, self._event_type, "unknown type")
        elif self._state in TERMINAL:
            yield _late(self._state)
        elif self._state in {START, _RESUMED, "error"}:
            found = f"{self._event_type} after {self._state}"
            yield Fault(Rule.LIFECYCLE, self._event_type, found)


def check(events: Iterable[Mapping[str, Any]], *, strict: bool = True, start: int = 0) -> list[str]:
    """Return a sentence for every rule that a whole stream breaks; none if it is legal.

    Args:
        events: the stream, from its first event to its last.
        strict: as for `StreamChecker`.
        start: as for `StreamChecker`.
    """
    checker = StreamChecker(strict=strict, start=start)
    for event in events:
        with suppress(GrammarError):
            checker.feed(event)
    with suppress(GrammarError):
        checker.end()
    return [str(error) for error in checker.violations]


def _late(state: str) -> Fault:
    return Fault(Rule.NOTHING_AFTER_END, "", f"an event after {state}")


@cache
def _kinds() -> Mapping[str, str]:
    """Return what to do with each type of event."""
    kinds = {
        f"response.{symbol.partition('{')[0]}": "item"
        for row in ITEMS.values()
        for symbol in item_table(row)
    }
    kinds |= {f"response.{symbol}": "response" for symbol in RESPONSE_STATUS}
    return kinds | {f"response.{ADDED}": "added", f"response.{DONE}": "done", "error": "error"}
