"""How the server's own process deals with memory. Apps that mount us decide that for themselves."""

import ctypes
import gc
import sys
from typing import Final

_GC_THRESHOLD: Final = 10_000  # new objects before a look; Python's own is 700

# Parameters of glibc's mallopt(3), and bytes. By default it gives memory back after each body of
# 200 kB, to ask for it again with the next: 60 page faults and a third of the whole request.
_M_TRIM_THRESHOLD: Final = -1
_M_MMAP_THRESHOLD: Final = -3
_KEPT_BYTES: Final = 32 * 1024 * 1024
_LARGE_BYTES: Final = 8 * 1024 * 1024


def tune_memory() -> None:
    """Make ready for many requests; called once, when everything is loaded."""
    _keep_freed_memory()
    _look_seldom()


def _look_seldom() -> None:
    """Let the garbage collector look less often, and not at what stays for good.

    What a request leaves behind has no cycles, or few; but hundreds of its objects live as long as
    it does, and looking at them was a tenth of a profile of short requests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD, 20, 20)


def _keep_freed_memory() -> None:
    """Keep some of the memory that was freed, where the C library lets itself be told."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # musl has none
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
