"""Statuses as single clients take them, where that is not what they mean."""

from collections.abc import Mapping

from adapter.errors import AdapterError
from adapter.translate.causes import NO_QUOTA

# What a client may mend, or wait for, before it comes back.
_NOT_FINAL = frozenset({401, 408, 409, 425, 426, 429})


def status_for(error: AdapterError, headers: Mapping[str, str]) -> int:
    """Return the status of an error, for the client that sent these headers.

    Codex ends a turn at once only on 400. After every other refusal it comes back five times, with
    the reason hidden until then (openai/codex#27047 is about a model that does not exist;
    `CodexErr::is_retryable`).
    """
    is_final = 400 <= error.status < 500 and error.status not in _NOT_FINAL
    if headers.get("originator", "").startswith("codex") and (is_final or error.code == NO_QUOTA):
        return 400
    return error.status
