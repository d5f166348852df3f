"""An answer's text as the call that it stands for.

A custom tool with a grammar is asked for by its input alone (`adapter.translate.fit.grammars`): what
the model answers is the input. It becomes the arguments of the function, piece by piece, so that
everything behind sees a call like any other.
"""

import json
from collections.abc import Iterable

from adapter.stream.deltas import CallDelta, Delta, RefusalDelta, TextDelta
from adapter.tools.unwrap import FIELD

_SLOT = -1  # no upstream counts so
_BEGINNING = f'{{"{FIELD}":"'
_END = '"}'


class TextCall:
    """Makes a call of the text of one answer.

    Args:
        name: the function that is called.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._has_begun = False
        self._has_others = False  # a refusal, or a call of the upstream's own

    def feed(self, deltas: Iterable[Delta]) -> list[Delta]:
        """Return the deltas with pieces of the call in place of text."""
        pieces: list[Delta] = []
        for delta in deltas:
            if isinstance(delta, TextDelta):
                pieces += [self._piece(delta.text)] if delta.text else []
            else:
                self._has_others |= isinstance(delta, RefusalDelta | CallDelta)
                pieces.append(delta)
        return pieces

    def end(self, finish_reason: str | None) -> list[Delta]:
        """Return the end of the call. A model that stops without a word has written nothing.

        Args:
            finish_reason: why it stopped.
        """
        if not self._has_begun and (self._has_others or finish_reason != "stop"):
            return []
        empty = [] if self._has_begun else [self._piece("")]
        return [*empty, CallDelta(_SLOT, "", "", _END)]

    def _piece(self, text: str) -> CallDelta:
        arguments = json.dumps(text, ensure_ascii=False)[1:-1]
        if self._has_begun:
            return CallDelta(_SLOT, "", "", arguments)
        self._has_begun = True
        return CallDelta(_SLOT, "", self._name, _BEGINNING + arguments)
