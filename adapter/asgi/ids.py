"""Ids that nobody can guess, such as `resp_…`."""

import os
from typing import Final

ID_DIGITS: Final = 48  # as OpenAI's ids have
CALL_ID_DIGITS: Final = (
    24  # it comes back in history, where OpenAI's chat takes 40 characters at most
)

# Digits are made for so many ids at a time: to ask for random costs 2 µs, and a response needs three.
_IDS_AT_ONCE: Final = 128


class NewIds:
    """(prefix) to a new id. Threads may share it: what is taken from a list, nobody else gets."""

    def __init__(self) -> None:
        self._digits: list[str] = []
        os.register_at_fork(after_in_child=self._digits.clear)  # a child must not say the same

    def __call__(self, prefix: str) -> str:
        try:
            digits = self._digits.pop()
        except IndexError:
            drawn = os.urandom(ID_DIGITS // 2 * _IDS_AT_ONCE).hex()
            digits, *rest = [
                drawn[start : start + ID_DIGITS] for start in range(0, len(drawn), ID_DIGITS)
            ]
            self._digits += rest
        return f"{prefix}_{digits[:CALL_ID_DIGITS] if prefix == 'call' else digits}"


new_id: Final = NewIds()
