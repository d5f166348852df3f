"""Making a chat request fit the upstream: one step per subject, each driven by the dialect alone.

The request that comes in is what OpenAI would take. What a step changes it reports, by the path of
the Responses parameter that the client sent.
"""

from collections.abc import Callable

from adapter.dialects import Dialect
from adapter.translate.fit.body import fit_body
from adapter.translate.fit.call_ids import fit_call_ids
from adapter.translate.fit.draft import Draft
from adapter.translate.fit.effort import fit_effort
from adapter.translate.fit.fields import fit_fields
from adapter.translate.fit.formats import fit_format
from adapter.translate.fit.numbers import fit_numbers
from adapter.translate.fit.reasoning import fit_reasoning
from adapter.translate.fit.roles import fit_roles
from adapter.translate.fit.schemas import fit_schemas
from adapter.translate.fit.signatures import fit_signatures
from adapter.translate.fit.tool_choice import fit_tool_choice
from adapter.translate.fit.turns import fit_empty_answers, fit_tool_bridge
from adapter.types.chat import ChatRequest

__all__ = ["Draft", "fit"]

# Instructions come before roles are arranged; fields are sorted out when all of them are there.
_STEPS: tuple[Callable[[Draft, Dialect], None], ...] = (
    fit_tool_choice,
    fit_format,
    fit_schemas,
    fit_effort,
    fit_reasoning,
    fit_empty_answers,
    fit_roles,
    fit_tool_bridge,
    fit_call_ids,
    fit_signatures,
    fit_numbers,
    fit_body,
    fit_fields,
)


def fit(chat: ChatRequest, dialect: Dialect) -> Draft:
    """Return the request as the dialect takes it, with what was changed."""
    draft = Draft(chat)
    for step in _STEPS:
        step(draft, dialect)
    return draft
