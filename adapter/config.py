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
from adapter.runners.mcp.settings import McpServerSettings
from adapter.runners.settings import ToolSettings
from adapter.stream.items import Summaries
from adapter.tools.toolbox import HostedTools
from adapter.translate.extras import UnknownFields
from adapter.translate.request import CustomGrammars, Downgrades

AUTO_DIALECT = "auto"
# Tables of the TOML file: no environment variable or option could hold them.
TABLES = frozenset({"routes", "dialects", "fetch", "mcp", "tools"})
_TABLES_OF_TABLES: dict[str, type[Any]] = {
    "routes": RouteSettings,
    "mcp": McpServerSettings,
    "tools": ToolSettings,
}
ENV_PREFIX = "ADAPTER_"
DEFAULT_FORWARDED = ("openai-organization", "openai-project", "traceparent", "tracestate")
SECRETS = frozenset({"upstream_api_key", "sealing_keys", "store", "api_keys"})  # never shown
NO_STORE = "none"

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
    custom_grammars: Annotated[
        CustomGrammars,
        _about(
            "what becomes of the grammars of custom tools: describe them to the model, enforce "
            "them too where the upstream can, or repair as well: check every input, and have one "
            "that does not fit written once more"
        ),
    ] = "enforce"
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
    store: Annotated[
        str | None,
        _about(
            "URL of what keeps responses and conversations: memory:, sqlite:///file, "
            "postgresql://… or redis://…; none keeps nothing"
        ),
    ] = None
    store_ttl: Annotated[
        Seconds, _about("how long responses and conversations are kept; 0 is for ever")
    ] = 30 * 24 * 3600.0
    store_error: Annotated[
        Literal["fail", "answer"],
        _about(
            "what becomes of a response that cannot be stored: fail, or answer with store false"
        ),
    ] = "fail"
    owner_header: Annotated[
        str | None,
        _about(
            "request header that names whom stored things belong to, if a gateway sets one; "
            "by default it is the client's authorization"
        ),
    ] = None
    max_history_bytes: Annotated[
        Annotated[int, Meta(ge=1)], _about("the largest stored conversation to go on from")
    ] = 64 * 1024 * 1024
    count_by_call: Annotated[
        bool,
        _about(
            "count input tokens by a call for one token of output where the upstream has no "
            "endpoint for it, which costs what the prompt costs; false answers with a 501"
        ),
    ] = True
    background_timeout: Annotated[
        Seconds, _about("for a whole response in the background; 0 is for ever")
    ] = 3600.0
    background_lease: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_SECONDS)],
        _about(
            "silence of a process after which its background responses count as lost; another "
            "one takes them over, or ends them as failed"
        ),
    ] = 15.0
    background_drain: Annotated[
        Seconds,
        _about("for background responses to end when the server stops; then they are handed over"),
    ] = 10.0
    max_background_runs: Annotated[
        Annotated[int, Meta(ge=0)],
        _about("background responses at one time, for each process; 0 is no limit"),
    ] = 256
    max_background_runs_per_owner: Annotated[
        Annotated[int, Meta(ge=0)],
        _about("the same of one owner; 0 is no limit"),
    ] = 64
    max_background_log_bytes: Annotated[
        Annotated[int, Meta(ge=1)], _about("the events of one background response")
    ] = 64 * 1024 * 1024
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

    # Who may ask, and how much of everything there may be: `adapter.asgi.access`.
    api_keys: Annotated[
        tuple[str, ...],
        _about(
            "keys that clients must show, each as NAME=HASH, as `responses-adapter new-key` prints "
            "it; none, here and in api_keys_file, lets everybody in"
        ),
    ] = ()
    api_keys_file: Annotated[
        str | None,
        _about(
            "TOML file of such keys with what each may do, in tables [keys.NAME]; it is read again "
            "when it changes"
        ),
    ] = None
    app_auth_path: Annotated[
        str,
        _about(
            "path behind the prefix that the wrapped app is asked for before something that it "
            "would not see, such as a stored response: its 401 or 403 is the answer; none asks "
            "nothing"
        ),
    ] = "/models"
    max_requests: Annotated[
        Annotated[int, Meta(ge=0)],
        _about("requests at one time, for each process; more get a 429; 0 is no limit"),
    ] = 0
    max_requests_per_owner: Annotated[
        Annotated[int, Meta(ge=0)], _about("the same of one key or owner; 0 is no limit")
    ] = 0
    max_streams: Annotated[
        Annotated[int, Meta(ge=0)],
        _about("streamed responses at one time, for each process; 0 is no limit"),
    ] = 0
    max_streams_per_owner: Annotated[
        Annotated[int, Meta(ge=0)], _about("the same of one key or owner; 0 is no limit")
    ] = 0
    max_websockets: Annotated[
        Annotated[int, Meta(ge=0)],
        _about("WebSockets at one time, for each process; 0 is no limit"),
    ] = 1000
    max_websockets_per_owner: Annotated[
        Annotated[int, Meta(ge=0)], _about("the same of one key or owner; 0 is no limit")
    ] = 0
    requests_per_minute: Annotated[
        Annotated[float, Meta(ge=0, le=1_000_000)],
        _about("of one key or owner, counted by each process for itself; 0 is no limit"),
    ] = 0.0
    max_input_items: Annotated[
        Annotated[int, Meta(ge=1)], _about("input items of a request and their parts, together")
    ] = 200_000
    max_header_bytes: Annotated[
        Annotated[int, Meta(ge=1024)], _about("all headers of a request together")
    ] = 64 * 1024
    max_headers: Annotated[Annotated[int, Meta(ge=10)], _about("headers of a request")] = 200
    slow_reader_timeout: Annotated[
        Seconds,
        _about("for a client to read what was sent to it; then it is dropped; 0 is for ever"),
    ] = 60.0
    max_stream_bytes: Annotated[
        Annotated[int, Meta(ge=0)],
        _about("all bytes of one answer of an upstream; 0 is no limit"),
    ] = 256 * 1024 * 1024
    upstream_retries: Annotated[
        Annotated[int, Meta(ge=0, le=10)],
        _about(
            "further tries of a request that the upstream has not begun to work on: it could not "
            "be connected to, or said when to come back"
        ),
    ] = 2
    upstream_retry_wait: Annotated[
        Seconds,
        _about(
            "longest wait before such a try; an upstream that wants a longer one is left to the "
            "client"
        ),
    ] = 0.1
    breaker_failures: Annotated[
        Annotated[int, Meta(ge=0)],
        _about(
            "calls of an upstream in a row that found it down (no connection, no answer in time, "
            "or 502, 503, 504), after which it is left alone for a while; 0 is never"
        ),
    ] = 10
    breaker_seconds: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_SECONDS)],
        _about("how long it is left alone; then one request tries whether it is there again"),
    ] = 5.0
    cors_origins: Annotated[
        tuple[str, ...],
        _about("origins of web pages that may ask, such as https://app.example; * is all of them"),
    ] = ()
    shutdown_delay: Annotated[
        Seconds,
        _about("between SIGTERM, when /health/ready turns red, and the end of listening"),
    ] = 0.0
    shutdown_timeout: Annotated[
        Seconds, _about("for open streams to end by themselves after that; then they are failed")
    ] = 30.0

    # What is told of requests: `adapter.observe`.
    metrics: Annotated[
        bool, _about("count for Prometheus, and show it at GET /adapter/metrics")
    ] = False
    traces: Annotated[
        bool, _about("make spans with OpenTelemetry, of requests and of what they call")
    ] = False
    server_timing: Annotated[
        bool, _about("say in the header server-timing how long adapter and upstream took")
    ] = False
    log_format: Annotated[
        Literal["auto", "json", "text"],
        _about("log lines of serve; auto is text on a terminal, and JSON elsewhere"),
    ] = "auto"

    mcp_list_timeout: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_SECONDS)],
        _about("for the list of an MCP server's tools, connecting included"),
    ] = 30.0
    mcp_call_timeout: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_SECONDS)], _about("for a call of an MCP server's tool")
    ] = 60.0
    mcp_list_ttl: Annotated[
        Seconds, _about("how long the list of an MCP server's tools is kept; 0 keeps none")
    ] = 300.0
    max_turns: Annotated[
        Annotated[int, Meta(ge=1)],
        _about("calls of the upstream for one response with hosted tools; the last has no tools"),
    ] = 16
    tools_timeout: Annotated[
        Annotated[float, Meta(gt=0, le=MAX_SECONDS)],
        _about("for all calls of hosted tools in one response; then the model does without"),
    ] = 600.0
    max_mcp_servers: Annotated[
        Annotated[int, Meta(ge=0)], _about("MCP servers that one request may name")
    ] = 16
    max_mcp_tools: Annotated[
        Annotated[int, Meta(ge=1)], _about("tools that one MCP server may list")
    ] = 512
    max_tool_output_bytes: Annotated[
        Annotated[int, Meta(ge=1)], _about("the largest result of a call of an MCP server's tool")
    ] = 2 * 1024 * 1024

    routes: Annotated[
        dict[str, RouteSettings], _about("upstreams by name, which share the models among them")
    ] = {}
    dialects: Annotated[
        dict[str, dict[str, Any]], _about("dialects of your own, each with a `base` and its facts")
    ] = {}
    fetch: Annotated[
        UrlPolicy, _about("which URLs may be fetched for clients; https and public by default")
    ] = UrlPolicy()
    mcp: Annotated[
        dict[str, McpServerSettings],
        _about("MCP servers of your own by label, which requests may then name without a URL"),
    ] = {}
    tools: Annotated[
        dict[str, ToolSettings],
        _about("what runs hosted tools by type, such as web_search: a tool of an MCP server"),
    ] = {}

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
        for table, kind in _TABLES_OF_TABLES.items():
            if isinstance(given := values.get(table), Mapping):
                values[table] = {
                    name: _convert(row, kind, f"{table}.{name}.") for name, row in given.items()
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
        choices = _choices(get_type_hints(kind)[name])
        found = (
            f"expected one of {', '.join(choices)}, got{found.removeprefix('Invalid enum value')}"
        )
    return f"Invalid setting '{(at + name).rstrip('.')}': {found[0].lower()}{found[1:]}."


def _choices(hint: Any) -> list[str]:
    """Return the texts that a hint allows, whatever else it does."""
    found = [hint] if isinstance(hint, str) else []
    return found + [choice for part in get_args(hint) for choice in _choices(part)]


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
