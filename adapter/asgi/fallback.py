"""Where a request goes when the upstream of its route is down: the route that its settings name."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager

from adapter.asgi.route import Route
from adapter.asgi.routes import Routes
from adapter.asking import Fallbacks, Translate
from adapter.errors import AdapterError, UpstreamError
from adapter.turn import Target
from adapter.upstream.base import UpstreamAnswer

# (route, what it calls the model) to what makes its requests
ToTranslate = Callable[[Route, str], Translate]


class SpareUpstream:
    """The upstream of another route, which counts the request as its own.

    Args:
        route: the other route.
    """

    def __init__(self, route: Route) -> None:
        self._route = route

    @asynccontextmanager
    async def open(
        self, body: bytes, headers: Mapping[str, str]
    ) -> AsyncGenerator[UpstreamAnswer, None]:
        """See `Upstream.open`."""
        with ExitStack() as place:
            try:
                place.enter_context(self._route.occupy())
            except AdapterError as exc:  # as good as down: the next one is asked
                raise UpstreamError(exc.message, status=503, headers=exc.headers) from exc
            async with self._route.guarded.open(body, headers) as answer:
                yield answer

    async def aclose(self) -> None:
        """Close nothing: the route does."""


def find_targets(
    routes: Routes,
    route: Route,
    asked: str,
    model: str,
    forwarded: Callable[[Route], Mapping[str, str]],
    to_translate: ToTranslate,
) -> Fallbacks:
    """Yield where a request can go instead, in order; each is made when it is needed.

    Args:
        routes: all routes.
        route: of the model.
        asked: the model, as the client names it.
        model: as the route names it.
        forwarded: (route) to the client's headers for it.
        to_translate: makes the requests.
    """
    for other in routes.fallbacks(route):
        aliases = other.settings.aliases
        name = aliases.get(asked, aliases.get(model, model))
        # The client's key was for the upstream that is down.
        headers = {**forwarded(other)}
        headers.pop("authorization", None)
        headers |= other.own_headers
        target = Target(SpareUpstream(other), headers, other.habits, name)
        yield target, to_translate(other, name)
