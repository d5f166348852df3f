"""Upstreams from settings: which transport, where to, with which limits."""

from typing import TYPE_CHECKING, Any

from adapter.config import Settings, SettingsError
from adapter.upstream.base import Upstream

if TYPE_CHECKING:
    import httpx2

    from adapter.asgi.proxy import Proxy


def make_upstream(
    given: "str | httpx2.AsyncClient | Upstream | None", settings: Settings
) -> Upstream:
    """Return the upstream that was given, in whatever form, or else that of the settings.

    Raises:
        SettingsError: there is none, or its URL cannot be used.
    """
    given = given if given is not None else settings.upstream
    if given is None:
        raise SettingsError(
            "No upstream: expected the base URL of a chat-completions server, such as "
            "http://127.0.0.1:8000/v1, as an argument or in ADAPTER_UPSTREAM."
        )
    if isinstance(given, str):
        from adapter.upstream.http import HttpUpstream  # aiohttp costs 0.1 s to import

        try:
            return HttpUpstream(given, **_limits(settings))
        except ValueError as exc:
            raise _not_a_base_url(exc) from exc
    if hasattr(given, "open"):
        return given
    from adapter.upstream.httpx import HttpxUpstream

    try:
        return HttpxUpstream(
            given,
            connect_timeout=settings.connect_timeout or None,
            idle_timeout=settings.idle_timeout or None,
        )
    except ValueError as exc:
        raise _not_a_base_url(exc) from exc


def make_proxy(settings: Settings) -> "Proxy":
    """Return the app that passes requests on to the upstream of the settings.

    Raises:
        SettingsError: there is no upstream, or its URL cannot be used.
    """
    from adapter.asgi.proxy import Proxy

    if settings.upstream is None:
        raise SettingsError("No upstream to pass requests on to: set ADAPTER_UPSTREAM.")
    try:
        return Proxy(
            settings.upstream,
            headers=key_header(settings),
            forward_headers=settings.forward_headers,
            **_limits(settings),
        )
    except ValueError as exc:
        raise _not_a_base_url(exc) from exc


def key_header(settings: Settings) -> dict[str, str]:
    """Return the header with the configured key, which goes in place of the client's; none
    without a key.
    """
    key = settings.upstream_api_key
    return {} if key is None else {"authorization": f"Bearer {key}"}


def _limits(settings: Settings) -> dict[str, Any]:
    return {
        "connect_timeout": settings.connect_timeout or None,
        "first_byte_timeout": settings.first_byte_timeout or None,
        "idle_timeout": settings.idle_timeout or None,
        "total_timeout": settings.total_timeout or None,
        "max_connections": settings.max_connections,
    }


def _not_a_base_url(exc: ValueError) -> SettingsError:
    return SettingsError(f"Invalid setting 'upstream': {exc}.")
