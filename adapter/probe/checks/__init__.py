"""The checks, one row each, in their order: later questions build on earlier findings."""

from adapter.probe.check import Check
from adapter.probe.checks import answer, faults, fields, formats, parts, reasoning, roles, tools

FIRST = answer.FIRST  # without an answer to it, there is nothing else to ask

CHECKS: tuple[Check, ...] = (
    answer.SERVER,
    answer.STREAM_END,
    answer.SPEED,
    answer.ZERO_TEMPERATURE,
    answer.OUTPUT_LIMIT,
    fields.USAGE,
    answer.WHOLE,
    reasoning.PLACE,
    reasoning.EFFORT_NONE,
    reasoning.EFFORT_LOW,
    *roles.ROLES,
    tools.CALLS,
    *tools.CHOICES,
    tools.RESULTS,
    reasoning.EARLIER,
    formats.OBJECT,
    formats.SCHEMA,
    *fields.LOGPROBS,
    fields.SAMPLING,
    fields.UNKNOWN,
    *parts.PARTS,
    faults.ERRORS,
    faults.OVERFLOW,
)

__all__ = ["CHECKS", "FIRST"]
