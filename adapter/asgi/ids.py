"""Ids that nobody can guess, such as `resp_…`."""

import os
from typing import Final

ID_BYTES: Final = 24  # 48 hex digits, as OpenAI's ids have
CALL_ID_BYTES: Final = (
    12  # it comes back in history, where OpenAI's chat takes 40 characters at most
)

# Random bytes are asked for so many ids at a time: to ask costs 2 µs, and a response needs three.
_IDS_AT_ONCE: Final = 128


class NewIds:
    """(prefix) to a new id. Threads may share it: what is taken from a list, nobody else gets."""

    def __init__(self) -> None:
        self._random: list[bytes] = []
        os.register_at_fork(after_in_child=self._random.clear)  # a child must not say the same

    def __call__(self, prefix: str) -> str:
        try:
            random = self._random.pop()
        except IndexError:
            drawn = os.urandom(ID_BYTES * _IDS_AT_ONCE)
            random, *rest = [
                drawn[start : start + ID_BYTES] for start in range(0, len(drawn), ID_BYTES)
            ]
            self._random += rest
        return f"{prefix}_{(random[:CALL_ID_BYTES] if prefix == 'call' else random).hex()}"


new_id: Final = NewIds()
