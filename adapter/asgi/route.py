"""A route while the app runs: the upstream behind it, what is known of it, and its limit.

Which dialect it has is told by its address, by its first answer, or by its list of models if that is
asked for; until then it is treated as a server that nobody knows. Nothing is asked for that alone: a
request costs the upstream one request.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager, aclosing
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from adapter.asgi.access.limits import NO_PLACE
from adapter.dialects import Dialect, find_dialect
from adapter.errors import AdapterError, UpstreamError
from adapter.habits import Habits
from adapter.routing import RouteSettings
from adapter.upstream.base import ModelLister, Upstream, UpstreamAnswer

if TYPE_CHECKING:
    from adapter.asgi.proxy import Proxy

AUTO = "auto"
LISTING_SECONDS = 5.0  # for a list of models
MAX_LIST_BYTES = 4 * 1024 * 1024
_json = msgspec.json.Decoder()


class Route:
    """One upstream.

    Args:
        name: of the route.
        settings: of the route.
        upstream: how it is reached.
        dialects: all that are known, by name.
        guarded: the same upstream, asked again and left alone as the settings say.

    Attributes:
        name: of the route.
        settings: of the route.
        upstream: how it is reached.
        guarded: the same for chat requests, with breaker and retries.
        habits: what is known of it.
        own_headers: of requests to it, in place of the client's: those of the settings, and its key.
        proxy: passes requests on to it as they are, once that was needed.
    """

    def __init__(
        self,
        name: str,
        settings: RouteSettings,
        upstream: Upstream,
        dialects: Mapping[str, Dialect],
        guarded: Upstream | None = None,
    ) -> None:
        self.name = name
        self.guarded = guarded or upstream
        self.settings = settings
        self.upstream = upstream
        self._dialects = dialects
        given = None if settings.dialect == AUTO else dialects[settings.dialect]
        self.habits = Habits(
            given or find_dialect(base_url=settings.upstream, known=dialects), dialects
        )
        self.own_headers = _own_headers(settings)
        self.proxy: Proxy | None = None
        self._lister = upstream if isinstance(upstream, ModelLister) else None
        self._running = 0

    def passes_through(self) -> bool:
        """Tell whether requests go to the upstream's own Responses API."""
        return self.settings.api == "responses" or (
            self.settings.api == AUTO and self.habits.dialect.responses_api
        )

    async def list_models(self, headers: Mapping[str, str]) -> Any:
        """Return the upstream's list of models, decoded; it may tell which dialect it has.

        Args:
            headers: to send: a client's authorization, or the configured key.

        Raises:
            UpstreamError: there is none, or it did not come in time.
        """
        if self._lister is None:
            raise UpstreamError("This upstream lists no models.")
        try:
            async with (
                asyncio.timeout(LISTING_SECONDS),
                self._lister.list_models(headers) as answer,
            ):
                body = await _read(answer)
        except TimeoutError as exc:
            raise UpstreamError("The upstream's list of models did not come in time.") from exc
        if answer.status != 200:
            raise UpstreamError(f"The upstream lists no models (status {answer.status}).")
        try:
            models = _json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise UpstreamError("The upstream's list of models is not JSON.") from exc
        if not self.habits.is_known:
            found = find_dialect(headers=answer.headers, models=models, known=self._dialects)
            if found is not None:
                self.habits.settle(found)
        return models

    def occupy(self) -> AbstractContextManager[None]:
        """Count a request, until the end of the `with` block of what is returned.

        Raises:
            AdapterError: the route has as many as it may have.
        """
        limit = self.settings.max_concurrent
        if not limit:
            return NO_PLACE
        if self._running >= limit:
            raise AdapterError(
                f"Too many requests at one time for this model: the limit is {limit}.",
                status=429,
                type="too_many_requests",
                code="rate_limit_exceeded",
                headers={"retry-after": "1"},
            )
        self._running += 1
        return OccupiedRoute(self)

    def leave(self) -> None:
        """Count one request less."""
        self._running -= 1


def _own_headers(settings: RouteSettings) -> dict[str, str]:
    own = {name.lower(): value for name, value in settings.headers.items()}
    if settings.upstream_api_key is not None:
        own["authorization"] = f"Bearer {settings.upstream_api_key}"
    return own


class OccupiedRoute:
    """A route that runs a request until the end of the block.

    Args:
        route: the route.
    """

    def __init__(self, route: Route) -> None:
        self._route = route

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._route.leave()


async def _read(answer: UpstreamAnswer) -> bytes:
    body = bytearray()
    async with aclosing(answer.chunks()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > MAX_LIST_BYTES:
                raise UpstreamError("The upstream's list of models is too long.")
    return bytes(body)
