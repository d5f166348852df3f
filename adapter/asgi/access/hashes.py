"""How keys are kept: as hashes, of two kinds.

    sha256:HEX                          of a key that nobody can guess, as `new_key` makes them
    scrypt:N:R:P:SALT:HEX               of a key that somebody thought of: it is slow to try

Not for passwords of people: whoever has a key has all of it.
"""

import hashlib
import hmac
import re
import secrets

import msgspec

KEY_PREFIX = "sk-ra-"
KEY_BYTES = 32
# What a guess may cost us is bounded too: 64 MB and a quarter of a second.
MAX_SCRYPT_BYTES = 64 * 1024 * 1024
# RFC 7914 asks for what is slow enough; OWASP's second choice (2025) takes 32 MB and 0.1 s.
_N, _R, _P = 2**15, 8, 1
_SALT_BYTES = 16

_SHA256 = re.compile(r"sha256:([0-9a-fA-F]{64})")
_SCRYPT = re.compile(
    r"scrypt:(\d{1,8}):(\d{1,3}):(\d{1,3}):([0-9a-fA-F]{16,128}):([0-9a-fA-F]{64})"
)


class Scrypt(msgspec.Struct, frozen=True):
    """A slow hash.

    Attributes:
        n: cost, a power of two.
        r: size of a block.
        p: how often.
        salt: mixed in.
        digest: what came of it.
    """

    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def fits(self, key: bytes) -> bool:
        """Tell whether a key is the one; this takes long, and wants a thread of its own."""
        made = hashlib.scrypt(
            key,
            salt=self.salt,
            n=self.n,
            r=self.r,
            p=self.p,
            maxmem=2 * MAX_SCRYPT_BYTES,
            dklen=len(self.digest),
        )
        return hmac.compare_digest(made, self.digest)


def new_key() -> str:
    """Return a key that nobody can guess."""
    return KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES)


def digest(key: bytes) -> bytes:
    """Return the fast hash of a key."""
    return hashlib.sha256(key).digest()


def to_sha256(key: bytes) -> str:
    """Return the fast hash of a key, as it is written down."""
    return f"sha256:{digest(key).hex()}"


def to_scrypt(key: bytes) -> str:
    """Return a slow hash of a key, as it is written down."""
    salt = secrets.token_bytes(_SALT_BYTES)
    made = hashlib.scrypt(key, salt=salt, n=_N, r=_R, p=_P, maxmem=2 * MAX_SCRYPT_BYTES, dklen=32)
    return f"scrypt:{_N}:{_R}:{_P}:{salt.hex()}:{made.hex()}"


def parse_hash(text: str) -> bytes | Scrypt:
    """Return a hash that was written down: the digest of a fast one, or a slow one.

    Raises:
        ValueError: it is neither, or would cost too much; the message does not quote it.
    """
    if fast := _SHA256.fullmatch(text):
        return bytes.fromhex(fast[1])
    if (slow := _SCRYPT.fullmatch(text)) and len(slow[4]) % 2 == 0:
        n, r, p = int(slow[1]), int(slow[2]), int(slow[3])
        if n < 2 or n & (n - 1) or not r or not p or 128 * n * r * p > MAX_SCRYPT_BYTES:
            raise ValueError(
                "expected costs of scrypt with N a power of two and 128*N*R*P up to 64 MB"
            )
        return Scrypt(n, r, p, bytes.fromhex(slow[4]), bytes.fromhex(slow[5]))
    raise ValueError(
        "expected sha256: and 64 hex digits, or scrypt:N:R:P:SALT:HEX, as `responses-adapter "
        "new-key` prints them; never the key itself"
    )
