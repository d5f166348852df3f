"""A URL chooses the store; what does not fit is refused in words, without the password."""

import subprocess
import sys
from pathlib import Path

import pytest

from adapter.store import STORE_SCHEMES, StoreUrlError, make_store

ROOT = Path(__file__).parents[2]
PASSWORD = "hunter2"
UNFIT = {
    "nothing": "",
    "no scheme": "responses.db",
    "other scheme": f"mysql://user:{PASSWORD}@host/database",
    "no path": "sqlite://",
    "memory of SQLite": "sqlite:///:memory:",
    "host of a file": "sqlite://host/path",
    "option of no store": f"sqlite:///x.db?password={PASSWORD}",
    "level that is none": "sqlite:///x.db?synchronous=off",
    "time that is none": "sqlite:///x.db?time_limit=0",
    "time in words": "postgresql://host/database?time_limit=long",
    "option that libpq has not": f"postgresql://user:{PASSWORD}@host/database?nonsense=1",
    "host of half an address": f"postgresql://user:{PASSWORD}@[::1/database",
    "option of memory": "memory:?max_bytes=-1",
}
# Fails to import a library, as if it were not installed.
WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from adapter.store import make_store
try:
    make_store(sys.argv[2])
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.parametrize("url", UNFIT.values(), ids=UNFIT)
def test_url_that_does_not_fit_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StoreUrlError) as refusal:
        make_store(url)

    assert PASSWORD not in str(refusal.value)


@pytest.mark.parametrize("scheme", STORE_SCHEMES)
def test_example_of_each_row_makes_a_store_of_its_kind(scheme: str) -> None:
    row = STORE_SCHEMES[scheme]
    store = make_store(row.example)

    assert store.is_shared == row.is_shared


@pytest.mark.parametrize(
    ("library", "url", "extra"),
    [
        ("sqlalchemy", "sqlite:///x.db", "sqlite"),
        ("sqlalchemy", "postgresql://host/database", "postgres"),
        ("psycopg", "postgresql://host/database", "postgres"),
        ("greenlet", "postgresql://host/database", "postgres"),
        ("redis", "redis://host", "redis"),
    ],
)
def test_missing_library_names_its_extra(library: str, url: str, extra: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, library, url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert f"pip install 'responses-adapter[{extra}]'" in done.stdout, done.stderr
