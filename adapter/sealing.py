"""Authenticated encryption of what clients carry for us: reasoning and compacted history.

A sealed text is `rsa.` and base64url of: version, key id, nonce, ciphertext. The key of each kind of
content is derived from the configured one, and what it belongs to (its kind and its owner) is
authenticated, so that a text opens only where it was meant to. Needs the extra `sealing`.

Source: AES-256-GCM with random 96-bit nonces (NIST SP 800-38D §8.2.2), HKDF (RFC 5869).
"""

import base64
import binascii
import hashlib
import os
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

Kind = Literal["reasoning", "compaction"]

PREFIX = "rsa."
MIN_KEY_BYTES = 16
MAX_OPENED_BYTES = 16 * 1024 * 1024  # a sealed text is compressed, and comes from a client
_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 12
_HEADER_BYTES = 1 + _KEY_ID_BYTES + _NONCE_BYTES
_TEXT = ("utf-8", "surrogatepass")  # a model may end in the middle of a pair


class Sealer:
    """Seals and opens.

    Args:
        keys: secrets, the current one first; older ones only open.

    Raises:
        ValueError: no key, or one that is too short.
        ModuleNotFoundError: the extra `sealing` is not installed.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < MIN_KEY_BYTES for key in keys):
            raise ValueError(f"expected keys of at least {MIN_KEY_BYTES} bytes for sealing")
        _import()
        self._keys = {_key_id(key): key for key in reversed(keys)}
        self._current = _key_id(keys[0])

    def seal(self, kind: Kind, text: str, owner: str = "") -> str:
        """Return the text in a form that its bearer can neither read nor change."""
        nonce = os.urandom(_NONCE_BYTES)
        header = _VERSION + self._current + nonce
        cipher = _cipher(self._keys[self._current], kind)
        packed = zlib.compress(text.encode(*_TEXT))
        sealed = cipher.encrypt(nonce, packed, _context(header, kind, owner))
        return PREFIX + base64.urlsafe_b64encode(header + sealed).decode().rstrip("=")

    def open(self, kind: Kind, sealed: str, owner: str = "") -> str | None:
        """Return the text, or None if it is not ours, forged, or meant for another place."""
        if not sealed.startswith(PREFIX):
            return None
        try:
            encoded = sealed[len(PREFIX) :]
            padded = encoded + "=" * (-len(encoded) % 4)
            raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            return None
        header, body = raw[:_HEADER_BYTES], raw[_HEADER_BYTES:]
        key = self._keys.get(header[1 : 1 + _KEY_ID_BYTES])
        if len(header) < _HEADER_BYTES or header[:1] != _VERSION or key is None:
            return None
        try:
            opened = _cipher(key, kind).decrypt(
                header[1 + _KEY_ID_BYTES :], body, _context(header, kind, owner)
            )
        except _import().exceptions.InvalidTag:
            return None
        return _inflate(opened)


def _inflate(data: bytes) -> str | None:
    inflater = zlib.decompressobj()
    text = inflater.decompress(data, MAX_OPENED_BYTES)
    return None if inflater.unconsumed_tail else text.decode(*_TEXT)


def _context(header: bytes, kind: str, owner: str) -> bytes:
    return header + kind.encode() + b"\0" + owner.encode()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"responses-adapter key id\0" + key).digest()[:_KEY_ID_BYTES]


@lru_cache(maxsize=32)
def _cipher(key: bytes, kind: str) -> Any:
    library = _import()
    derived = library.HKDF(
        algorithm=library.SHA256(),
        length=32,
        salt=None,
        info=b"responses-adapter sealing v1 " + kind.encode(),
    ).derive(key)
    return library.AESGCM(derived)


class _Library:
    """The few names of `cryptography` that are used."""

    def __init__(self) -> None:
        from cryptography import exceptions
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        self.exceptions, self.AESGCM, self.SHA256, self.HKDF = exceptions, AESGCM, SHA256, HKDF


@lru_cache(maxsize=1)
def _import() -> _Library:
    try:
        return _Library()
    except ModuleNotFoundError as exc:
        raise ModuleNotFoundError(
            "Sealing needs the cryptography library: pip install 'responses-adapter[sealing]'"
        ) from exc
