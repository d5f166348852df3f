"""What commands set up in this process is put back: the log is that of all tests."""

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Put the levels of all loggers back, with what they write to."""
    names = ("", *logging.root.manager.loggerDict)
    before = [
        (logger, logger.level, logger.handlers[:], logger.propagate)
        for logger in map(logging.getLogger, names)
    ]
    yield
    for name in logging.root.manager.loggerDict.keys() - set(names):
        logging.getLogger(name).setLevel(logging.NOTSET)
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate
