"""Which upstream serves a model. Pure: what is reached how, `adapter.asgi.upstreams` knows.

A model is looked up as an alias, then as `route/model`, then among the patterns of the routes in
their order; what nothing claims goes to the default route.
"""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from adapter.errors import NotFoundError

DEFAULT_ROUTE = "default"
ApiKind = Literal["chat", "responses", "auto"]
MAX_SECONDS = 366 * 24 * 3600  # a year; timers cannot count to TOML's `inf`
Seconds = Annotated[float, Meta(ge=0, le=MAX_SECONDS)]


class RouteSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One upstream: a table `[routes.NAME]` of the TOML file.

    Attributes:
        upstream: base URL.
        upstream_api_key: key to send instead of the client's authorization.
        dialect: the upstream's habits; `auto` finds them out.
        models: patterns of the models that it serves, such as `qwen*`.
        aliases: other names for its models: `{"fast": "qwen3-4b"}`.
        default: it serves what no route claims.
        headers: request headers to add.
        body: request fields to add where the client gives none.
        pass_fields: request fields of the provider's own that pass on unchanged; `*` is all.
        api: `responses` passes requests on untouched to the upstream's own Responses API;
            `auto` does so where the dialect says that it has a whole one.
        max_concurrent: requests at one time, 0 is no limit; more are refused with a 429.
        connect_timeout: seconds; None takes the general setting, here and below.
        first_byte_timeout: seconds.
        idle_timeout: seconds.
        total_timeout: seconds.
        fallback: name of the route that is asked instead when this one is down.
    """

    upstream: str
    upstream_api_key: str | None = None
    dialect: str = "auto"
    models: tuple[str, ...] = ()
    aliases: dict[str, str] = {}
    default: bool = False
    headers: dict[str, str] = {}
    body: dict[str, Any] = {}
    pass_fields: tuple[str, ...] = ()
    api: ApiKind = "chat"
    max_concurrent: Annotated[int, Meta(ge=0)] = 0
    connect_timeout: Seconds | None = None
    first_byte_timeout: Seconds | None = None
    idle_timeout: Seconds | None = None
    total_timeout: Seconds | None = None
    fallback: str | None = None

    def __repr__(self) -> str:
        return f"RouteSettings(upstream={self.upstream!r}, …)"


class Choice(msgspec.Struct, frozen=True):
    """A route, and what the model is called there."""

    route: str
    model: str


def choose_route(model: str, routes: Mapping[str, RouteSettings]) -> Choice:
    """Return where to send a request for a model.

    Args:
        model: as the client names it.
        routes: by name, in their order.

    Raises:
        NotFoundError: no route serves it.
    """
    for name, route in routes.items():
        if model in route.aliases:
            return Choice(name, route.aliases[model])
    prefix, slash, rest = model.partition("/")
    if slash and rest and prefix in routes:
        return Choice(prefix, rest)
    for name, route in routes.items():
        if any(fnmatchcase(model, pattern) for pattern in route.models):
            return Choice(name, model)
    for name, route in routes.items():
        if route.default:
            return Choice(name, model)
    raise NotFoundError(
        f"The model '{model[:200]}' does not exist: no route serves it.",
        code="model_not_found",
        param="model",
    )


def models_of(name: str, route: RouteSettings, served: list[str]) -> list[tuple[str, str]]:
    """Return (what clients may call it, what the upstream calls it) for the models of a route.

    Args:
        name: of the route.
        route: its settings.
        served: the upstream's own list.
    """
    listed = [
        (model if route.default or _claims(route, model) else f"{name}/{model}", model)
        for model in served
    ]
    return listed + list(route.aliases.items())


def _claims(route: RouteSettings, model: str) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in route.models)
