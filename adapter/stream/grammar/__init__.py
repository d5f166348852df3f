"""The rule book: checks that a stream of Responses events is legal, event by event.

For tests, for contract tests on the wire and for a strict mode in staging. It reads events as plain
dicts (decoded JSON, as they are on the wire), does no IO, and takes time in proportion to the
stream. It was written without regard to the state machine that makes our events: two descriptions
that must agree find bugs, one that drives itself does not.

    checker = StreamChecker()
    for event in events:
        checker.feed(event)         # raises GrammarError
    checker.end()

The tables come first: `rules.py` (the rules, and the stream around the items), `rows.py` (one row
per type of item and of text), `notation.py` (how a row becomes a table of what may follow what).
Then what reads them: `checker.py` (the stream), `output.py` (its items), `items.py` (one item),
`responses.py` (the response object).
"""

from adapter.stream.grammar.checker import GrammarError, StreamChecker, check
from adapter.stream.grammar.rules import RELAXED, Rule

__all__ = ["RELAXED", "GrammarError", "Rule", "StreamChecker", "check"]
