"""Numbers that a server takes from a narrower range than OpenAI, or one alone.

Source: `reported.md` §3.3; Mistral's 422 "Input should be less than or equal to 1.5", TGI's
"`top_p` must be > 0.0 and < 1.0. Got 1.0", Kimi's "invalid temperature: only 1 is allowed for this
model", Anthropic's "`temperature` and `top_p` cannot both be specified".
"""

import re

import msgspec

from adapter.dialects import Dialect
from adapter.translate.refusal import Refusal

# What OpenAI takes, and so what a client may rightly send.
_RANGES = {
    "temperature": (0.0, 2.0),
    "top_p": (0.0, 1.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "top_logprobs": (0.0, 20.0),
}
_STEP = 0.01  # what is left between a bound that is not taken itself and the nearest number
_NUMBER = r"\(?(-?\d+(?:\.\d+)?)"
_ONE_VALUE = re.compile(
    rf"only (?:the )?(?:default|(?:value )?{_NUMBER} is)|only be (?:set to )?{_NUMBER}|\bfixed\b"
    rf"|(?:must|has to|should) be (?:set to |exactly |equal to )?{_NUMBER}(?![\d.]| ?[-~,]| (?:or|and|to)\b)"
)
_BOTH = re.compile(
    rf"([\[(]) *{_NUMBER} *, *{_NUMBER} *([\])])|between {_NUMBER} and {_NUMBER}"
    rf"|(?:from|range\W{{1,3}}) ?{_NUMBER} ?(?:to|-|~) ?{_NUMBER}"
)
# (pattern, whether the bound is taken itself)
_UPPER = (
    (rf"less than or equal to {_NUMBER}", True),
    (
        rf"(?:<=|≤|at most|up to|max(?:imum)?(?: value)?(?: allowed)?(?: is|:|=)?|exceed) ?{_NUMBER}",
        True,
    ),
    (rf"(?:not be|no) (?:greater|more|larger|higher) than {_NUMBER}", True),
    (rf"(?:(?<!not be )(?<!no )less than|<) ?{_NUMBER}", False),
)
_LOWER = (
    (rf"greater than or equal to {_NUMBER}", True),
    (rf"(?:>=|≥|at least|min(?:imum)?(?: value)?(?: allowed)?(?: is|:|=)?) ?{_NUMBER}", True),
    (rf"(?:not be|no) (?:less|smaller|lower) than {_NUMBER}", True),
    (rf"(?:(?<!not be )(?<!no )greater than|>) ?{_NUMBER}", False),
)


def fixed_number(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """A model that takes one value, its default, needs none."""
    sent = _sent(refusal)
    if not sent or not _ONE_VALUE.search(refusal.text):
        return None
    return msgspec.structs.replace(dialect, refuses=dialect.refuses | set(sent))


def one_of_two(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """Two numbers that steer the same thing."""
    sent = _sent(refusal)
    if len(sent) != 2 or not refusal.mentions("both", "together", "only one"):
        return None
    first, second = sent
    return msgspec.structs.replace(dialect, exclusive=dialect.exclusive | {(first, second)})


def number_range(refusal: Refusal, dialect: Dialect) -> Dialect | None:
    """A range that the value which was sent is not in."""
    for name in _sent(refusal):
        value = refusal.chat.parameters[name]
        least, greatest = _read_range(refusal.text, dialect.ranges.get(name, _RANGES[name]))
        if least < greatest and not least <= value <= greatest:
            ranges = {**dialect.ranges, name: (least, greatest)}
            return msgspec.structs.replace(dialect, ranges=ranges)
    return None


def _sent(refusal: Refusal) -> list[str]:
    return [name for name in _RANGES if name in refusal.chat.parameters and refusal.names(name)]


def _read_range(text: str, known: tuple[float, float]) -> tuple[float, float]:
    if found := _BOTH.search(text):
        opening, *numbers, closing = (
            found[1],
            *(float(number) for number in found.group(2, 3, 5, 6, 7, 8) if number is not None),
            found[4],
        )
        least, greatest = numbers
        return least + (opening == "(") * _STEP, greatest - (closing == ")") * _STEP
    least, greatest = known
    for pattern, is_taken in _LOWER:
        if found := re.search(pattern, text):
            least = float(found[1]) + (not is_taken) * _STEP
            break
    for pattern, is_taken in _UPPER:
        if found := re.search(pattern, text):
            greatest = float(found[1]) - (not is_taken) * _STEP
            break
    return least, greatest
