"""Where `serve` keeps responses if nobody says: clients of the Responses API expect that it does.

In a SQLite file of the user's, so that a restart, or another worker, finds what was said before. In
memory if the extra is not installed or the folder cannot be written to. Nowhere with several
workers and only memory, because each would know a part.
"""

import os
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from adapter.config import NO_STORE, SettingsError
from adapter.store import STORE_SCHEMES

FILE = "responses.db"


def default_store(environ: Mapping[str, str]) -> str:
    """Return the URL of the store of a server that was told of none.

    Args:
        environ: `XDG_STATE_HOME` is where programs keep such things, if it is set.
    """
    if find_spec("sqlalchemy") is None:
        return "memory:"
    parent = environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state")  # noqa: PTH111  # that of Path raises where there is no home
    folder = Path(parent).absolute() / "responses-adapter"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return "memory:"
    if not os.access(folder, os.W_OK):
        return "memory:"
    return "sqlite:///" + quote(str(folder / FILE))


def is_shared(store: str) -> bool:
    """Tell whether several workers can use a store; of no known kind it is not ours to say."""
    row = STORE_SCHEMES.get(store.partition(":")[0].lower())
    return row is None or row.is_shared


def check_shared(store: str, workers: int) -> None:
    """Refuse a store that workers could not share.

    Raises:
        SettingsError: it is such a store.
    """
    if workers > 1 and not is_shared(store):
        raise SettingsError(
            f"Invalid setting 'store': {workers} workers cannot share {store!r}; expected "
            f"sqlite:///file, postgresql://…, redis://…, or {NO_STORE}."
        )
