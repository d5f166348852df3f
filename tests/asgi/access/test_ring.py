"""The ring of keys: what it reads, when it reads again, and how it looks for a key."""

import asyncio
import hmac
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from adapter.asgi.access import hashes, keys
from adapter.asgi.access.hashes import Scrypt, parse_hash, to_scrypt, to_sha256
from adapter.asgi.access.keys import MAX_KEY_BYTES, KeyRing
from adapter.config import SettingsError

pytestmark = pytest.mark.anyio

HASH = to_sha256(b"a-key")


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def write(file: Path, **tables: str) -> None:
    text = "".join(f'[keys.{name}]\nhash = "{hashed}"\n' for name, hashed in tables.items())
    file.write_text(text)
    os.utime(file, ns=(len(text), len(text)))  # another time, however fast the test is


async def test_file_that_changes_is_read_again(tmp_path: Path) -> None:
    file, clock = tmp_path / "keys.toml", Clock()
    write(file, a=HASH)
    ring = KeyRing(file=str(file), clock=clock)

    write(file, other=to_sha256(b"b-key"))
    soon = await ring.find(b"a-key"), ring.get("a")
    clock.now += keys.LOOK_SECONDS
    later = await ring.find(b"a-key"), ring.get("a"), await ring.find(b"b-key")

    assert None not in soon
    assert later[:2] == (None, None)
    assert later[2] is not None


@pytest.mark.parametrize("text", ["wat", "[keys.a]\nhash = 'sha256:0'\n", "[keys]\na = 1\n", None])
async def test_file_that_breaks_changes_nothing(
    tmp_path: Path, text: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    file, clock = tmp_path / "keys.toml", Clock()
    write(file, a=HASH)
    ring = KeyRing(file=str(file), clock=clock)

    file.unlink() if text is None else file.write_text(text)
    clock.now += keys.LOOK_SECONDS
    with caplog.at_level(logging.WARNING):
        found = await ring.find(b"a-key")

    assert found is not None
    assert "the keys stay as they were" in caplog.text


@pytest.mark.parametrize(
    ("entries", "text", "message"),
    [
        (["alice"], "", "'api_keys': expected NAME=HASH"),
        (["sk-secret-that-was-meant-as-key"], "", "'api_keys': expected NAME=HASH"),
        (["a=sk-secret-key"], "", "'a': expected sha256: and 64"),
        (["a/b=sk-secret"], "", "'api_keys': expected names of"),
        ([f"a={HASH}", f"a={HASH}"], "", "two keys named 'a'"),
        ([f"a={HASH}", f"b={HASH}"], "", "'b': another one has the same hash"),
        ([f"a={HASH}"], f"[keys.a]\nhash = '{HASH}'\n", "two keys named 'a'"),
        ([], "keys = 5\n", "expected nothing but tables"),
        ([], "[routes.a]\n", "expected nothing but tables"),
        ([], "[keys.a]\n", "'a': object missing required field hash"),
        ([], f"[keys.a]\nhash = '{HASH}'\nwat = 1\n", "'a': object contains unknown field wat"),
        ([], f"[keys.a]\nhash = '{HASH}'\nexpires = 5\n", "'a': expected datetime | null"),
        ([], f"[keys.a]\nhash = '{HASH}'\nmodels = 'x'\n", "'a': expected array"),
        ([], "\0", "is not valid TOML"),
        (["a=scrypt:3:8:1:" + "00" * 8 + ":" + "00" * 32], "", "'a': expected costs of scrypt"),
        (["a=scrypt:1048576:8:1:" + "00" * 8 + ":" + "00" * 32], "", "expected costs of scrypt"),
    ],
)
def test_keys_that_cannot_be_used_are_told_at_the_start(
    tmp_path: Path, entries: list[str], text: str, message: str
) -> None:
    file = tmp_path / "keys.toml"
    file.write_text(text)

    with pytest.raises(SettingsError) as caught:
        KeyRing(entries, str(file))

    assert message in str(caught.value)
    assert "sk-secret" not in str(caught.value)


def test_file_that_is_not_there_is_told_at_the_start() -> None:
    with pytest.raises(SettingsError, match="Cannot read the file of keys"):
        KeyRing(file="/no/such/file.toml")


async def test_found_keys_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one thing that no behaviour shows: who compares."""
    compared: list[tuple[Any, Any]] = []

    def compare(a: Any, b: Any) -> bool:
        compared.append((a, b))
        return original(a, b)

    original = hmac.compare_digest
    monkeypatch.setattr(keys.hmac, "compare_digest", compare)
    ring = KeyRing([f"a={HASH}", f"b={to_scrypt(b'slow-key')}"])
    await ring.find(b"a-key")
    await ring.find(b"slow-key")

    assert [len(a) for a, _ in compared] == [32, 32]


async def test_slow_hash_is_made_once_for_a_good_key() -> None:
    tried: list[bytes] = []

    class Counting(Scrypt, frozen=True):
        def fits(self, key: bytes) -> bool:
            tried.append(key)
            return super().fits(key)

    ring = KeyRing([f"a={to_scrypt(b'slow-key')}"])
    ((slow, key),) = ring._known.slow
    ring._known = keys._Known(
        ring._known.by_name,
        {},
        ((Counting(*(getattr(slow, name) for name in slow.__struct_fields__)), key),),
    )
    found = [await ring.find(shown) for shown in (b"slow-key", b"slow-key", b"bad", b"bad")]

    assert [each is not None for each in found] == [True, True, False, False]
    assert tried == [b"slow-key", b"bad", b"bad"]


async def test_key_that_is_taken_back_while_it_is_checked_is_not_remembered(
    tmp_path: Path,
) -> None:
    """Its successor may have the same name."""
    file = tmp_path / "keys.toml"
    file.write_text(f'[keys.a]\nhash = "{to_scrypt(b"old-key")}"\n')
    now = 0.0
    ring = KeyRing(file=str(file), clock=lambda: now)

    finding = asyncio.create_task(ring.find(b"old-key"))
    await asyncio.sleep(0)  # it is in its thread now
    file.write_text(f'[keys.a]\nhash = "{to_scrypt(b"new-key")}"\n# changed\n')
    now += keys.LOOK_SECONDS
    ring.get("a")  # another request looks at the file

    assert await finding is None
    assert await ring.find(b"old-key") is None
    assert await ring.find(b"new-key") is not None


@pytest.mark.parametrize("shown", [b"", b"k" * (MAX_KEY_BYTES + 1), b"\0", b"a-key\0", b"\xff" * 9])
async def test_odd_keys_are_not_found(shown: bytes) -> None:
    assert await KeyRing([f"a={HASH}"]).find(shown) is None


def test_hashes_are_not_shown() -> None:
    ring = KeyRing([f"a={HASH}"])

    assert HASH[8:] not in repr(ring.get("a"))
    assert hashes.KEY_PREFIX in hashes.new_key()
    assert isinstance(parse_hash(HASH), bytes)
