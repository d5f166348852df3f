"""What the settings want to be told of requests. Libraries of extras are imported here."""

import logging

from adapter.config import Settings, SettingsError
from adapter.observe.observer import Observer
from adapter.observe.request_log import RequestLog, logger
from adapter.observe.sink import ShowsMetrics, Sink


def make_observer(settings: Settings) -> Observer | None:
    """Return what is told of requests, or None if nobody wants to know.

    Raises:
        SettingsError: the settings need an extra that is not installed.
    """
    sinks: list[Sink] = []
    exposition: ShowsMetrics | None = None
    if settings.traces:
        sinks.append(_traces())
    if settings.metrics:
        exposition, metrics = _metrics()
        sinks.append(metrics)
    if logger.isEnabledFor(logging.INFO):
        sinks.append(RequestLog())
    if not sinks and not settings.server_timing:
        return None
    return Observer(sinks, exposition, times_answers=settings.server_timing)


def _metrics() -> tuple[ShowsMetrics, Sink]:
    try:
        from prometheus_client import CollectorRegistry

        from adapter.observe.exposition import Exposition, shared_folder
        from adapter.observe.metrics import SHARED_SECONDS, Metrics
    except ModuleNotFoundError as exc:
        raise _missing("metrics") from exc
    registry = CollectorRegistry()
    metrics = Metrics(registry, SHARED_SECONDS if shared_folder() else None)
    return Exposition(registry, metrics.flush), metrics


def _traces() -> Sink:
    try:
        from adapter.observe.traces import Traces
    except ModuleNotFoundError as exc:
        raise _missing("traces") from exc
    return Traces()


def _missing(extra: str) -> SettingsError:
    return SettingsError(
        f"The setting '{extra}' needs an extra: pip install 'responses-adapter[{extra}]'."
    )
