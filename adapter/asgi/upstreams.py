"""Upstreams from settings: which transport, where to, with which limits."""

from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from adapter.config import Settings, SettingsError
from adapter.observe.observer import Observer
from adapter.routing import RouteSettings
from adapter.upstream.base import Upstream
from adapter.upstream.breaker import Breaker
from adapter.upstream.guarded import GuardedUpstream, Retries

if TYPE_CHECKING:
    import httpx2

    from adapter.asgi.proxy import Proxy


def make_upstream(
    given: "str | httpx2.AsyncClient | Upstream | None",
    route: RouteSettings,
    settings: Settings,
    at: str = "upstream",
) -> Upstream:
    """Return the upstream of a route: the one that was given, in whatever form, or that it names.

    Args:
        given: the upstream, if not that of the route.
        route: its address, if not given, and its limits.
        settings: the limits that the route does not set.
        at: name of the setting with the address, for errors.

    Raises:
        SettingsError: there is none, or its URL cannot be used.
    """
    given = given if given is not None else route.upstream
    if given == "":
        raise SettingsError(
            f"No {at}: expected the base URL of a chat-completions server, such as "
            "http://127.0.0.1:8000/v1, as an argument or in ADAPTER_UPSTREAM."
        )
    if isinstance(given, str):
        from adapter.upstream.http import HttpUpstream  # aiohttp costs 0.1 s to import

        try:
            return HttpUpstream(given, **_limits(route, settings))
        except ValueError as exc:
            raise _not_a_base_url(exc, at) from exc
    if _is_upstream(given):
        return given
    from adapter.upstream.httpx import HttpxUpstream

    limits = _limits(route, settings)
    try:
        return HttpxUpstream(
            cast("httpx2.AsyncClient", given),  # no checker narrows what a TypeGuard leaves
            connect_timeout=limits["connect_timeout"],
            idle_timeout=limits["idle_timeout"],
        )
    except ValueError as exc:
        raise _not_a_base_url(exc, at) from exc


def make_guarded(
    name: str, upstream: Upstream, settings: Settings, observer: Observer | None = None
) -> Upstream:
    """Return the upstream of a route with the retries and the breaker of the settings.

    Args:
        name: of the route.
        upstream: of the route.
        settings: the settings.
        observer: is told of both.
    """
    on_change = None if observer is None else partial(observer.breaker, name)
    on_retry = None if observer is None else partial(observer.retried, name)
    breaker = Breaker(
        name, settings.breaker_failures, settings.breaker_seconds, on_change=on_change
    )
    retries = Retries(settings.upstream_retries, settings.upstream_retry_wait, on_retry=on_retry)
    return GuardedUpstream(upstream, breaker, retries)


def check_proxy(route: RouteSettings) -> None:
    """Look at the address of a route, before there is a proxy for it.

    Raises:
        SettingsError: it cannot be used.
    """
    from adapter.upstream.http import parse_base_url

    try:
        parse_base_url(route.upstream)
    except ValueError as exc:
        raise _not_a_base_url(exc) from exc


def make_proxy(route: RouteSettings, settings: Settings) -> "Proxy":
    """Return the app that passes requests on to the upstream of a route.

    Raises:
        SettingsError: its URL cannot be used.
    """
    from adapter.asgi.proxy import Proxy

    headers = dict(route.headers)
    if route.upstream_api_key is not None:
        headers["authorization"] = f"Bearer {route.upstream_api_key}"
    try:
        return Proxy(
            route.upstream,
            headers=headers,
            forward_headers=settings.forward_headers,
            slow_reader_timeout=settings.slow_reader_timeout,
            **_limits(route, settings),
        )
    except ValueError as exc:
        raise _not_a_base_url(exc) from exc


def _is_upstream(given: object) -> TypeGuard[Upstream]:
    return hasattr(given, "open")


def _limits(route: RouteSettings, settings: Settings) -> dict[str, Any]:
    limits: dict[str, Any] = {"max_connections": settings.max_connections}
    for name in ("connect_timeout", "first_byte_timeout", "idle_timeout", "total_timeout"):
        own = getattr(route, name)
        limits[name] = (getattr(settings, name) if own is None else own) or None
    return limits


def _not_a_base_url(exc: ValueError, at: str = "upstream") -> SettingsError:
    return SettingsError(f"Invalid setting '{at}': {exc}.")
