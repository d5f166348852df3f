"""Making a chat request fit the upstream: one step per subject, each driven by the dialect alone.

The request that comes in is what OpenAI would take. What a step changes it reports, by the path of
the Responses parameter that the client sent. Messages are arranged for every upstream; that is
reported only where a refusal taught how.
"""

from collections.abc import Callable, Collection, Mapping

from adapter.dialects import Dialect
from adapter.tools.kinds import GrammarInput
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
from adapter.types.chat import ChatRequest

__all__ = ["Draft", "fit"]

_Step = Callable[[Draft, Dialect], None]

# (step, the facts by which it arranges messages). Instructions come before roles are arranged;
# fields are sorted out when all of them are there.
_STEPS: tuple[tuple[_Step, tuple[str, ...]], ...] = (
    (fit_grammars, ()),
    (fit_tool_choice, ()),
    (fit_format, ()),
    (fit_schemas, ()),
    (fit_effort, ()),
    (fit_single_calls, ("parallel_calls",)),
    (fit_reasoning, ("reasoning_field", "reasoning_replay", "reasoning_filler")),
    (fit_empty_answers, ("empty_answers",)),
    (fit_roles, ("system_role", "late_system", "merge_same_role", "refusal_field")),
    (fit_tool_bridge, ("tool_bridge",)),
    (fit_last_answer, ("last_answer",)),
    (fit_call_ids, ("call_id_length", "object_arguments")),
    (fit_signatures, ()),
    (fit_numbers, ()),
    (fit_body, ()),
    (fit_fields, ()),
)


def fit(
    chat: ChatRequest,
    dialect: Dialect,
    kept: Collection[str] = (),
    grammars: Mapping[str, GrammarInput] | None = None,
) -> Draft:
    """Return the request as the dialect takes it, with what was changed.

    Args:
        chat: the request as OpenAI would take it.
        dialect: of the upstream.
        kept: fields that are sent though the dialect may not know them.
        grammars: that the input of custom tools has to fit, by the name of the function.
    """
    draft = Draft(chat, kept, grammars)
    learned = dialect.learned
    for step, facts in _STEPS:
        if learned and not learned.isdisjoint(facts):
            _report_arranged(step, draft, dialect)
        else:
            step(draft, dialect)
    if "image_urls" in learned and find_image_urls(chat):
        draft.rewrite("input")
    return draft


def _report_arranged(step: _Step, draft: Draft, dialect: Dialect) -> None:
    """Take a step that a refusal taught, and report the messages that it arranges."""
    before = draft.messages
    step(draft, dialect)
    if draft.messages != before:
        draft.rewrite("instructions" if draft.messages[1:] == before[1:] else "input")
