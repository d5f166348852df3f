"""How log lines of `serve` look: JSON for machines, text for people.

Every line that belongs to a request has its id, which the answer has in `x-request-id`.
"""

import logging
import sys
import time
from typing import Any, Final, Literal

import msgspec

from adapter.observe.exchange import request_id
from adapter.observe.request_log import RequestLine

LogFormat = Literal["auto", "json", "text"]

_encode = msgspec.json.Encoder(enc_hook=repr).encode
_COLOURS: Final = {
    logging.DEBUG: "\x1b[36m",
    logging.INFO: "\x1b[32m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
_DIM: Final = "\x1b[2m"
_PLAIN: Final = "\x1b[0m"


class RequestIdFilter(logging.Filter):
    """Gives every record the id of its request, as `request_id`, for formats of your own."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let all through."""
        record.request_id = request_id.get()
        return True


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def __init__(self) -> None:
        super().__init__()
        self._second = -1
        self._shown_second = ""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "time": self._shown_time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if id := request_id.get():
            line["request_id"] = id
        if isinstance(record, RequestLine):
            line["message"] = "request"
            line |= record.facts
        else:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return _encode(line).decode()

    def _shown_time(self, seconds: float) -> str:
        """Return the time in UTC (RFC 3339); the most of it is the same for a second."""
        second = int(seconds)
        if second != self._second:
            self._second = second
            self._shown_second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._shown_second}.{int((seconds - second) * 1000):03}Z"


class TextFormatter(logging.Formatter):
    """One readable line, with colours on a terminal.

    Args:
        colours: use them.
    """

    def __init__(self, *, colours: bool = False) -> None:
        super().__init__()
        self._colours = colours

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        clock = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname.lower():8}"
        name = record.name.removesuffix(".error")  # uvicorn's, which says all else there too
        where = "" if isinstance(record, RequestLine) else f"{name}: "
        id = request_id.get()
        behind = f" [{id}]" if id else ""
        if self._colours:
            clock = f"{_DIM}{clock}{_PLAIN}"
            level = f"{_COLOURS.get(record.levelno, '')}{level}{_PLAIN}"
            where, behind = f"{_DIM}{where}{_PLAIN}", f"{_DIM}{behind}{_PLAIN}"
        line = f"{clock} {level} {where}{record.getMessage()}{behind}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def make_formatter(log_format: LogFormat) -> logging.Formatter:
    """Return what writes to stderr: `auto` is text on a terminal and JSON elsewhere."""
    is_terminal = sys.stderr.isatty()
    if log_format == "json" or (log_format == "auto" and not is_terminal):
        return JsonFormatter()
    return TextFormatter(colours=is_terminal)


def log_config(log_format: LogFormat, level: str) -> dict[str, Any]:
    """Return the configuration of logging, as `logging.config.dictConfig` takes it.

    Args:
        log_format: see `make_formatter`.
        level: of the server's own lines; those of libraries begin at warning.
    """
    level = "DEBUG" if level == "trace" else level.upper()  # the library has no trace
    ours = {"level": level}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": {"()": make_formatter, "log_format": log_format}},
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stderr",
                "formatter": "ours",
            }
        },
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {"adapter": ours, "uvicorn": ours, "uvicorn.error": ours},
    }
