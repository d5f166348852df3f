"""The state of the settings: which store, and how it is used."""

import time
from collections.abc import Callable

from adapter.config import NO_STORE, Settings, SettingsError
from adapter.observe.observer import Observer
from adapter.state import State, StateOptions
from adapter.store.base import ResponseStore


def make_state(
    given: ResponseStore | None,
    settings: Settings,
    new_id: Callable[[str], str],
    observer: Observer | None = None,
) -> State | None:
    """Return what keeps responses and conversations, or None if nothing does.

    Args:
        given: the store, if not that of the settings.
        settings: the settings.
        new_id: (prefix) to a new id.
        observer: is told what the store is asked for.

    Raises:
        SettingsError: the URL names no store, or one that needs an extra.
    """
    store = given if given is not None else _store_of(settings)
    if store is None:
        return None
    if observer is not None:
        store = observer.store(store)
    options = StateOptions(
        ttl_seconds=settings.store_ttl,
        must_be_kept=settings.store_error == "fail",
        max_history_bytes=settings.max_history_bytes,
    )
    return State(store, options, new_id=new_id, now=time.time)


def _store_of(settings: Settings) -> ResponseStore | None:
    if settings.store is None or settings.store == NO_STORE:
        return None
    from adapter.store import make_store

    try:
        return make_store(settings.store)
    except (ValueError, ModuleNotFoundError) as exc:
        raise SettingsError(f"Invalid setting 'store': {str(exc).rstrip('.')}.") from exc
