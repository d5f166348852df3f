"""Telling the caller what was not sent upstream as it came.

`x-adapter-dropped` and `x-adapter-adapted` list paths of the request, such as `tools[2]`.
"""

import logging
import re
from collections.abc import Sequence

from adapter.observe.timing import timing_headers
from adapter.translate.request import Translation

logger = logging.getLogger(__name__)

MAX_HEADER_CHARS = 1024  # names of unknown fields are the client's own words
_UNSAFE = re.compile(r"[^A-Za-z0-9_.\[\]-]")


def report_headers(translation: Translation) -> list[tuple[bytes, bytes]]:
    """Return the response headers, and log the same; none if everything was sent as it came.

    With them goes how long the answer took, if that is to be said.
    """
    if not (translation.dropped or translation.adapted):
        return timing_headers()
    headers: list[tuple[bytes, bytes]] = []
    for name, paths in (
        ("x-adapter-dropped", translation.dropped),
        ("x-adapter-adapted", translation.adapted),
    ):
        if paths:
            value = _join(paths)
            logger.debug("%s: %s", name, value)
            headers.append((name.encode(), value.encode()))
    return headers + timing_headers()


def _join(paths: Sequence[str]) -> str:
    value = ", ".join(_UNSAFE.sub("_", path) for path in paths)
    if len(value) <= MAX_HEADER_CHARS:
        return value
    return value[:MAX_HEADER_CHARS].rpartition(",")[0] + ", ..."
