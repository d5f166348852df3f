"""`GET /adapter/metrics`: what was counted, in the text format of Prometheus or OpenMetrics.

With several processes the library keeps its values in files of a shared folder, which
`PROMETHEUS_MULTIPROC_DIR` names, and any process can show the sum.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
_LIVE: Final = re.compile(r"gauge_live\w+_(?P<process>\d+)\.db")


class Exposition:
    """Shows metrics.

    Args:
        registry: has those of this process.
        flush: hands over what was counted.
    """

    def __init__(self, registry: CollectorRegistry, flush: Callable[[], None]) -> None:
        self.registry = registry
        self._flush = flush
        self._folder = shared_folder()
        if self._folder is None:
            # Of this process, and so of no use where there are several.
            ProcessCollector(registry=self.registry)
            PlatformCollector(registry=self.registry)
            GCCollector(registry=self.registry)

    def show(self, accept: str) -> tuple[str, bytes]:
        """Return the content type and the text of all metrics.

        Args:
            accept: of the request.
        """
        self._flush()
        encode, content_type = choose_encoder(accept)
        return content_type, encode(self._all())

    def _all(self) -> CollectorRegistry:
        if self._folder is None:
            return self.registry
        _forget_dead(Path(self._folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # theirs
        return registry


def shared_folder() -> str | None:
    """Return where several processes count together, if they do."""
    return os.environ.get(SHARED_FOLDER)


def _forget_dead(folder: Path) -> None:
    """Take out what processes had under way that are no more; nobody tells of their end."""
    found = {match["process"] for path in folder.iterdir() if (match := _LIVE.fullmatch(path.name))}
    for process in found:
        try:
            os.kill(int(process), 0)
        except ProcessLookupError:
            mark_process_dead(int(process), str(folder))  # type: ignore[no-untyped-call]  # theirs
        except PermissionError:
            pass  # it is alive, and another user's
