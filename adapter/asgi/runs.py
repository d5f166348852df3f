"""From a request to its run: a response, a compaction, or a count of its input."""

import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec

from adapter.asgi.fallback import find_targets
from adapter.asgi.ids import new_id
from adapter.asgi.route import Route
from adapter.asgi.routes import Routes
from adapter.asgi.sealer import LateSealer
from adapter.asgi.targets import Targets
from adapter.asgi.translating import Translating
from adapter.asking import Fallbacks
from adapter.compaction import CompactionRun, Compactor
from adapter.config import Settings
from adapter.counting import InputCount
from adapter.errors import InvalidRequestError
from adapter.fetch.base import Fetches
from adapter.hosted.hosting import Hosting
from adapter.loop import ResponseRun
from adapter.observe.observer import Observer
from adapter.room import Compact
from adapter.routing import DEFAULT_ROUTE
from adapter.sealing import Sealer
from adapter.surroundings import Detached, Keep, Surroundings
from adapter.translate.compaction import without_trigger
from adapter.translate.replay import History
from adapter.translate.request import SEALED, to_chat_request
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream


class Runs:
    """Makes runs.

    Args:
        settings: the settings.
        routes: where else to ask, if an upstream is down.
        targets: where to ask.
        fetcher: fetches images for upstreams that do not.
        hosting: what runs hosted tools; None runs none.
        observer: is told of runs; None if nobody wants to know.

    Raises:
        SettingsError: the keys for sealing cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        routes: Routes,
        targets: Targets,
        fetcher: Fetches,
        hosting: Hosting | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._settings = settings
        self._routes = routes
        self._targets = targets
        self._observer = observer
        self._sealer = LateSealer(settings)
        types = frozenset[str]() if hosting is None else hosting.types
        self._translating = Translating(settings, types, self._sealer)
        self._usual = Surroundings(
            new_id=new_id,
            now=time.time,
            max_event_bytes=settings.max_event_bytes,
            max_bytes=settings.max_stream_bytes,
            open_names=settings.reasoning_events == "reasoning",
            summaries=settings.reasoning_summaries,
            fetcher=fetcher,
            hosting=hosting,
        )

    def new_run(
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
            return self.new_compaction(
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
        if request.context_management and (sealer := self._sealer.to_seal) is not None:
            compact = self._compactor(
                request, route, model, headers, upstream, sealer, history
            ).compact
        compacts = compact is not None
        translate = partial(
            to_chat_request,
            request,
            model=model,
            history=history,
            needs_input=needs_input,
            options=self._translating.options(route, compacts=compacts),
        )
        fallbacks: Fallbacks | None = None
        if route.settings.fallback is not None:
            fallbacks = find_targets(
                self._routes,
                route,
                request.model or "",
                model,
                partial(self._targets.forwarded, headers),
                lambda other, name: partial(
                    translate,
                    model=name,
                    options=self._translating.options(other, compacts=compacts),
                ),
            )
        run = ResponseRun(
            request,
            translate,
            self._targets.target(route, model, headers, upstream),
            self._surroundings(request, headers, detached),
            keep=keep,
            compact=compact,
            fallbacks=fallbacks,
        )
        if self._observer is not None:
            self._observer.run(run, request, route.name, model, route.habits.of(model).name)
        return run

    def new_compaction(
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
        """Prepare the run of a request for compaction; see `new_run`.

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
        if (sealer := self._sealer.to_seal) is None:
            raise _cannot_seal()
        compactor = self._compactor(
            request, route, model, headers, upstream, sealer, history, detached
        )
        run = CompactionRun(compactor, keep=keep)
        if self._observer is not None:
            self._observer.run(run, request, route.name, model, route.habits.of(model).name)
        return run

    def new_count(
        self,
        request: ResponseRequest,
        route: Route,
        model: str,
        headers: Mapping[str, str],
        upstream: Upstream | None = None,
    ) -> InputCount:
        """Prepare the counting of a request's input; see `new_run`.

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
        target = self._targets.target(route, model, headers, upstream)
        return InputCount(
            request,
            self._translating.translations(route, model),
            msgspec.structs.replace(target, upstream=bare),
            self._surroundings(request, headers),
            calls=self._settings.count_by_call,
        )

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
            translate=self._translating.translations(route, model),
            target=self._targets.target(route, model, headers, upstream),
            surroundings=self._surroundings(request, headers, detached),
            sealer=sealer,
            max_tokens=self._settings.max_summary_tokens,
        )

    def _surroundings(
        self,
        request: ResponseRequest,
        headers: Mapping[str, str],
        detached: Detached | None = None,
    ) -> Surroundings:
        own: dict[str, Any] = {}
        if "openresponses-version" in headers:
            own["open_names"] = True
        if request.include and SEALED in request.include:
            own["sealer"] = self._sealer.to_seal
        if detached is not None:
            own["detached"] = detached
        if self._observer is not None:
            own["watch"] = self._observer.watch()
        return msgspec.structs.replace(self._usual, **own) if own else self._usual


def _cannot_seal() -> InvalidRequestError:
    return InvalidRequestError(
        "Compaction needs an extra of this server: pip install 'responses-adapter[sealing]'.",
        code="unsupported_value",
        param="input",
    )
