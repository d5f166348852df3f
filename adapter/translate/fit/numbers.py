"""Numbers in the range that the upstream takes.

Source: `reported.md` §3.3 (MiniMax wants a temperature above 0, Kimi one up to 1), GLM, TGI.
"""

import msgspec
from msgspec import Raw

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft

_WHOLE = frozenset({"top_logprobs"})
_number = msgspec.json.Decoder(int | float)


def fit_numbers(draft: Draft, dialect: Dialect) -> None:
    """Put the nearest number that is taken in place of one that is not."""
    for name, (least, greatest) in dialect.ranges.items():
        given = _read(draft.parameters.get(name))
        if given is not None and not least <= given <= greatest:
            nearest = least if given < least else greatest
            draft.parameters[name] = int(nearest) if name in _WHOLE else nearest
            draft.adapted.append(name)


def _read(value: object) -> float | None:
    """Return a number, or None for anything else, which the upstream may judge."""
    if isinstance(value, Raw):
        try:
            number: float = _number.decode(value)
        except msgspec.DecodeError:
            return None
        return number
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    return None
