"""From the bytes of a request to a run: what every way of asking for a response shares."""

import secrets
import time
from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING

from adapter.asgi.route import Route
from adapter.asgi.routes import Routes, route_headers
from adapter.asgi.sealer import make_sealer, warn_of_own_key
from adapter.compaction import CompactionRun
from adapter.config import Settings
from adapter.errors import InvalidRequestError
from adapter.loop import ResponseRun, Surroundings
from adapter.routing import DEFAULT_ROUTE
from adapter.sealing import PREFIX, Kind, Sealer
from adapter.translate.compaction import without_trigger
from adapter.translate.decode import decode_request, read_model
from adapter.translate.replay import History
from adapter.translate.request import Options, to_chat_request
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream

if TYPE_CHECKING:
    import httpx2

    from adapter.fetch.fetch import Fetcher

_ID_BYTES = 24  # 48 hex digits, as OpenAI's ids have
_CALL_ID_BYTES = 12  # it comes back in history, where OpenAI's chat takes 40 characters at most


def new_id(prefix: str) -> str:
    """Return an id that nobody can guess, such as `resp_…`."""
    return f"{prefix}_{secrets.token_hex(_CALL_ID_BYTES if prefix == 'call' else _ID_BYTES)}"


class Service:
    """Makes runs.

    Args:
        given: the upstream of the default route, if not that of the settings.
        settings: the settings.

    Attributes:
        settings: the settings.
        routes: which upstream serves a model.

    Raises:
        SettingsError: no upstream, or a setting that does not fit.
    """

    def __init__(
        self, given: "str | httpx2.AsyncClient | Upstream | None", settings: Settings
    ) -> None:
        self.settings = settings
        self.routes = Routes(given, settings)
        self._forwarded = tuple(name.lower() for name in settings.forward_headers)
        if settings.sealing_keys:
            self._open("reasoning", PREFIX)  # a key that cannot be used is told at the start

    async def aclose(self) -> None:
        """Close all connections."""
        await self.routes.aclose()
        if "_fetcher" in self.__dict__:
            await self._fetcher.aclose()

    def run(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        *,
        history: History | None = None,
        needs_input: bool = True,
    ) -> ResponseRun:
        """Prepare the run of a request.

        Args:
            request: what the client asked.
            route: of the model.
            model: what the route calls it.
            headers: of the client's request.
            upstream: the wrapped app, where that is the upstream of the default route.
            history: what was said before; see `to_chat_request`.
            needs_input: see `to_chat_request`.

        Raises:
            InvalidRequestError: the request cannot be translated.
        """
        compacted = without_trigger(request)
        if compacted is not None:
            return self.compaction(compacted, route, model, headers, upstream, history=history)
        translate = partial(
            to_chat_request,
            request,
            model=model,
            history=history,
            needs_input=needs_input,
            options=self._options(route),
        )
        return ResponseRun(
            request,
            translate,
            route.habits,
            _upstream_of(route, upstream),
            route_headers(route.settings, self.forwarded(headers, route)),
            self._surroundings(request, headers),
            model=model,
        )

    def compaction(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        *,
        history: History | None = None,
    ) -> CompactionRun:
        """Prepare the run of a request for compaction; see `run`.

        Args:
            request: what the client asked, without the trigger.
            route: of the model.
            model: what the route calls it.
            headers: of the client's request.
            upstream: the wrapped app, where that is the upstream of the default route.
            history: what was said before; see `to_chat_request`.

        Raises:
            InvalidRequestError: the request cannot be translated, or nothing can be sealed here.
        """
        if self._warned_sealer is None:
            raise _cannot_seal()
        options = self._options(route)
        return CompactionRun(
            request,
            history,
            lambda request, history: partial(
                to_chat_request, request, model=model, history=history, options=options
            ),
            route.habits,
            _upstream_of(route, upstream),
            route_headers(route.settings, self.forwarded(headers, route)),
            self._surroundings(request, headers),
            model=model,
            sealer=self._warned_sealer,
            max_tokens=self.settings.max_summary_tokens,
        )

    def decode(self, body: bytes) -> tuple[ResponseRequest, Route, str]:
        """Return a request, its route, and what the route calls the model.

        Raises:
            InvalidRequestError: the body is no request.
            NotFoundError: no route serves the model.
        """
        request = decode_request(body)
        route, model = self.routes.choose(request.model or "")
        return request, route, model

    def passed_on(self, body: bytes) -> tuple[Route, str] | None:
        """Return the route, and its name for the model, of a request that goes on as it is.

        What its upstream's own Responses API takes is not ours to check.

        Raises:
            InvalidRequestError: the body names no model.
            NotFoundError: no route serves the model.
        """
        if not self.routes.some_pass_through():
            return None
        route, model = self.routes.choose(read_model(body))
        return (route, model) if route.passes_through() else None

    def forwarded(self, headers: Mapping[str, str], route: Route | None = None) -> dict[str, str]:
        """Return the request headers that upstreams see, or the upstream of one route."""
        wanted = () if route is None else route.habits.dialect.forward_headers
        names = ("authorization", *self._forwarded, *wanted)
        return {name: headers[name] for name in names if name in headers}

    def _options(self, route: Route) -> Options:
        settings = self.settings
        return Options(
            unknown=settings.unknown_fields,
            hosted=settings.hosted_tools,
            downgrades=settings.downgrades,
            pass_fields=frozenset(route.settings.pass_fields),
            body=route.settings.body,
            open_sealed=partial(self._open, "reasoning"),
            open_compaction=partial(self._open, "compaction"),
        )

    def _open(self, kind: Kind, sealed: str) -> str | None:
        """Open what was sealed here; nothing is loaded for what was not."""
        if not sealed.startswith(PREFIX) or self._sealer is None:
            return None
        return self._sealer.open(kind, sealed)

    def _surroundings(self, request: ResponseRequest, headers: Mapping[str, str]) -> Surroundings:
        settings = self.settings
        is_sealed = "reasoning.encrypted_content" in (request.include or ())
        return Surroundings(
            new_id=new_id,
            now=time.time,
            max_event_bytes=settings.max_event_bytes,
            open_names=settings.reasoning_events == "reasoning"
            or "openresponses-version" in headers,
            summaries=settings.reasoning_summaries,
            sealer=self._warned_sealer if is_sealed else None,
            fetcher=self._fetcher,
        )

    @cached_property
    def _sealer(self) -> Sealer | None:
        return make_sealer(self.settings)

    @cached_property
    def _warned_sealer(self) -> Sealer | None:
        warn_of_own_key(self.settings, self._sealer)
        return self._sealer

    @cached_property
    def _fetcher(self) -> "Fetcher":
        from adapter.fetch.fetch import Fetcher

        return Fetcher(self.settings.fetch)


def _upstream_of(route: Route, wrapped: Upstream | None) -> Upstream:
    return wrapped if wrapped is not None and route.name == DEFAULT_ROUTE else route.upstream


def _cannot_seal() -> InvalidRequestError:
    return InvalidRequestError(
        "Compaction needs an extra of this server: pip install 'responses-adapter[sealing]'.",
        code="unsupported_value",
        param="input",
    )
