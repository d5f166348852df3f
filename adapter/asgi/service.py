"""From the bytes of a request to a run: what every way of asking for a response shares."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import msgspec

from adapter.asgi.access.gate import Gate
from adapter.asgi.closing import Closing
from adapter.asgi.fallback import find_targets
from adapter.asgi.hosting import make_hosting
from adapter.asgi.ids import new_id
from adapter.asgi.keeping import make_state
from adapter.asgi.owner import owner_of
from adapter.asgi.route import Route
from adapter.asgi.routes import Routes, route_headers
from adapter.asgi.sealer import make_sealer, warn_of_own_key
from adapter.asking import Fallbacks
from adapter.compaction import CompactionRun, Compactor, Translations
from adapter.config import Settings
from adapter.counting import InputCount
from adapter.errors import InvalidRequestError
from adapter.fetch.late import LateFetcher
from adapter.loop import ResponseRun
from adapter.observe.exchange import note_route
from adapter.observe.make import make_observer
from adapter.prior import Prior
from adapter.room import Compact
from adapter.routing import DEFAULT_ROUTE
from adapter.runners.base import ToolRunner
from adapter.sealing import PREFIX, Kind, Sealer
from adapter.state import Remembered, State
from adapter.store.base import ResponseStore
from adapter.surroundings import Detached, Keep, Surroundings
from adapter.translate.compaction import without_trigger
from adapter.translate.decode import check_size, decode_request, read_model
from adapter.translate.replay import History
from adapter.translate.request import Options, to_chat_request
from adapter.turn import Target
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream

if TYPE_CHECKING:
    import httpx2


class Service:
    """Makes runs.

    Args:
        given: the upstream of the default route, if not that of the settings.
        settings: the settings.
        store: keeps responses and conversations, if not that of the settings.
        tools: run hosted tools, besides those of the settings.
        watch: stands before every upstream; None leaves them as they are.

    Attributes:
        settings: the settings.
        gate: who may ask, for which models, and how much.
        closing: what runs, and whether it has to end.
        routes: which upstream serves a model.
        state: what is kept; None if nothing is.
        observer: is told of requests; None if nobody wants to know.

    Raises:
        SettingsError: no upstream, or a setting that does not fit.
    """

    def __init__(
        self,
        given: "str | httpx2.AsyncClient | Upstream | None",
        settings: Settings,
        store: ResponseStore | None = None,
        tools: Sequence[ToolRunner] = (),
        watch: Callable[[Upstream], Upstream] | None = None,
    ) -> None:
        self.settings = settings
        self.gate = Gate(settings)
        self.closing = Closing()
        self.observer = observer = make_observer(settings)
        self._hosting = make_hosting(settings, tools)
        if observer is not None and self._hosting is not None:
            self._hosting = observer.hosting(self._hosting)
        self.routes = Routes(given, settings, watch, observer)
        self.state: State | None = make_state(store, settings, new_id, observer)
        forwarded = (name.lower() for name in settings.forward_headers)
        self._forwarded = ("authorization", *forwarded)
        self._fetcher = LateFetcher(settings.fetch)
        self._usual = Surroundings(
            new_id=new_id,
            now=time.time,
            max_event_bytes=settings.max_event_bytes,
            max_bytes=settings.max_stream_bytes,
            open_names=settings.reasoning_events == "reasoning",
            summaries=settings.reasoning_summaries,
            fetcher=self._fetcher,
            hosting=self._hosting,
        )
        self._known_options: dict[tuple[str, bool], Options] = {}
        if settings.sealing_keys:
            self._open("reasoning", PREFIX)  # a key that cannot be used is told at the start

    async def aclose(self) -> None:
        """Close all connections."""
        await self.routes.aclose()
        if self.state is not None:
            await self.state.aclose()
        if self._hosting is not None and self._hosting.mcp is not None:
            await self._hosting.mcp.aclose()
        await self._fetcher.aclose()
        if self.observer is not None:
            await self.observer.aclose()

    @property
    def acts_first(self) -> bool:
        """Whether a request may have effects before the model is asked."""
        return self.state is not None or self._hosting is not None

    def owner(self, headers: Mapping[str, str]) -> str:
        """Return whom belongs what a request stores.

        Raises:
            InvalidRequestError: the request does not say.
        """
        return owner_of(headers, self.settings.owner_header)

    def prior(
        self,
        request: ResponseRequest,
        headers: Mapping[str, str],
        remembered: Remembered | None = None,
    ) -> AbstractAsyncContextManager[Prior]:
        """Find what a request goes on from; see `State.prior`.

        Args:
            request: what the client asked.
            headers: of the client's request.
            remembered: the previous response, if the caller knows it.
        """
        if self.state is None:
            parts = None if remembered is None else remembered.parts
            return nullcontext(Prior(request=request, parts=parts))
        return self.state.prior(request, partial(self.owner, headers), remembered)

    async def joined(self, request: ResponseRequest, headers: Mapping[str, str]) -> ResponseRequest:
        """Return a request with all that it goes on from in its own input; it is not stored itself.

        Args:
            request: what the client asked.
            headers: of the client's request.
        """
        request = msgspec.structs.replace(request, store=False)
        async with self.prior(request, headers) as prior:
            return prior.joined()

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
        keep: Keep | None = None,
        detached: Detached | None = None,
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
            keep: keeps the response; see `ResponseRun`.
            detached: the response runs in the background.

        Raises:
            InvalidRequestError: the request cannot be translated.
        """
        compacted = without_trigger(request)
        if compacted is not None:
            return self.compaction(
                compacted,
                route,
                model,
                headers,
                upstream,
                history=history,
                keep=keep,
                detached=detached,
            )
        compact: Compact | None = None
        if request.context_management and self._warned_sealer is not None:
            compact = self._compactor(
                request, route, model, headers, upstream, self._warned_sealer, history
            ).compact
        translate = partial(
            to_chat_request,
            request,
            model=model,
            history=history,
            needs_input=needs_input,
            options=self._options(route, compacts=compact is not None),
        )
        fallbacks: Fallbacks | None = None
        if route.settings.fallback is not None:
            fallbacks = find_targets(
                self.routes,
                route,
                request.model or "",
                model,
                partial(self.forwarded, headers),
                lambda other, name: partial(
                    translate,
                    model=name,
                    options=self._options(other, compacts=compact is not None),
                ),
            )
        run = ResponseRun(
            request,
            translate,
            self._target(route, model, headers, upstream),
            self._surroundings(request, headers, detached),
            keep=keep,
            compact=compact,
            fallbacks=fallbacks,
        )
        self._tell_of(run, request, route, model)
        return run

    def compaction(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
        *,
        history: History | None = None,
        keep: Keep | None = None,
        detached: Detached | None = None,
    ) -> CompactionRun:
        """Prepare the run of a request for compaction; see `run`.

        Args:
            request: what the client asked, without the trigger.
            route: of the model.
            model: what the route calls it.
            headers: of the client's request.
            upstream: the wrapped app, where that is the upstream of the default route.
            history: what was said before; see `to_chat_request`.
            keep: keeps the response; see `ResponseRun`.
            detached: the response runs in the background.

        Raises:
            InvalidRequestError: the request cannot be translated, or nothing can be sealed here.
        """
        if self._warned_sealer is None:
            raise _cannot_seal()
        compactor = self._compactor(
            request, route, model, headers, upstream, self._warned_sealer, history, detached
        )
        run = CompactionRun(compactor, keep=keep)
        self._tell_of(run, request, route, model)
        return run

    def _compactor(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        upstream: Upstream | None,
        sealer: Sealer,
        history: History | None,
        detached: Detached | None = None,
    ) -> Compactor:
        return Compactor(
            request=request,
            history=history,
            translate=self._translations(route, model),
            target=self._target(route, model, headers, upstream),
            surroundings=self._surroundings(request, headers, detached),
            sealer=sealer,
            max_tokens=self.settings.max_summary_tokens,
        )

    def counting(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
    ) -> InputCount:
        """Prepare the counting of a request's input; see `run`.

        Args:
            request: what the client would ask, with all that was said before.
            route: of the model.
            model: what the route calls it.
            headers: of the client's request.
            upstream: the wrapped app, where that is the upstream of the default route.

        Raises:
            InvalidRequestError: the request cannot be translated.
        """
        # The endpoints that count are not those that a guard or an observer stands before.
        bare = upstream if upstream is not None and route.name == DEFAULT_ROUTE else route.upstream
        target = self._target(route, model, headers, upstream)
        return InputCount(
            request,
            self._translations(route, model),
            msgspec.structs.replace(target, upstream=bare),
            self._surroundings(request, headers),
            calls=self.settings.count_by_call,
        )

    def decode(
        self, body: bytes, headers: Mapping[str, str] | None = None
    ) -> tuple[ResponseRequest, Route, str]:
        """Return a request, its route, and what the route calls the model.

        Args:
            body: of the request.
            headers: of the client's request; None is a request that was let in before.

        Raises:
            InvalidRequestError: the body is no request.
            NotFoundError: no route serves the model, or the client's key is not for it.
        """
        request = decode_request(body)
        check_size(request, self.settings.max_input_items)
        if headers is not None:
            self.gate.check_model(headers, request.model or "")
        route, model = self.routes.choose(request.model or "")
        if self.observer is not None:
            note_route(route.name)
        return request, route, model

    def passed_on(self, body: bytes, headers: Mapping[str, str]) -> tuple[Route, str] | None:
        """Return the route, and its name for the model, of a request that goes on as it is.

        What its upstream's own Responses API takes is not ours to check.

        Raises:
            InvalidRequestError: the body names no model.
            NotFoundError: no route serves the model, or the client's key is not for it.
        """
        if not self.routes.some_pass_through():
            return None
        named = read_model(body)
        self.gate.check_model(headers, named)
        route, model = self.routes.choose(named)
        if self.observer is not None:
            note_route(route.name)
        return (route, model) if route.passes_through() else None

    def forwarded(self, headers: Mapping[str, str], route: Route | None = None) -> dict[str, str]:
        """Return the request headers that upstreams see, or the upstream of one route."""
        names = self._forwarded
        if route is not None and (wanted := route.habits.dialect.forward_headers):
            names = (*names, *wanted)
        return {name: headers[name] for name in names if name in headers}

    def _translations(self, route: Route, model: str) -> Translations:
        options = self._options(route)
        return lambda request, history: partial(
            to_chat_request, request, model=model, history=history, options=options
        )

    def _options(self, route: Route, *, compacts: bool = False) -> Options:
        """Return how requests for a route are translated; it is the same for all of them."""
        known = self._known_options.get((route.name, compacts))
        if known is None:
            known = self._make_options(route, compacts=compacts)
            self._known_options[route.name, compacts] = known
        return known

    def _make_options(self, route: Route, *, compacts: bool) -> Options:
        settings = self.settings
        return Options(
            unknown=settings.unknown_fields,
            hosted=settings.hosted_tools,
            runs=frozenset() if self._hosting is None else self._hosting.types,
            custom_grammars=settings.custom_grammars,
            downgrades=settings.downgrades,
            pass_fields=frozenset(route.settings.pass_fields),
            body=route.settings.body,
            open_sealed=partial(self._open, "reasoning"),
            open_compaction=partial(self._open, "compaction"),
            compacts=compacts,
        )

    def _open(self, kind: Kind, sealed: str) -> str | None:
        """Open what was sealed here; nothing is loaded for what was not."""
        if not sealed.startswith(PREFIX) or self._sealer is None:
            return None
        return self._sealer.open(kind, sealed)

    def _surroundings(
        self,
        request: ResponseRequest,
        headers: Mapping[str, str],
        detached: Detached | None = None,
    ) -> Surroundings:
        own: dict[str, Any] = {}
        if "openresponses-version" in headers:
            own["open_names"] = True
        if request.include and "reasoning.encrypted_content" in request.include:
            own["sealer"] = self._warned_sealer
        if detached is not None:
            own["detached"] = detached
        if self.observer is not None:
            own["watch"] = self.observer.watch()
        return msgspec.structs.replace(self._usual, **own) if own else self._usual

    def _tell_of(
        self, run: ResponseRun, request: ResponseRequest, route: Route, model: str
    ) -> None:
        if self.observer is not None:
            dialect = route.habits.of(model).name
            self.observer.run(run, request, route.name, model, dialect)

    def _target(
        self, route: Route, model: str, headers: Mapping[str, str], wrapped: Upstream | None
    ) -> Target:
        sent = route_headers(route.settings, self.forwarded(headers, route))
        if wrapped is None or route.name != DEFAULT_ROUTE:
            upstream = route.guarded
        elif self.observer is not None:
            upstream = self.observer.upstream(wrapped, route.name)
        else:
            upstream = wrapped
        return Target(upstream, sent, route.habits, model)

    @cached_property
    def _sealer(self) -> Sealer | None:
        return make_sealer(self.settings)

    @cached_property
    def _warned_sealer(self) -> Sealer | None:
        warn_of_own_key(self.settings, self._sealer)
        return self._sealer


def _cannot_seal() -> InvalidRequestError:
    return InvalidRequestError(
        "Compaction needs an extra of this server: pip install 'responses-adapter[sealing]'.",
        code="unsupported_value",
        param="input",
    )
