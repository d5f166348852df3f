"""`responses-adapter serve`: a server in front of a chat-completions server."""

import math
import os
import secrets
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

from adapter.config import ENV_PREFIX, NO_STORE, Settings, SettingsError, describe_settings

if TYPE_CHECKING:
    from adapter.asgi.app import ResponsesAPI
    from adapter.cli.stopping import StoppingApp
    from adapter.inspector.app import Inspector

DEFAULT_HOST = "127.0.0.1"  # nobody else, unless asked for
DEFAULT_PORT = 9000
LOG_LEVELS = ("critical", "error", "warning", "info", "debug", "trace")  # uvicorn's

Command = Callable[..., None]


def settings_options(command: Command) -> Command:
    """Add an option for every setting; values are checked when the settings are loaded."""
    for name, (description, default) in reversed(describe_settings().items()):
        shown = ", ".join(default) or None if isinstance(default, tuple) else default
        option = click.option(
            "--" + name.replace("_", "-"),
            name,
            metavar=_kind_of(default),
            help=f"{description[0].upper()}{description[1:]}. [env: {ENV_PREFIX}{name.upper()}; "
            f"default: {'none' if shown is None else shown}]",
        )
        command = option(command)
    return command


def _kind_of(default: Any) -> str:
    match default:
        case bool():
            return "TRUE|FALSE"
        case int() | float():
            return "NUMBER"
        case _:
            return "TEXT"


@click.command(short_help="Serve the Responses API before a model server.")
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 takes a free one, which the log tells.",
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option(
    "--log-level",
    default="info",
    show_default=True,
    type=click.Choice(LOG_LEVELS),
    help="Of the server's own log.",
)
@click.option("--config", type=click.Path(), help="A TOML file. [env: ADAPTER_CONFIG]")
@click.option(
    "--ui",
    is_flag=True,
    help="Show requests as they are made on a page, /adapter/ui/: on loopback, or with keys.",
)
@click.option("--ssl-certfile", type=click.Path(), help="Certificate, to serve https.")
@click.option("--ssl-keyfile", type=click.Path(), help="Its key, if that is in a file of its own.")
@click.option(
    "--ssl-keyfile-password",
    envvar="ADAPTER_SSL_KEYFILE_PASSWORD",
    help="Password of the key. [env: ADAPTER_SSL_KEYFILE_PASSWORD, which others do not see]",
)
@click.option("--ssl-ca-certs", type=click.Path(), help="Ask clients for certificates of these.")
@settings_options
def serve(
    host: str,
    port: int,
    workers: int,
    log_level: str,
    config: str | None,
    ui: bool,
    ssl_certfile: str | None,
    ssl_keyfile: str | None,
    ssl_keyfile_password: str | None,
    ssl_ca_certs: str | None,
    **options: str | None,
) -> None:
    """Serve the Responses API; every path that is not ours is passed through to the upstream."""
    arguments = split_lists(options)
    settings = with_store(Settings.load(config, **arguments), workers)
    run_server(
        settings,
        config=config,
        host=host,
        port=port,
        workers=workers,
        log_level=log_level,
        ui=ui,
        tls=tls_options(ssl_certfile, ssl_keyfile, ssl_keyfile_password, ssl_ca_certs),
    )


def tls_options(
    certfile: str | None, keyfile: str | None, password: str | None, ca_certs: str | None
) -> dict[str, Any]:
    """Return the options of uvicorn for https; none is http.

    Raises:
        SettingsError: there is no certificate, or it cannot be used.
    """
    if certfile is None:
        if keyfile or password or ca_certs:
            raise SettingsError("--ssl-certfile is missing: the other options of TLS need it.")
        return {}
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:  # found here, and not by each worker
        context.load_cert_chain(certfile, keyfile, password or "")
        if ca_certs is not None:
            context.load_verify_locations(ca_certs)
    except OSError as exc:  # of TLS too
        reason = getattr(exc, "reason", None) or exc.strerror or "cannot be read"
        raise SettingsError(f"The TLS certificate or key cannot be used: {reason}.") from exc
    options: dict[str, Any] = {
        "ssl_certfile": certfile,
        "ssl_keyfile": keyfile,
        "ssl_keyfile_password": password,
    }
    if ca_certs is not None:
        options |= {"ssl_ca_certs": ca_certs, "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return options


def with_store(settings: Settings, workers: int) -> Settings:
    """Return the settings with a store, if they name none, and tell where it is.

    Raises:
        SettingsError: the workers could not share it.
    """
    from adapter.cli.default_store import check_shared, default_store, is_shared

    if settings.store is not None:
        check_shared(settings.store, workers)
        return settings
    store = default_store(os.environ)
    if workers > 1 and not is_shared(store):
        store = NO_STORE
    kept = "nowhere" if store == NO_STORE else f"in {store}"
    click.echo(f"Responses are kept {kept}; --store chooses another place, or none.", err=True)
    return msgspec.structs.replace(settings, store=store)


def split_lists(options: dict[str, str | None]) -> dict[str, Any]:
    """Return options with comma-separated lists split."""
    described = describe_settings()
    return {
        name: [part.strip() for part in text.split(",") if part.strip()]
        if text is not None and isinstance(described[name][1], tuple)
        else text
        for name, text in options.items()
    }


def run_server(
    settings: Settings,
    *,
    host: str,
    port: int,
    config: str | None = None,
    workers: int = 1,
    log_level: str = "info",
    ui: bool = False,
    tls: dict[str, Any] | None = None,
) -> None:
    """Run uvicorn until it is told to stop.

    Args:
        settings: of the app.
        host: address to listen on.
        port: to listen on; 0 takes a free one.
        config: the TOML file that the settings came from, for what only a file can hold.
        workers: processes.
        log_level: of the server's own log.
        ui: serve the inspector, too.
        tls: options of uvicorn for https; None is http.

    Raises:
        SettingsError: there is no upstream; or the inspector cannot be served.
    """
    import uvicorn

    from adapter.cli.memory import tune_memory
    from adapter.cli.observing import begin_to_tell, shared_counts

    options: dict[str, Any] = {
        "log_config": begin_to_tell(settings, log_level),
        "log_level": log_level,
        "access_log": False,
        "proxy_headers": False,  # nobody here asks who the client is
        **server_options(settings),
        **(tls or {}),
    }
    app = make_app(settings, host, workers, ui=ui)  # finds faults before there are workers
    if workers == 1:
        tune_memory()
        if ui:
            click.echo(f"The inspector is at {inspector_at(host, port, bool(tls))}.", err=True)
        uvicorn.run(stopping(app), host=host, port=port, **options)
        return
    # Workers are new processes: they find the settings in their environment.
    os.environ.update(to_environment(settings))
    if config is not None:
        os.environ[f"{ENV_PREFIX}CONFIG"] = config
    if not settings.sealing_keys:  # what one worker seals, any of them must open
        os.environ[f"{ENV_PREFIX}SEALING_KEYS"] = secrets.token_hex(32)
    with shared_counts(settings):
        uvicorn.run(
            "adapter.cli.serve:create_worker",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            **options,
        )


def make_app(
    settings: Settings, host: str, workers: int, *, ui: bool
) -> "ResponsesAPI | Inspector":
    """Return the app, with the inspector before it if that is to be served; see `run_server`."""
    from adapter.asgi.app import make_sidecar

    if not ui:
        return make_sidecar(settings)
    from adapter.inspector.app import make_inspected

    if workers > 1:
        raise SettingsError("The inspector shows the requests of one process: use --workers 1.")
    return make_inspected(settings, host)


def inspector_at(host: str, port: int, is_https: bool) -> str:
    """Return where the inspector is, as far as it is known before the server listens."""
    if not port:
        return "/adapter/ui/ of the address below"
    name = f"[{host}]" if ":" in host else host
    return f"{'https' if is_https else 'http'}://{name}:{port}/adapter/ui/"


def create_worker() -> "StoppingApp":
    """Return the app of one of several processes."""
    from adapter.asgi.app import create_app
    from adapter.cli.memory import tune_memory
    from adapter.cli.observing import begin_to_trace

    app = create_app()
    begin_to_trace(app.settings)
    tune_memory()
    return stopping(app)


def stopping(app: "ResponsesAPI | Inspector") -> "StoppingApp":
    """Return an app that ends in order when its process is told to."""
    from adapter.cli.impatient_protocol import ImpatientProtocol
    from adapter.cli.log_masks import mask_headers
    from adapter.cli.stopping import StoppingApp

    mask_headers()
    ImpatientProtocol.slow_reader_seconds = app.settings.slow_reader_timeout
    return StoppingApp(app, app.settings.shutdown_delay, app.settings.shutdown_timeout)


def server_options(settings: Settings) -> dict[str, Any]:
    """Return what uvicorn has to know of the settings."""
    from adapter.cli.stopping import LAST_WORDS_SECONDS

    limit = settings.shutdown_timeout
    return {
        "http": "adapter.cli.http_protocol:LimitedProtocol",
        "h11_max_incomplete_event_size": settings.max_header_bytes,
        "timeout_graceful_shutdown": math.ceil(limit + LAST_WORDS_SECONDS) if limit else None,
        "ws": "adapter.cli.socket_protocol:TextsProtocol",
        "ws_max_size": settings.max_body_bytes,  # a frame may be as large as a body
        # Most clients offer it. Event streams are not compressed either; with it, a delta of a
        # burst took 1.25 to 1.85 times the CPU, and an idle connection 81 kB in place of 32.
        "ws_per_message_deflate": False,
    }


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables."""
    environment = {}
    for name in describe_settings():
        value = getattr(settings, name)
        if value is not None:
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            environment[ENV_PREFIX + name.upper()] = text
    return environment
