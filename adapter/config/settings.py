"""All settings in one struct, and what is said of each."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_type_hints

import msgspec
from msgspec import Meta

from adapter.config.access import AccessSettings
from adapter.config.answers import AUTO_DIALECT
from adapter.config.sources import ENV_PREFIX, convert, from_environment, from_file
from adapter.config.values import Count, OneOrMore, Period, about
from adapter.dialects import DIALECTS, Dialect, dialect_from, dialect_named
from adapter.fetch.guard import UrlPolicy
from adapter.routing import RouteSettings, Seconds
from adapter.runners.mcp.settings import McpServerSettings
from adapter.runners.settings import ToolSettings

# Tables of the TOML file: no environment variable or option could hold them.
TABLES = frozenset({"routes", "dialects", "fetch", "mcp", "tools"})
_TABLES_OF_TABLES: dict[str, type[Any]] = {
    "routes": RouteSettings,
    "mcp": McpServerSettings,
    "tools": ToolSettings,
}
SECRETS = frozenset({"upstream_api_key", "sealing_keys", "store", "api_keys"})  # never shown


class Settings(AccessSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the adapter behaves. Times are seconds and sizes are bytes."""

    # What is told of requests: `adapter.observe`.
    metrics: Annotated[bool, about("count for Prometheus, and show it at GET /adapter/metrics")] = (
        False
    )
    traces: Annotated[
        bool, about("make spans with OpenTelemetry, of requests and of what they call")
    ] = False
    server_timing: Annotated[
        bool, about("say in the header server-timing how long adapter and upstream took")
    ] = False
    log_format: Annotated[
        Literal["auto", "json", "text"],
        about("log lines of serve; auto is text on a terminal, and JSON elsewhere"),
    ] = "auto"

    mcp_list_timeout: Annotated[
        Period,
        about("for the list of an MCP server's tools, connecting included"),
    ] = 30.0
    mcp_call_timeout: Annotated[Period, about("for a call of an MCP server's tool")] = 60.0
    mcp_list_ttl: Annotated[
        Seconds, about("how long the list of an MCP server's tools is kept; 0 keeps none")
    ] = 300.0
    max_turns: Annotated[
        OneOrMore,
        about("calls of the upstream for one response with hosted tools; the last has no tools"),
    ] = 16
    tools_timeout: Annotated[
        Period,
        about("for all calls of hosted tools in one response; then the model does without"),
    ] = 600.0
    max_mcp_servers: Annotated[Count, about("MCP servers that one request may name")] = 16
    max_mcp_tools: Annotated[OneOrMore, about("tools that one MCP server may list")] = 512
    max_tool_output_bytes: Annotated[
        OneOrMore, about("the largest result of a call of an MCP server's tool")
    ] = 2 * 1024 * 1024

    routes: Annotated[
        dict[str, RouteSettings], about("upstreams by name, which share the models among them")
    ] = {}  # noqa: RUF012  # msgspec makes a new one for each
    dialects: Annotated[
        dict[str, dict[str, Any]], about("dialects of your own, each with a `base` and its facts")
    ] = {}  # noqa: RUF012  # msgspec makes a new one for each
    fetch: Annotated[
        UrlPolicy, about("which URLs may be fetched for clients; https and public by default")
    ] = UrlPolicy()
    mcp: Annotated[
        dict[str, McpServerSettings],
        about("MCP servers of your own by label, which requests may then name without a URL"),
    ] = {}  # noqa: RUF012  # msgspec makes a new one for each
    tools: Annotated[
        dict[str, ToolSettings],
        about("what runs hosted tools by type, such as web_search: a tool of an MCP server"),
    ] = {}  # noqa: RUF012  # msgspec makes a new one for each

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
        values = from_file(Path(config)) if config else {}
        values |= from_environment(cls, environ, but=TABLES)
        values |= {name: value for name, value in arguments.items() if value is not None}
        # Tables by themselves, so that an error can name the route.
        for table, kind in _TABLES_OF_TABLES.items():
            if isinstance(given := values.get(table), Mapping):
                values[table] = {
                    name: convert(row, kind, f"{table}.{name}.") for name, row in given.items()
                }
        if "fetch" in values:
            values["fetch"] = convert(values["fetch"], UrlPolicy, "fetch.")
        return convert(values, cls)

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


def _metas(hint: Any) -> list[Meta]:
    return [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, Meta)]
