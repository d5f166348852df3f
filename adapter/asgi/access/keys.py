"""The API keys that are known here: where they are written down, and which one was shown.

A fast hash is found by its digest: whoever could choose digests to time the search would have
broken SHA-256. What was found is compared in constant time all the same.
"""

import asyncio
import hmac
import logging
import re
import secrets
import time
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from adapter.asgi.access.hashes import Scrypt, digest, parse_hash
from adapter.config import SettingsError
from adapter.errors import AdapterError

logger = logging.getLogger(__name__)

MAX_KEY_BYTES = 512  # the longest that a provider gives out has 200
LOOK_SECONDS = 2.0  # between two looks whether the file has changed
MAX_SLOW_WAITING = 16  # keys that wait for their slow hash
MAX_SEEN = 4096  # keys whose slow hash need not be made again

NAME = r"[A-Za-z0-9_.@-]{1,64}"  # of a key


class KeySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table `[keys.NAME]` of the file of keys.

    Attributes:
        hash: of the key, as `responses-adapter new-key` prints it.
        owner: whom belongs what is stored; by default the name. Keys may share an owner.
        models: patterns of the models that it may ask, as clients name them; none is all.
        expires: a date, or a time, from which it is not good any more; without a zone it is UTC.
        max_requests: at one time, in place of `max_requests_per_owner`.
        max_streams: at one time, in place of `max_streams_per_owner`.
        requests_per_minute: in place of the setting of that name.
    """

    hash: str
    owner: str | None = None
    models: tuple[str, ...] = ()
    expires: datetime | None = None
    max_requests: Annotated[int, Meta(ge=0)] | None = None
    max_streams: Annotated[int, Meta(ge=0)] | None = None
    requests_per_minute: Annotated[float, Meta(ge=0)] | None = None

    def __repr__(self) -> str:
        return f"KeySettings(owner={self.owner!r}, …)"


class Key(msgspec.Struct, frozen=True):
    """A key that is known.

    Attributes:
        name: of the key.
        settings: what it may.
    """

    name: str
    settings: KeySettings

    @property
    def owner(self) -> str:
        return self.settings.owner or self.name

    def may_ask(self, model: str) -> bool:
        """Tell whether it may ask a model."""
        patterns = self.settings.models
        return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)

    def is_over(self, now: float) -> bool:
        """Tell whether it has expired, at a time in seconds since the epoch."""
        expires = self.settings.expires
        return expires is not None and now >= _zoned(expires).timestamp()

    def __repr__(self) -> str:
        return f"Key(name={self.name!r})"


class _Known(msgspec.Struct, frozen=True):
    by_name: dict[str, Key]
    fast: dict[bytes, tuple[bytes, Key]]
    slow: tuple[tuple[Scrypt, Key], ...]


class KeyRing:
    """All keys.

    Args:
        entries: `NAME=HASH` each, as an environment holds them.
        file: of more keys; it is read again when it has changed.
        clock: seconds of any kind, for looking at the file.

    Raises:
        SettingsError: an entry, or the file, cannot be used.
    """

    def __init__(
        self,
        entries: Iterable[str] = (),
        file: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._given = _from_entries(entries)
        self._file = None if file is None else Path(file)
        self._clock = clock
        self._looked_at = clock()
        self._stamp = self._stamp_of_file()
        self._known = self._load()
        self._blind = secrets.token_bytes(32)
        self._seen: OrderedDict[bytes, str] = OrderedDict()
        self._slow_waiting = 0
        self._slow = asyncio.Lock()

    def get(self, name: str) -> Key | None:
        """Return a key by its name, if it is still there."""
        self._look()
        return self._known.by_name.get(name)

    async def find(self, shown: bytes) -> Key | None:
        """Return the key that a client shows, or None if nobody gave it out.

        Raises:
            AdapterError: too many slow hashes are being made.
        """
        if not shown or len(shown) > MAX_KEY_BYTES:
            return None
        self._look()
        made = digest(shown)
        found = self._known.fast.get(made)
        if found is not None and hmac.compare_digest(found[0], made):
            return found[1]
        return await self._find_slow(shown) if self._known.slow else None

    async def _find_slow(self, shown: bytes) -> Key | None:
        """Try the slow hashes: one at a time, in a thread, and each good key once."""
        known = self._known
        mark = hmac.digest(self._blind, shown, "sha256")
        if (name := self._seen.get(mark)) is not None and name in known.by_name:
            self._seen.move_to_end(mark)
            return known.by_name[name]
        if self._slow_waiting >= MAX_SLOW_WAITING:
            raise _too_many_slow()
        self._slow_waiting += 1
        try:
            async with self._slow:
                found = await asyncio.to_thread(_try_all, known.slow, shown)
        finally:
            self._slow_waiting -= 1
        if known is not self._known:  # the file has changed meanwhile, maybe because of this key
            return await self.find(shown)
        if found is not None:
            self._seen[mark] = found.name
            if len(self._seen) > MAX_SEEN:
                self._seen.popitem(last=False)
        return found

    # The file

    def _look(self) -> None:
        """Read the file again if it has changed; one that cannot be used changes nothing."""
        if self._file is None or self._clock() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = self._clock()
        stamp = self._stamp_of_file()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            self._known = self._load()
        except SettingsError as error:
            logger.warning("the keys stay as they were: %s", error)
            return
        self._seen.clear()
        logger.info("the file of keys has changed: %d keys", len(self._known.by_name))

    def _stamp_of_file(self) -> tuple[int, int, int] | None:
        if self._file is None:
            return None
        try:
            stat = self._file.stat()
        except OSError:
            return None
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _load(self) -> _Known:
        tables = dict(self._given)
        for name, table in ({} if self._file is None else _from_file(self._file)).items():
            if name in tables:
                raise SettingsError(f"Invalid setting 'api_keys_file': two keys named '{name}'.")
            tables[name] = table
        return _to_known(tables)


def _to_known(tables: Mapping[str, KeySettings]) -> _Known:
    known = _Known({}, {}, ())
    slow: list[tuple[Scrypt, Key]] = []
    for name, table in tables.items():
        key = Key(name, table)
        try:
            found = parse_hash(table.hash)
        except ValueError as exc:
            raise SettingsError(f"Invalid key '{name}': {exc}.") from exc
        known.by_name[name] = key
        if isinstance(found, Scrypt):
            slow.append((found, key))
        elif found in known.fast:
            raise SettingsError(f"Invalid key '{name}': another one has the same hash.")
        else:
            known.fast[found] = found, key
    return msgspec.structs.replace(known, slow=tuple(slow))


def _try_all(slow: Iterable[tuple[Scrypt, Key]], shown: bytes) -> Key | None:
    return next((key for hashed, key in slow if hashed.fits(shown)), None)


def _from_entries(entries: Iterable[str]) -> dict[str, KeySettings]:
    tables: dict[str, KeySettings] = {}
    for entry in entries:
        name, equals, hashed = entry.partition("=")
        if not equals:
            raise SettingsError(
                "Invalid setting 'api_keys': expected NAME=HASH, as `responses-adapter new-key` "
                "prints it."
            )
        if name in tables:
            raise SettingsError(f"Invalid setting 'api_keys': two keys named '{name[:64]}'.")
        tables[_checked_name(name, "api_keys")] = KeySettings(hash=hashed)
    return tables


def _from_file(file: Path) -> dict[str, KeySettings]:
    try:
        text = file.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as exc:
        raise SettingsError(f"Cannot read the file of keys: {exc}.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"The file of keys {file} is not valid TOML: {exc}.") from exc
    tables: Any = content.get("keys", {})
    if set(content) - {"keys"} or not isinstance(tables, dict):
        raise SettingsError(f"The file of keys {file}: expected nothing but tables [keys.NAME].")
    return {_checked_name(name, "keys"): _table(name, table) for name, table in tables.items()}


def _table(name: str, table: Any) -> KeySettings:
    if isinstance(table, dict) and isinstance(table.get("expires"), date):
        table = {**table, "expires": _to_datetime(table["expires"])}
    try:
        return msgspec.convert(table, KeySettings)
    except msgspec.ValidationError as exc:
        reason = str(exc).replace("`", "")
        raise SettingsError(f"Invalid key '{name}': {reason[0].lower()}{reason[1:]}.") from exc


def _checked_name(name: str, at: str) -> str:
    if not re.fullmatch(NAME, name):
        raise SettingsError(
            f"Invalid setting '{at}': expected names of up to 64 letters, digits, '.', '_', '@' "
            "and '-'."
        )
    return name


def _to_datetime(day: date) -> datetime:
    """Return what TOML knows as a date, or as a time, as a time: a date is when it begins."""
    if isinstance(day, datetime):
        return day
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _zoned(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _too_many_slow() -> AdapterError:
    return AdapterError(
        "Too many keys are being checked at one time. Try again.",
        status=429,
        type="too_many_requests",
        code="rate_limit_exceeded",
        headers={"retry-after": "1"},
    )
