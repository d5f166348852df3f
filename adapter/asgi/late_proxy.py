"""The proxy, made when something is first passed on: its HTTP client takes a third of the start."""

from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from adapter.asgi.upstreams import check_proxy, make_proxy
from adapter.config import Settings
from adapter.routing import RouteSettings

if TYPE_CHECKING:
    from adapter.asgi.proxy import Proxy


class LateProxy:
    """An ASGI app that passes requests on to the upstream of a route.

    Args:
        route: its address and limits.
        settings: the limits that the route does not set.

    Raises:
        SettingsError: its URL cannot be used.
    """

    def __init__(self, route: RouteSettings, settings: Settings) -> None:
        check_proxy(route)
        self._route = route
        self._settings = settings
        self._proxy: Proxy | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if self._proxy is None:
            self._proxy = make_proxy(self._route, self._settings)
        await self._proxy(scope, receive, send)

    async def aclose(self) -> None:
        """Close the kept connections."""
        if self._proxy is not None:
            await self._proxy.aclose()
