"""Every setting, once: name, type, default and meaning.

Values come from arguments, then the environment (`ADAPTER_` and the name in capitals), then a TOML
file (`ADAPTER_CONFIG` or `config`), then the defaults. The command line and the README list what
stands here.
"""

from adapter.config.answers import AUTO_DIALECT, DEFAULT_FORWARDED, NO_STORE
from adapter.config.settings import SECRETS, TABLES, Settings, describe_settings
from adapter.config.sources import ENV_PREFIX, SettingsError

__all__ = [
    "AUTO_DIALECT",
    "DEFAULT_FORWARDED",
    "ENV_PREFIX",
    "NO_STORE",
    "SECRETS",
    "TABLES",
    "Settings",
    "SettingsError",
    "describe_settings",
]
