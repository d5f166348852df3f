"""Where a run asks: the upstream of a route, and the headers that it is shown."""

from collections.abc import Mapping

from adapter.asgi.route import Route
from adapter.config import Settings
from adapter.observe.observer import Observer
from adapter.routing import DEFAULT_ROUTE
from adapter.turn import Target
from adapter.upstream.base import Upstream


class Targets:
    """Makes targets.

    Args:
        settings: the settings.
        observer: is told of calls of wrapped apps; None if nobody wants to know.
    """

    def __init__(self, settings: Settings, observer: Observer | None = None) -> None:
        forwarded = (name.lower() for name in settings.forward_headers)
        self._forwarded = ("authorization", *forwarded)
        self._observer = observer

    def target(
        self, route: Route, model: str, headers: Mapping[str, str], wrapped: Upstream | None
    ) -> Target:
        """Return where to ask for a model.

        Args:
            route: of the model.
            model: what the route calls it.
            headers: of the client's request.
            wrapped: the wrapped app, where that is the upstream of the default route.
        """
        sent = self.forwarded(headers, route)
        if route.own_headers:
            sent |= route.own_headers
        if wrapped is None or route.name != DEFAULT_ROUTE:
            upstream = route.guarded
        elif self._observer is not None:
            upstream = self._observer.upstream(wrapped, route.name)
        else:
            upstream = wrapped
        return Target(upstream, sent, route.habits, model)

    def forwarded(self, headers: Mapping[str, str], route: Route | None = None) -> dict[str, str]:
        """Return the request headers that upstreams see, or the upstream of one route."""
        names = self._forwarded
        if route is not None and (wanted := route.habits.dialect.forward_headers):
            names = (*names, *wanted)
        return {name: headers[name] for name in names if name in headers}
