r"""Sets of characters, as ranges of code points.

Classes such as `\w` are those of ASCII: an upstream would otherwise get hundreds of ranges. The
classes that are their opposites hold everything else.
"""

from collections.abc import Callable, Iterable

Ranges = tuple[tuple[int, int], ...]

LAST = 0x10FFFF
_SURROGATES = (0xD800, 0xDFFF)  # no characters: no text has them


def ranges_of(pairs: Iterable[tuple[int, int]]) -> Ranges:
    """Return ranges sorted, joined where they meet, and without surrogates."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(_without_surrogates(pairs)):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(high, joined[-1][1]))
        else:
            joined.append((low, high))
    return tuple(joined)


def chars(text: str) -> Ranges:
    """Return the characters of a text."""
    return ranges_of((ord(char), ord(char)) for char in text)


def negate(ranges: Ranges) -> Ranges:
    """Return all other characters."""
    others: list[tuple[int, int]] = []
    begin = 0
    for low, high in ranges:
        if begin < low:
            others.append((begin, low - 1))
        begin = high + 1
    if begin <= LAST:
        others.append((begin, LAST))
    return ranges_of(others)


def either_case(ranges: Ranges) -> Ranges:
    """Return the characters in upper and lower case; of those beyond ASCII, single ones alone."""
    more = list(ranges)
    for low, high in ranges:
        if low == high:
            swapped = chr(low).swapcase()
            more += [(ord(swapped), ord(swapped))] if len(swapped) == 1 else []
            continue
        for first, last, shift in ((0x41, 0x5A, 0x20), (0x61, 0x7A, -0x20)):
            begin, end = max(low, first), min(high, last)
            if begin <= end:
                more.append((begin + shift, end + shift))
    return ranges_of(more)


def write_class(ranges: Ranges, escape: Callable[[str], str]) -> str:
    """Return the characters as a class in brackets; if the last of all is in it, by the others.

    A dash and a caret stand last, where they mean nothing: not every reader knows an escape for
    them.

    Args:
        ranges: of the characters, though not all that there are.
        escape: writes one character.
    """
    is_negated = contains(ranges, LAST)
    shown = negate(ranges) if is_negated else _over_surrogates(ranges)
    last = [code for code in map(ord, "^-") if contains(shown, code)]
    members = [
        escape(chr(low)) + (f"-{escape(chr(high))}" if low < high else "")
        for low, high in _without(shown, last)
    ]
    return f"[{'^' if is_negated else ''}{''.join(members)}{''.join(map(chr, last))}]"


def contains(ranges: Ranges, code: int) -> bool:
    return any(low <= code <= high for low, high in ranges)


def overlaps(ranges: Ranges, others: Ranges) -> bool:
    return any(low <= end and begin <= high for low, high in ranges for begin, end in others)


def _without_surrogates(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    first, last = _SURROGATES
    kept: list[tuple[int, int]] = []
    for low, high in pairs:
        kept += [
            (begin, end)
            for begin, end in ((low, min(high, first - 1)), (max(low, last + 1), high))
            if begin <= end
        ]
    return kept


def _without(ranges: Ranges, codes: Iterable[int]) -> Ranges:
    """Return the ranges with single characters taken out, and otherwise as they are."""
    for code in codes:
        cut: list[tuple[int, int]] = []
        for low, high in ranges:
            if low <= code <= high:
                cut += [(low, code - 1)] * (low < code) + [(code + 1, high)] * (code < high)
            else:
                cut.append((low, high))
        ranges = tuple(cut)
    return ranges


def _over_surrogates(ranges: Ranges) -> Ranges:
    """Return the ranges joined over surrogates, which no text has."""
    first, last = _SURROGATES
    joined: list[tuple[int, int]] = []
    for low, high in ranges:
        if low == last + 1 and joined and joined[-1][1] == first - 1:
            joined[-1] = (joined[-1][0], high)
        else:
            joined.append((low, high))
    return tuple(joined)


DIGITS: Ranges = ((0x30, 0x39),)
WORD: Ranges = ranges_of([(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
BLANKS: Ranges = chars(" \t\n\r\f\v")
NO_NEWLINE: Ranges = negate(chars("\n"))
ANYTHING: Ranges = ranges_of([(0, LAST)])
