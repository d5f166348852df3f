"""The routes of the settings at run time: which upstream serves a model, and what all of them list."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from adapter.asgi.route import Route
from adapter.asgi.upstreams import make_guarded, make_upstream
from adapter.config import Settings, SettingsError
from adapter.errors import AdapterError, UpstreamError
from adapter.observe.observer import Observer
from adapter.routing import DEFAULT_ROUTE, RouteSettings, choose_route, models_of
from adapter.upstream.base import Upstream

if TYPE_CHECKING:
    import httpx2


_REMEMBERED_MODELS = 1000  # which route serves them; names are the clients' words


class Routes:
    """All routes.

    Args:
        given: the upstream of the default route, if not that of the settings.
        settings: the settings.
        watch: stands before every upstream; None leaves them as they are.
        observer: is told of their calls.

    Attributes:
        choose: (model) to its route, and what the model is called there; raises NotFoundError if no
            route serves it.
        are_several: models are shared among routes or have other names, so that the list of models
            is ours to make.

    Raises:
        SettingsError: no upstream, two defaults, or a URL that cannot be used.
    """

    def __init__(
        self,
        given: "str | httpx2.AsyncClient | Upstream | None",
        settings: Settings,
        watch: Callable[[Upstream], Upstream] | None = None,
        observer: Observer | None = None,
    ) -> None:
        dialects = settings.known_dialects()
        self._settings: dict[str, RouteSettings] = dict(settings.routes)
        has_own = given is not None or settings.upstream is not None or not self._settings
        defaults = [name for name, route in self._settings.items() if route.default]
        if len(defaults) + has_own > 1 or (has_own and DEFAULT_ROUTE in self._settings):
            raise SettingsError(
                "Two default routes: expected `upstream`, or one route with `default = true`."
            )
        upstreams = {
            name: make_upstream(None, route, settings, f"routes.{name}.upstream")
            for name, route in self._settings.items()
        }
        if has_own:
            self._settings[DEFAULT_ROUTE] = own = _default_route(given, settings)
            upstreams[DEFAULT_ROUTE] = make_upstream(given, own, settings)
        if observer is not None:
            upstreams = {
                name: observer.upstream(upstream, name, self._settings[name].upstream)
                for name, upstream in upstreams.items()
            }
        if watch is not None:
            upstreams = {name: watch(upstream) for name, upstream in upstreams.items()}
        self._routes = {
            name: Route(
                name,
                route,
                upstreams[name],
                dialects,
                make_guarded(name, upstreams[name], settings, observer),
            )
            for name, route in self._settings.items()
        }
        for name, route in self._settings.items():
            if route.fallback is not None and route.fallback not in self._routes:
                raise SettingsError(
                    f"Invalid setting 'routes.{name}.fallback': there is no route "
                    f"'{route.fallback}'."
                )
        self._may_pass_through = [
            route for route in self._routes.values() if route.settings.api != "chat"
        ]
        # What is remembered costs a tenth of what it takes to look through patterns.
        self.choose = lru_cache(_REMEMBERED_MODELS)(self._choose)
        self.are_several = len(self._routes) > 1 or not (has_own or defaults)
        self.are_several |= any(route.aliases for route in self._settings.values())

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes.values())

    async def aclose(self) -> None:
        """Close the connections to all upstreams."""
        for route in self._routes.values():
            await route.upstream.aclose()
            if route.proxy is not None:
                await route.proxy.aclose()

    def default(self) -> RouteSettings | None:
        """Return the settings of the route that other paths go to, or None if none is the default."""
        return next((route for route in self._settings.values() if route.default), None)

    def all_pass_through(self) -> bool:
        """Tell whether every request goes to an upstream's own Responses API."""
        return all(route.passes_through() for route in self._routes.values())

    def some_pass_through(self) -> bool:
        """Tell whether any request does."""
        may = self._may_pass_through
        return bool(may) and any(route.passes_through() for route in may)

    def fallbacks(self, route: Route) -> Iterator[Route]:
        """Yield the routes to ask, one after the other, when the one before is down."""
        seen = {route.name}
        while (name := route.settings.fallback) is not None and name not in seen:
            seen.add(name)
            route = self._routes[name]
            if not route.passes_through():
                yield route

    def _choose(self, model: str) -> tuple[Route, str]:
        choice = choose_route(model, self._settings)
        return self._routes[choice.route], choice.model

    async def list_models(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """Return one list of what all upstreams serve, under the names that clients may use.

        Args:
            headers: request headers for upstreams without a key of their own.

        Raises:
            UpstreamError: none of them answered.
        """
        lists = await asyncio.gather(
            *(self._list(route, headers) for route in self._routes.values())
        )
        if all(entries is None for entries in lists):
            raise UpstreamError("No upstream lists its models.")
        seen: dict[str, dict[str, Any]] = {}
        for entry in (entry for entries in lists for entry in entries or ()):
            seen.setdefault(entry["id"], entry)
        return {"object": "list", "data": list(seen.values())}

    async def _list(self, route: Route, headers: Mapping[str, str]) -> list[dict[str, Any]] | None:
        try:
            body = await route.list_models({**headers, **route.own_headers})
        except AdapterError:
            return None
        entries = body.get("data") if isinstance(body, dict) else body
        served = {
            entry["id"]: entry
            for entry in (entries if isinstance(entries, list) else [])
            if isinstance(entry, dict) and isinstance(entry.get("id"), str)
        }
        blank = {"object": "model", "created": int(time.time()), "owned_by": route.name}
        return [
            {**blank, **served.get(upstream_name, {}), "id": name}
            for name, upstream_name in models_of(route.name, route.settings, list(served))
        ]


def _default_route(
    given: "str | httpx2.AsyncClient | Upstream | None", settings: Settings
) -> RouteSettings:
    return RouteSettings(
        upstream=given if isinstance(given, str) else settings.upstream or "",
        upstream_api_key=settings.upstream_api_key,
        dialect=settings.dialect,
        default=True,
    )
