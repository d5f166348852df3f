"""Fields that the upstream wants in every request; what the client gives itself stays.

They may be refused later like any other (`adapter.translate.fit.fields`).
"""

from adapter.dialects import Dialect
from adapter.translate.fit.draft import Draft
from adapter.translate.fit.effort import put


def fit_body(draft: Draft, dialect: Dialect) -> None:
    """Add what is missing."""
    for path, value in dialect.body.items():
        put(draft.parameters, path, value)
