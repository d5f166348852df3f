"""What the processes of `serve` tell: their log, their traces, and the folder of shared counts."""

import logging.config
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from adapter.config import Settings
from adapter.observe.log_format import log_config

# The library reads both as it is imported.
SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
NO_CREATED_SERIES = "PROMETHEUS_DISABLE_CREATED_SERIES"


def begin_to_tell(settings: Settings, log_level: str) -> dict[str, Any]:
    """Set up logs and traces of this process, and return the configuration of logs for others.

    It comes before the app, which looks whether its lines are wanted.

    Raises:
        SettingsError: traces need an extra that is not installed.
    """
    config = log_config(settings.log_format, log_level)
    logging.config.dictConfig(config)
    leave_out_unread()
    if settings.metrics:  # nobody asks when a counter was made, and it doubles the series
        os.environ.setdefault(NO_CREATED_SERIES, "true")
    begin_to_trace(settings)
    return config


def leave_out_unread() -> None:
    """Let lines be made without what none of them shows; to find it out takes a third of the time."""
    logging.logThreads = False
    logging.logProcesses = False
    logging.logMultiprocessing = False
    if sys.version_info >= (3, 12):
        logging.logAsyncioTasks = False


def begin_to_trace(settings: Settings) -> None:
    """Set up the traces of this process, if there are to be any; see `begin_to_tell`."""
    if settings.traces:
        from adapter.observe.tracing import start_tracing

        start_tracing()


@contextmanager
def shared_counts(settings: Settings) -> Generator[None]:
    """Let processes that are started in the block count together.

    They do so in files of a folder: of the one that the environment names, or of one for this run.
    """
    if not settings.metrics or os.environ.get(SHARED_FOLDER):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="responses-adapter-metrics-") as folder:
        os.environ[SHARED_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_FOLDER]
