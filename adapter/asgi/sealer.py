"""The sealer of the settings: with their keys, or with one that lives as long as the process."""

import logging
import secrets
from functools import cached_property
from importlib.util import find_spec

from adapter.config import Settings, SettingsError
from adapter.sealing import PREFIX, Kind, Sealer

logger = logging.getLogger(__name__)

_KEY_BYTES = 32


class LateSealer:
    """The sealer of the settings, made when something is first sealed or opened.

    Args:
        settings: the settings.

    Raises:
        SettingsError: see `make_sealer`; what is wrong with keys is told at once.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        if settings.sealing_keys:
            self.open("reasoning", PREFIX)

    def open(self, kind: Kind, sealed: str) -> str | None:
        """Open what was sealed here; nothing is loaded for what was not."""
        if not sealed.startswith(PREFIX) or self._sealer is None:
            return None
        return self._sealer.open(kind, sealed)

    @cached_property
    def can_seal(self) -> bool:
        """Whether what seals is installed."""
        return find_spec("cryptography") is not None

    @cached_property
    def to_seal(self) -> Sealer | None:
        """What seals, if anything does; how long that holds is said once."""
        if self._sealer is not None and not self._settings.sealing_keys:
            logger.warning(
                "encrypted_content is sealed with a key of this process alone: after a restart, or "
                "on another worker, it cannot be opened. Set ADAPTER_SEALING_KEYS."
            )
        return self._sealer

    @cached_property
    def _sealer(self) -> Sealer | None:
        return make_sealer(self._settings)


def make_sealer(settings: Settings) -> Sealer | None:
    """Return the sealer, or None if the extra `sealing` is not installed and no key asks for it.

    Raises:
        SettingsError: a key is too short, or keys are set and the extra is not installed.
    """
    keys = [key.encode() for key in settings.sealing_keys]
    try:
        return Sealer(keys or [secrets.token_bytes(_KEY_BYTES)])
    except ValueError as exc:
        raise SettingsError(f"Invalid setting 'sealing_keys': {exc}.") from exc
    except ModuleNotFoundError as exc:
        if keys:
            raise SettingsError(f"Invalid setting 'sealing_keys': {exc}") from exc
        return None
