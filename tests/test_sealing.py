"""What clients carry for us: sealed, it opens here alone, and as what it was sealed."""

import base64
import subprocess
import sys

import pytest

from adapter import sealing
from adapter.asgi.service import Service
from adapter.config import Settings, SettingsError
from adapter.sealing import MAX_OPENED_BYTES, PREFIX, Sealer

KEY, OTHER = b"a long enough secret", b"another, just as long"
TEXT = "I think, therefore… 🤔"


def raw(sealed: str) -> bytes:
    encoded = sealed.removeprefix(PREFIX)
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def text(data: bytes) -> str:
    return PREFIX + base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.mark.parametrize("given", ["", "a", TEXT, "x" * 100_000, "half a pair: \ud83e"])
def test_what_is_sealed_opens(given: str) -> None:
    sealer = Sealer([KEY])

    assert sealer.open("reasoning", sealer.seal("reasoning", given)) == given


def test_sealed_text_tells_nothing() -> None:
    sealer = Sealer([KEY])
    first, second = sealer.seal("reasoning", TEXT), sealer.seal("reasoning", TEXT)

    assert first != second
    assert first.startswith(PREFIX)
    assert first.isascii()
    assert b"think" not in raw(first)
    assert KEY not in raw(first)


def test_long_text_is_short() -> None:
    assert len(Sealer([KEY]).seal("reasoning", "again and " * 10_000)) < 1000


def test_text_opens_only_as_what_it_was_sealed() -> None:
    sealer = Sealer([KEY])
    sealed = sealer.seal("reasoning", TEXT, owner="one")

    assert sealer.open("reasoning", sealed, owner="one") == TEXT
    assert sealer.open("reasoning", sealed, owner="two") is None
    assert sealer.open("reasoning", sealed) is None
    assert sealer.open("compaction", sealed, owner="one") is None


def test_text_opens_only_with_its_key() -> None:
    sealed = Sealer([KEY]).seal("reasoning", TEXT)

    assert Sealer([KEY]).open("reasoning", sealed) == TEXT
    assert Sealer([OTHER]).open("reasoning", sealed) is None


def test_older_keys_still_open_and_the_newest_seals() -> None:
    before, after, later = Sealer([KEY]), Sealer([OTHER, KEY]), Sealer([OTHER])

    assert after.open("reasoning", before.seal("reasoning", TEXT)) == TEXT
    assert later.open("reasoning", after.seal("reasoning", TEXT)) == TEXT
    assert before.open("reasoning", after.seal("reasoning", TEXT)) is None


def test_not_one_bit_may_be_changed() -> None:
    sealer = Sealer([KEY])
    sealed = raw(sealer.seal("reasoning", "ab"))

    for place in range(len(sealed)):
        for bit in range(8):
            forged = bytearray(sealed)
            forged[place] ^= 1 << bit
            assert sealer.open("reasoning", text(bytes(forged))) is None


def test_part_of_a_sealed_text_does_not_open() -> None:
    sealer = Sealer([KEY])
    sealed = raw(sealer.seal("reasoning", TEXT))

    for length in range(len(sealed)):
        assert sealer.open("reasoning", text(sealed[:length])) is None
    assert sealer.open("reasoning", text(sealed + b"\0")) is None


@pytest.mark.parametrize(
    "given",
    [
        "",
        "rsa.",
        "rsa.!",
        "rsa.%%%%",
        "rsa.a",
        "rsa.☃",
        "rsa.\n",
        "gAAAAABl",
        "RSA.AAAA",
        "rsa.AAAA",
    ],
)
def test_what_is_not_ours_does_not_open(given: str) -> None:
    assert Sealer([KEY]).open("reasoning", given) is None


def test_text_that_unpacks_to_too_much_does_not_open() -> None:
    """Nobody without the key can make one; a stolen key should not fill the memory too."""
    sealer = Sealer([KEY])
    bomb = sealer.seal("reasoning", "\0" * (MAX_OPENED_BYTES + 1))

    assert len(bomb) < MAX_OPENED_BYTES / 100
    assert sealer.open("reasoning", bomb) is None


@pytest.mark.parametrize("keys", [[], [b"short"], [KEY, b""], [b"x" * 15]])
def test_keys_that_are_too_short_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        Sealer(keys)


def test_bad_key_is_told_at_the_start() -> None:
    with pytest.raises(SettingsError, match=r"^Invalid setting 'sealing_keys': .* 16 bytes"):
        Service("http://127.0.0.1:1/v1", Settings(sealing_keys=("short",)))


WITHOUT = """
import logging, sys
sys.modules["cryptography"] = None
logging.basicConfig(format="%(message)s", stream=sys.stdout)
from adapter.asgi.sealer import make_sealer
from adapter.config import Settings, SettingsError
print(make_sealer(Settings()))
try:
    make_sealer(Settings(sealing_keys=("a long enough secret",)))
except SettingsError as error:
    print(error)
"""


def test_missing_library_is_told_by_the_name_of_its_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.splitlines() == [
        "None",
        "Invalid setting 'sealing_keys': Sealing needs the cryptography library: "
        "pip install 'responses-adapter[sealing]'",
    ]


def test_nothing_is_imported_before_something_is_sealed() -> None:
    code = "import sys, adapter.sealing, adapter.asgi.app; print('cryptography' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout == "False\n"


def test_prefix_is_told_apart_from_openais() -> None:
    assert not sealing.PREFIX.startswith("gAAAA")
