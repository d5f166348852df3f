"""Every setting, once: name, type, default and meaning.

Values come from arguments, then the environment (`ADAPTER_` and the name in capitals), then a TOML
file (`ADAPTER_CONFIG` or `config`), then the defaults. The command line and the README list what
stands here.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar, get_args, get_type_hints

import msgspec
from msgspec import Meta

from adapter.dialects import DIALECTS, Dialect, dialect_from, dialect_named
from adapter.fetch.guard import UrlPolicy
from adapter.routing import MAX_SECONDS, RouteSettings, Seconds
from adapter.stream.items import Summaries
from adapter.tools.toolbox import HostedTools
from adapter.translate.extras import UnknownFields
from adapter.translate.request import Downgrades

AUTO_DIALECT = "auto"
# Tables of the TOML file: no environment variable or option could hold them.
TABLES = frozenset({"routes", "dialects", "fetch"})
ENV_PREFIX = "ADAPTER_"
DEFAULT_FORWARDED = ("openai-organization", "openai-project", "traceparent", "tracestate")
SECRETS = frozenset({"upstream_api_key", "sealing_keys"})  # never shown

_AT = re.compile(r" - at `\$\.(?P<name>\w+)[^`]*`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<name>[^`]*)`")
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")
_Kind = TypeVar("_Kind")


class SettingsError(ValueError):
    """A setting that does not exist, or a value that does not fit it."""


def _about(description: str) -> Meta:
    return Meta(description=description)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the adapter behaves. Times are seconds and sizes are bytes."""

    upstream: Annotated[
        str | None,
        _about("base URL of the chat-completions server, such as http://127.0.0.1:8000/v1"),
    ] = None
    upstream_api_key: Annotated[
        str | None, _about("key to send upstream instead of the client's authorization")
    ] = None
    dialect: Annotated[
        str, _about("the upstream's habits, by name; auto finds out which of the known ones it has")
    ] = AUTO_DIALECT
    forward_headers: Annotated[
        tuple[str, ...], _about("request headers that are passed on to chat completions")
    ] = DEFAULT_FORWARDED
    unknown_fields: Annotated[
        UnknownFields,
        _about("what becomes of request fields that nobody knows: ignore (reported) or reject"),
    ] = "ignore"
    hosted_tools: Annotated[
        HostedTools,
        _about("what becomes of tools that only a hosting server could run: drop or error"),
    ] = "drop"
    downgrades: Annotated[
        Downgrades,
        _about(
            "what an upstream does not take as it is: allow sends it in another form (reported), "
            "refuse answers with a 400"
        ),
    ] = "allow"
    reasoning_summaries: Annotated[
        Summaries,
        _about(
            "how reasoning is shown when a summary is asked for: with_text, instead of the text, "
            "or never as a summary"
        ),
    ] = "with_text"
    sealing_keys: Annotated[
        tuple[str, ...],
        _about(
            "secrets of 16 characters or more that seal encrypted_content, the newest first; "
            "without one, each process makes its own"
        ),
    ] = ()
    max_summary_tokens: Annotated[
        Annotated[int, Meta(ge=1)],
        _about("the longest summary to ask for when a conversation is compacted, in tokens"),
    ] = 8192
    reasoning_events: Annotated[
        Literal["reasoning_text", "reasoning"],
        _about(
            "names of raw reasoning events: reasoning_text (OpenAI) or reasoning (Open Responses)"
        ),
    ] = "reasoning_text"
    websocket: Annotated[
        bool, _about("serve the WebSocket mode; false answers a handshake with 426")
    ] = True
    start_grace: Annotated[
        Seconds,
        _about(
            "longest wait for the upstream before headers and response.created leave; 0 is none"
        ),
    ] = 0.25
    keepalive: Annotated[
        Literal["event", "comment", "off"],
        _about("what is sent while the upstream is silent; Codex counts only events as life"),
    ] = "event"
    keepalive_interval: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_SECONDS)],
        _about("silence after which a keep-alive is sent"),
    ] = 15.0
    connect_timeout: Annotated[
        Seconds, _about("for a connection to the upstream; 0 is for ever")
    ] = 10.0
    first_byte_timeout: Annotated[
        Seconds, _about("for the first byte of an answer; 0 is for ever")
    ] = 600.0
    idle_timeout: Annotated[Seconds, _about("between two reads of an answer; 0 is for ever")] = (
        600.0
    )
    total_timeout: Annotated[Seconds, _about("for a whole answer; 0 is for ever")] = 0.0
    max_connections: Annotated[
        Annotated[int, Meta(ge=0)], _about("open to the upstream at one time; 0 is no limit")
    ] = 0
    max_body_bytes: Annotated[Annotated[int, Meta(ge=1)], _about("the largest request body")] = (
        32 * 1024 * 1024
    )
    max_event_bytes: Annotated[
        Annotated[int, Meta(ge=1)], _about("the longest event, or whole answer, of an upstream")
    ] = 16 * 1024 * 1024

    routes: Annotated[
        dict[str, RouteSettings], _about("upstreams by name, which share the models among them")
    ] = {}
    dialects: Annotated[
        dict[str, dict[str, Any]], _about("dialects of your own, each with a `base` and its facts")
    ] = {}
    fetch: Annotated[
        UrlPolicy, _about("which URLs may be fetched for clients; https and public by default")
    ] = UrlPolicy()

    def __post_init__(self) -> None:
        for name in self.routes:
            if not name or "/" in name:
                raise ValueError(f"'routes.{name}': expected a name without '/', as in name/model")
        self.known_dialects()

    def known_dialects(self) -> dict[str, Dialect]:
        """Return the dialects that these settings can mean, by name.

        Ours, the settings' own, and those of installed packages that are asked for.

        Raises:
            ValueError: there is none of a name, or one does not fit.
        """
        known = dict(DIALECTS)
        for name, table in self.dialects.items():
            known[name] = dialect_from(table, name, known)
        asked = {"dialect": self.dialect}
        asked |= {f"routes.{name}.dialect": route.dialect for name, route in self.routes.items()}
        for at, name in asked.items():
            if name != AUTO_DIALECT and name not in known:
                try:
                    known[name] = dialect_named(name)
                except KeyError as exc:
                    choices = ", ".join([AUTO_DIALECT, *sorted(known)])
                    raise ValueError(f"{at!r}: expected one of {choices}, got {name!r}") from exc
                except ValueError as exc:
                    raise ValueError(f"{at!r}: {str(exc).rstrip('.')}") from exc
        return known

    @classmethod
    def load(
        cls,
        config: str | os.PathLike[str] | None = None,
        environ: Mapping[str, str] | None = None,
        **arguments: Any,
    ) -> Self:
        """Return the settings from all sources.

        Args:
            config: a TOML file; otherwise `ADAPTER_CONFIG` names one, if it is set.
            environ: the environment; `os.environ` by default.
            arguments: settings by name; None means not given.

        Raises:
            SettingsError: an unknown name, or a value that does not fit; the message says which.
        """
        environ = os.environ if environ is None else environ
        config = config or environ.get(f"{ENV_PREFIX}CONFIG")
        values = _from_file(Path(config)) if config else {}
        values |= _from_environment(cls, environ)
        values |= {name: value for name, value in arguments.items() if value is not None}
        # Tables by themselves, so that an error can name the route.
        if isinstance(routes := values.get("routes"), Mapping):
            values["routes"] = {
                name: _convert(route, RouteSettings, f"routes.{name}.")
                for name, route in routes.items()
            }
        if "fetch" in values:
            values["fetch"] = _convert(values["fetch"], UrlPolicy, "fetch.")
        return _convert(values, cls)

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        values = {name: getattr(self, name) for name in self.__struct_fields__}
        hidden = {name: "***" for name in SECRETS if values[name]}
        return list((values | hidden).items())

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"


def describe_settings(*, tables: bool = False) -> dict[str, tuple[str, Any]]:
    """Return (description, default) of every setting, by name.

    Args:
        tables: describe the tables of the TOML file instead of the settings with one value.
    """
    hints = get_type_hints(Settings, include_extras=True)
    fields = msgspec.structs.fields(Settings)
    return {
        field.name: (
            next(meta.description for meta in _metas(hints[field.name]) if meta.description),
            field.default,
        )
        for field in fields
        if (field.name in TABLES) is tables
    }


def _convert(values: Any, kind: type[_Kind], at: str = "") -> _Kind:
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise SettingsError(_explain(exc, kind, at)) from exc


def _explain(exc: msgspec.ValidationError, kind: type, at: str) -> str:
    """Return what msgspec found wrong, with the name of the setting first.

    Args:
        exc: what it says.
        kind: what was expected.
        at: where that stands, such as `routes.fast.`.
    """
    reason = str(exc)
    if unknown := _UNKNOWN.match(reason):
        return f"Unknown setting '{at}{unknown['name']}'."
    if missing := _MISSING.match(reason):
        return f"Missing setting '{at}{missing['name']}'."
    place = _AT.search(reason)
    if place is None and not at:  # what `__post_init__` found, with its name
        return f"{reason}." if reason.startswith("Invalid") else f"Invalid setting {reason}."
    name = place["name"] if place else ""
    found = (reason[: place.start()] if place else reason).replace("`", "")
    if found.startswith("Invalid enum value"):
        choices = get_args(get_type_hints(kind)[name])
        found = (
            f"expected one of {', '.join(choices)}, got{found.removeprefix('Invalid enum value')}"
        )
    return f"Invalid setting '{(at + name).rstrip('.')}': {found[0].lower()}{found[1:]}."


def _metas(hint: Any) -> list[Meta]:
    return [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, Meta)]


def _from_file(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as exc:
        raise SettingsError(f"Cannot read the settings file: {exc}.") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise SettingsError(f"The settings file {path} is not valid TOML: {exc}.") from exc


def _from_environment(cls: type[Settings], environ: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(cls):
        text = None if field.name in TABLES else environ.get(ENV_PREFIX + field.name.upper())
        if text is None or (text == "" and not isinstance(field.default, tuple)):
            continue
        if isinstance(field.default, tuple):
            values[field.name] = [part.strip() for part in text.split(",") if part.strip()]
        else:
            values[field.name] = text
    return values
