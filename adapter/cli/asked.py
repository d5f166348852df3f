"""Asks upstreams and the store whether they are there, for `check-config`."""

from typing import Any

from adapter.asgi.route import Route
from adapter.asgi.routes import Routes
from adapter.config import NO_STORE, Settings
from adapter.errors import AdapterError
from adapter.store import open_store


async def ask_all(settings: Settings) -> list[dict[str, Any]]:
    """Return what each upstream and the store said: `name`, `ok` and `said`."""
    routes = Routes(None, settings)
    try:
        found = [await _ask_upstream(route) for route in routes]
    finally:
        await routes.aclose()
    if settings.store is not None and settings.store != NO_STORE:
        found.append(await _ask_store(settings.store))
    return found


async def _ask_store(url: str) -> dict[str, Any]:
    try:
        async with open_store(url) as store:
            await store.check()
    except AdapterError as error:
        return {"name": "store", "ok": False, "said": error.message}
    return {"name": "store", "ok": True, "said": "it answers"}


async def _ask_upstream(route: Route) -> dict[str, Any]:
    try:
        listed = await route.list_models(route.own_headers)
    except AdapterError as error:
        return {"name": route.name, "ok": False, "said": error.message}
    entries = listed.get("data") if isinstance(listed, dict) else listed
    names = [each["id"] for each in entries or () if isinstance(each, dict) and "id" in each]
    more = "" if len(names) <= 3 else f" and {len(names) - 3} more"
    models = f"{', '.join(names[:3])}{more}" if names else "no models"
    return {
        "name": route.name,
        "ok": True,
        "said": f"{models}; dialect {route.habits.dialect.name}",
    }
