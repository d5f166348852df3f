"""`responses-adapter serve`: a server in front of a chat-completions server."""

import gc
import os
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

from adapter.config import ENV_PREFIX, NO_STORE, Settings, describe_settings

if TYPE_CHECKING:
    from adapter.asgi.app import ResponsesAPI

DEFAULT_HOST = "127.0.0.1"  # nobody else, unless asked for
DEFAULT_PORT = 9000
SHUTDOWN_SECONDS = 30  # for open streams to end; then they are cut off
GC_THRESHOLD = 10_000  # new objects before a look; Python's own is 700
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


@click.command()
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
@settings_options
def serve(
    host: str, port: int, workers: int, log_level: str, config: str | None, **options: str | None
) -> None:
    """Serve the Responses API; every path that is not ours is passed through to the upstream."""
    arguments = split_lists(options)
    settings = with_store(Settings.load(config, **arguments), workers)
    run_server(settings, config=config, host=host, port=port, workers=workers, log_level=log_level)


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
) -> None:
    """Run uvicorn until it is told to stop.

    Args:
        settings: of the app.
        host: address to listen on.
        port: to listen on; 0 takes a free one.
        config: the TOML file that the settings came from, for what only a file can hold.
        workers: processes.
        log_level: of the server's own log.

    Raises:
        SettingsError: there is no upstream.
    """
    import uvicorn

    from adapter.asgi.app import make_sidecar

    options: dict[str, Any] = {
        "log_level": log_level,
        "access_log": False,
        "proxy_headers": False,  # nobody here asks who the client is
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
        "ws_max_size": settings.max_body_bytes,  # a frame may be as large as a body
    }
    app = make_sidecar(settings)  # finds faults before there are workers
    if workers == 1:
        tune_gc()
        uvicorn.run(app, host=host, port=port, **options)
        return
    # Workers are new processes: they find the settings in their environment.
    os.environ.update(to_environment(settings))
    if config is not None:
        os.environ[f"{ENV_PREFIX}CONFIG"] = config
    if not settings.sealing_keys:  # what one worker seals, any of them must open
        os.environ[f"{ENV_PREFIX}SEALING_KEYS"] = secrets.token_hex(32)
    uvicorn.run(
        "adapter.cli.serve:create_worker",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        **options,
    )


def create_worker() -> "ResponsesAPI":
    """Return the app of one of several processes."""
    from adapter.asgi.app import create_app

    app = create_app()
    tune_gc()
    return app


def tune_gc() -> None:
    """Let the garbage collector look less often, and not at what stays for good.

    What a request leaves behind has no cycles, or few; but hundreds of its objects live as long as
    it does, and looking at them took a tenth of the time of short requests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD, 20, 20)


def to_environment(settings: Settings) -> dict[str, str]:
    """Return the settings as environment variables."""
    environment = {}
    for name in describe_settings():
        value = getattr(settings, name)
        if value is not None:
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            environment[ENV_PREFIX + name.upper()] = text
    return environment
