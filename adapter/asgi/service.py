"""What every way of asking for a response shares: the parts that serve it, and how it is read."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from adapter.asgi.access.gate import Gate
from adapter.asgi.closing import Closing
from adapter.asgi.hosting import make_hosting
from adapter.asgi.ids import new_id
from adapter.asgi.keeping import make_state
from adapter.asgi.owner import owner_of
from adapter.asgi.route import Route
from adapter.asgi.routes import Routes
from adapter.asgi.runs import Runs
from adapter.asgi.targets import Targets
from adapter.config import Settings
from adapter.fetch.late import LateFetcher
from adapter.observe.exchange import note_route
from adapter.observe.make import make_observer
from adapter.prior import Handed, Prior
from adapter.runners.base import ToolRunner
from adapter.state import Remembered, State
from adapter.store.base import ResponseStore
from adapter.translate.decode import check_size, decode_request, read_model
from adapter.types.request import ResponseRequest
from adapter.upstream.base import Upstream

if TYPE_CHECKING:
    import httpx2


class Service:
    """Makes of the settings what serves requests, and reads requests.

    Args:
        given: the upstream of the default route, if not that of the settings.
        settings: the settings.
        store: keeps responses and conversations, if not that of the settings.
        tools: run hosted tools, besides those of the settings.
        watch: stands before every upstream; None leaves them as they are.
        make_runs: makes `runs`, where they are to be watched (`adapter.inspector`).

    Attributes:
        settings: the settings.
        gate: who may ask, for which models, and how much.
        closing: what runs, and whether it has to end.
        routes: which upstream serves a model.
        targets: what upstreams are shown.
        runs: makes the runs of requests.
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
        make_runs: Callable[..., Runs] = Runs,
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
        self._fetcher = LateFetcher(settings.fetch)
        self.targets = Targets(settings, observer)
        self.runs = make_runs(
            settings, self.routes, self.targets, self._fetcher, self._hosting, observer
        )

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
            return Handed(Prior(request=request, parts=parts))
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
        named = request.model or ""
        if headers is not None:
            self.gate.check_model(headers, named)
        route, model = self.routes.choose(named)
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
