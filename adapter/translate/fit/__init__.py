"""Making a chat request fit the upstream: one step per subject, each driven by the dialect alone.

The request that comes in is what OpenAI would take. What a step changes it reports, by the path of
the Responses parameter that the client sent. Messages are arranged for every upstream; that is
reported only where a refusal taught how.
"""

from collections.abc import Callable
from operator import attrgetter

from adapter.dialects import Dialect
from adapter.translate.fit.body import fit_body
from adapter.translate.fit.call_ids import fit_call_ids
from adapter.translate.fit.draft import Draft
from adapter.translate.fit.effort import fit_effort
from adapter.translate.fit.fields import fit_fields
from adapter.translate.fit.formats import fit_format
from adapter.translate.fit.grammars import fit_grammars
from adapter.translate.fit.numbers import fit_numbers
from adapter.translate.fit.reasoning import fit_reasoning
from adapter.translate.fit.roles import fit_roles
from adapter.translate.fit.schemas import fit_schemas
from adapter.translate.fit.signatures import fit_signatures
from adapter.translate.fit.tool_choice import fit_tool_choice
from adapter.translate.fit.turns import (
    fit_empty_answers,
    fit_last_answer,
    fit_single_calls,
    fit_tool_bridge,
)
from adapter.translate.media import find_image_urls

__all__ = ["Draft", "fit"]

_Step = Callable[[Draft, Dialect], None]

# (step, the facts by which it arranges messages).
_OF_MESSAGES: tuple[tuple[_Step, tuple[str, ...]], ...] = (
    (fit_single_calls, ("parallel_calls",)),
    (fit_reasoning, ("reasoning_field", "reasoning_replay", "reasoning_filler")),
    (fit_empty_answers, ("empty_answers",)),
    (fit_roles, ("system_role", "late_system", "merge_same_role", "refusal_field")),
    (fit_tool_bridge, ("tool_bridge",)),
    (fit_last_answer, ("last_answer",)),
    (fit_call_ids, ("call_id_length", "object_arguments")),
    (fit_signatures, ()),
)
# All but one have nothing to do before the model has answered.
_OF_QUESTIONS = tuple(row for row in _OF_MESSAGES if row[0] is fit_roles)
_OF_ANSWERS = frozenset({"assistant", "tool"})
_role_of = attrgetter("role")


def fit(draft: Draft, dialect: Dialect) -> None:
    """Make a request what the dialect takes, and note what was changed.

    Args:
        draft: the request as OpenAI would take it.
        dialect: of the upstream.
    """
    # First what may add to the instructions, which are arranged behind it.
    if draft.grammars:
        fit_grammars(draft, dialect)
    if "tool_choice" in draft.parameters:
        fit_tool_choice(draft, dialect)
    if "response_format" in draft.parameters:
        fit_format(draft, dialect)
    if dialect.schema_refuses or not (dialect.strict_tools and dialect.strict_formats):
        fit_schemas(draft, dialect)
    if "reasoning_effort" in draft.parameters:
        fit_effort(draft, dialect)
    learned = dialect.learned
    is_question = _OF_ANSWERS.isdisjoint(map(_role_of, draft.messages))
    for step, facts in _OF_QUESTIONS if is_question else _OF_MESSAGES:
        if learned and not learned.isdisjoint(facts):
            _report_arranged(step, draft, dialect)
        else:
            step(draft, dialect)
    if dialect.ranges or dialect.body:
        fit_numbers(draft, dialect)
        fit_body(draft, dialect)
    fit_fields(draft, dialect)  # once all of them are there
    if "image_urls" in learned and find_image_urls(draft.request()):
        draft.rewrite("input")


def _report_arranged(step: _Step, draft: Draft, dialect: Dialect) -> None:
    """Take a step that a refusal taught, and report the messages that it arranges."""
    before = draft.messages
    step(draft, dialect)
    if draft.messages != before:
        draft.rewrite("instructions" if draft.messages[1:] == before[1:] else "input")
