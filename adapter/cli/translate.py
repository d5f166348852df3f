"""`responses-adapter translate`: what a request becomes, and what an answer becomes, without a server.

It runs the same core as `serve`, on files or pipes. Ids are counted and the clock stands still, so
that the same input gives the same output.
"""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from adapter.config import Settings
from adapter.errors import AdapterError

if TYPE_CHECKING:
    from adapter.dialects import Dialect
    from adapter.loop import ResponseRun
    from adapter.translate.request import Translation

_NO_REQUEST = b'{"model":"model","input":"-"}'  # an answer alone can be translated too
_COLOURS = {"dropped": "red", "adapted": "yellow"}
_EXAMPLES = """\b
Such as:
  responses-adapter translate request.json --dialect llama.cpp --explain
  curl -sN URL/v1/chat/completions -d @chat.json | responses-adapter translate --answer -
"""


def _complete_dialect(_ctx: click.Context, _param: click.Parameter, begun: str) -> list[str]:
    from adapter.dialects import DIALECTS

    return [name for name in DIALECTS if name.startswith(begun)]


@click.command(epilog=_EXAMPLES, short_help="Show what a request, or an answer, becomes.")
@click.argument("request", type=click.File("rb"), required=False)
@click.option(
    "--answer",
    type=click.File("rb"),
    help="What a chat server answered, a stream or a document; - is a pipe. It becomes events.",
)
@click.option(
    "--status",
    default=200,
    show_default=True,
    type=click.IntRange(200, 599),
    help="Of that answer.",
)
@click.option(
    "--dialect",
    shell_complete=_complete_dialect,
    help="The upstream's habits, by name. [default: as the settings say, else generic]",
)
@click.option("--config", type=click.Path(), help="A TOML file. [env: ADAPTER_CONFIG]")
@click.option("--explain", is_flag=True, help="Say what was not sent as it came, and why.")
@click.option("--json", "as_json", is_flag=True, help="With --answer: one document, no events.")
def translate(
    request: BinaryIO | None,
    answer: BinaryIO | None,
    status: int,
    dialect: str | None,
    config: str | None,
    explain: bool,
    as_json: bool,
) -> None:
    """Show what a REQUEST of the Responses API becomes for a chat server.

    REQUEST is a file with its JSON, or a pipe. With --answer, show instead what the answer of a chat
    server to it becomes. What --explain says goes to standard error.
    """
    if request is not None and request is answer:
        raise click.UsageError("REQUEST and --answer cannot both be the pipe.")
    body = _read(request, answer)
    settings = Settings.load(config, dialect=dialect)
    try:
        run, known = _prepare(body, settings, None if answer is None else answer.read(), status)
        if explain:
            _explain(body, run.translation, known)
        if answer is None:
            click.echo(_readable(run.translation.chat.encode()))
        else:
            asyncio.run(_show(run, as_json=as_json))
    except AdapterError as error:
        at = f" (param: {error.param})" if error.param else ""
        raise click.ClickException(f"{error.status}: {error.message}{at}") from error


def _read(request: BinaryIO | None, answer: BinaryIO | None) -> bytes:
    if request is not None:
        return request.read()
    if answer is not None:
        return _NO_REQUEST
    if sys.stdin.isatty():
        raise click.UsageError("Missing argument 'REQUEST': a file, or a pipe.")
    return sys.stdin.buffer.read()


def _prepare(
    body: bytes, settings: Settings, answer: bytes | None, status: int
) -> tuple["ResponseRun", "Dialect"]:
    """Return the run of a request on an upstream that gives this answer, and its dialect."""
    from functools import partial

    from adapter.cli.played import PlayedUpstream
    from adapter.habits import Habits
    from adapter.loop import ResponseRun
    from adapter.surroundings import Surroundings
    from adapter.translate.decode import decode_request
    from adapter.translate.request import Options, to_chat_request
    from adapter.turn import Target

    request = decode_request(body)
    route, model = _route(request.model or "", settings)
    dialect = _dialect(route, settings)
    options = Options(
        unknown=settings.unknown_fields,
        hosted=settings.hosted_tools,
        custom_grammars=settings.custom_grammars,
        downgrades=settings.downgrades,
        pass_fields=frozenset(route.pass_fields),
        body=route.body,
    )
    run = ResponseRun(
        request,
        partial(to_chat_request, request, model=model, options=options),
        Target(PlayedUpstream(answer or b"", status), {}, Habits(dialect), model),
        Surroundings(
            new_id=_counted_ids(),
            now=lambda: 0.0,
            max_event_bytes=settings.max_event_bytes,
            open_names=settings.reasoning_events == "reasoning",
            summaries=settings.reasoning_summaries,
        ),
    )
    return run, dialect.for_model(model)


def _route(model: str, settings: Settings) -> tuple[Any, str]:
    """Return the settings of the route of a model, and what it is called there."""
    from adapter.routing import RouteSettings, choose_route

    own = RouteSettings(upstream=settings.upstream or "", dialect=settings.dialect, default=True)
    routes = dict(settings.routes)
    if settings.dialect != "auto" or not any(route.default for route in routes.values()):
        routes["default"] = own
    choice = choose_route(model, routes)
    if settings.dialect != "auto":  # as it was asked for
        return routes["default"], choice.model
    return routes[choice.route], choice.model


def _dialect(route: Any, settings: Settings) -> "Dialect":
    from adapter.dialects import GENERIC, find_dialect

    known = settings.known_dialects()
    if route.dialect in known:
        return known[route.dialect]
    return find_dialect(base_url=route.upstream, known=known) or GENERIC


def _counted_ids() -> Callable[[str], str]:
    counts: Counter[str] = Counter()

    def new_id(prefix: str) -> str:
        counts[prefix] += 1
        return f"{prefix}_{counts[prefix]}"

    return new_id


async def _show(run: "ResponseRun", *, as_json: bool) -> None:
    import msgspec

    from adapter.stream.encode import DONE, encode_events

    if as_json:
        click.echo(_readable(msgspec.json.encode(await run.collect())))
        return
    async for events in run.events():
        sys.stdout.buffer.write(encode_events(events))
    sys.stdout.buffer.write(DONE)
    sys.stdout.flush()


def _explain(body: bytes, translation: "Translation", dialect: "Dialect") -> None:
    from adapter.cli.explain import explain

    notes = explain(json.loads(body), translation, dialect)
    for note in notes:
        kind = click.style(note.kind, fg=_COLOURS[note.kind])
        click.echo(f"{kind}  {note.path}: {note.reason}", err=True)
    if not notes:
        click.echo("Everything is sent as it came.", err=True)


def _readable(document: bytes) -> str:
    return json.dumps(json.loads(document), indent=2, ensure_ascii=False)
