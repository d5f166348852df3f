"""One log line for each request, when it is over: facts and times, nothing of its content.

They are lines of level info of the logger `adapter.requests`; where that is not enabled when the
app is made, there are none. Handlers that know of `facts` (`adapter.observe.log_format` does) have
them apart; for all others they are in the message.
"""

import logging
from typing import Any, Final

from adapter.observe.exchange import Exchange, ObservedRun
from adapter.observe.families import families_of
from adapter.observe.sink import Sink
from adapter.types.events import Event

LOGGER_NAME: Final = "adapter.requests"
MAX_FAMILIES: Final = 20  # in one line
BARE: Final = frozenset({"method", "endpoint", "status", "outcome"})  # they speak for themselves

logger = logging.getLogger(LOGGER_NAME)


class RequestLine(logging.LogRecord):
    """The line of a request; its message is made when somebody wants it.

    Attributes:
        facts: of the request, by name, in the order in which they are shown.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(LOGGER_NAME, logging.INFO, __file__, 0, "", None, None)
        self.facts = facts

    def getMessage(self) -> str:  # noqa: N802  # the library's name
        """Return the facts as text."""
        parts = [
            str(value) if name in BARE else f"{name}={_shown(value)}"
            for name, value in self.facts.items()
        ]
        return " ".join(parts)


class RequestLog(Sink):
    """Writes the lines."""

    def end(self, exchange: Exchange) -> None:
        """See `Sink.end`."""
        # Made here, because the logger would look up the stack for who called it.
        logger.handle(RequestLine(facts_of(exchange)))


def facts_of(exchange: Exchange) -> dict[str, Any]:
    """Return what is said of a request; times are milliseconds."""
    facts: dict[str, Any] = {
        "method": exchange.method,
        "endpoint": exchange.endpoint,
        "status": exchange.status,
        "outcome": exchange.outcome,
        "ms": _milliseconds(exchange.seconds),
    }
    if exchange.first_event is not None:
        facts["first_event_ms"] = _milliseconds(exchange.first_event - exchange.started)
    if exchange.turn is not None:
        facts["upstream_ms"] = _milliseconds(exchange.upstream_seconds)
    if exchange.transport != "http":
        facts["transport"] = exchange.transport
    if exchange.route:
        facts["route"] = exchange.route
    if exchange.error:
        facts["error"] = exchange.error
    if exchange.run is not None:
        _add_run(facts, exchange.run)
    return facts


def _add_run(facts: dict[str, Any], run: ObservedRun) -> None:
    if run.end is not None:
        _add_response(facts, run.end)
    for name, paths in (("dropped", run.translation.dropped), ("adapted", run.translation.adapted)):
        if paths:
            facts[name] = families_of(paths)[:MAX_FAMILIES]
    if learned := run.learned:
        facts["learned"] = tuple(sorted(learned))


def _add_response(facts: dict[str, Any], last: Event) -> None:
    response = last.response  # type: ignore[union-attr]  # the last event has one
    usage = response.usage
    if usage is not None:
        facts["tokens_in"] = usage.input_tokens
        facts["tokens_out"] = usage.output_tokens
        if cached := usage.input_tokens_details.cached_tokens:
            facts["tokens_cached"] = cached
        if reasoning := usage.output_tokens_details.reasoning_tokens:
            facts["tokens_reasoning"] = reasoning
    facts["events"] = last.sequence_number + 1
    facts["response"] = response.id


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


def _shown(value: Any) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)
