"""Handing a request that was read already to an upstream's own Responses API."""

import msgspec
from starlette.types import Message, Receive, Scope, Send

from adapter.asgi.paths import RESPONSES
from adapter.asgi.route import Route
from adapter.asgi.upstreams import make_proxy
from adapter.config import Settings

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_encode = msgspec.json.Encoder().encode
# Of the body as it came: it is decoded now.
_CHANGED = (b"content-length", b"content-encoding")


async def pass_on(
    found: tuple[Route, str],
    settings: Settings,
    scope: Scope,
    receive: Receive,
    send: Send,
    body: bytes,
    path: str = RESPONSES,
) -> None:
    """Hand on a request as it is, but for the model's name.

    Args:
        found: the route whose upstream it goes to, and what that calls the model.
        settings: of the app.
        scope: of the request.
        receive: of the request, of which the body was read.
        send: of the request.
        body: that was read, and decoded.
        path: where it goes, under the API's prefix.

    Raises:
        AdapterError: the route has as many requests as it may have.
    """
    route, model = found
    proxy = route.proxy or make_proxy(route.settings, settings)
    route.proxy = proxy
    body = _renamed(body, model)
    sent = False

    async def receive_again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(name, value) for name, value in scope["headers"] if name.lower() not in _CHANGED]
    headers.append((b"content-length", str(len(body)).encode()))
    path = f"/v1{path}"
    target = {**scope, "path": path, "raw_path": path.encode(), "root_path": ""}
    with route.occupy():
        await proxy({**target, "headers": headers}, receive_again, send)


def _renamed(body: bytes, model: str) -> bytes:
    """Return the body with the model's name upstream, and otherwise as it is.

    A body that could name it twice is written anew: we read the last one, and which of them was checked
    and routed is not for the upstream to choose.
    """
    fields = _fields.decode(body)
    name = _encode(model)
    is_named_once = body.count(b'"model"') == 1 and b"\\u" not in body
    if is_named_once and bytes(fields["model"]) == name:
        return body
    return _encode({**fields, "model": msgspec.Raw(name)})
