"""The inspector as an ASGI app around another one: what is recorded, under `/adapter/ui/`.

Paths behind it:

- nothing, and names of files: the page;
- `api/about`: whether it needs a key;
- `api/feed`: what changes, as server-sent events;
- `api/requests`: DELETE forgets all;
- `api/requests/ID`: one request; with `?after=N`, its entries from there on;
- `api/requests/ID/transcript`: the same as a zip, for tests.
"""

from typing import Any
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from adapter._version import __version__
from adapter.asgi.app import ResponsesAPI, make_sidecar
from adapter.asgi.denial import deny_upgrade
from adapter.asgi.http import send_error, send_json
from adapter.asgi.service import Service
from adapter.config import Settings
from adapter.errors import AdapterError, MethodNotAllowedError, NotFoundError
from adapter.inspector.door import Door, check_bind, visible
from adapter.inspector.exchange import Exchange
from adapter.inspector.feed import Feeds
from adapter.inspector.pages import SAFE_HEADERS, Pages
from adapter.inspector.recorder import Bounds, Recorder
from adapter.inspector.show import to_detail
from adapter.inspector.transcript import to_zip
from adapter.inspector.watch import Watch, WatchedService

PREFIX = "/adapter/ui"


class Inspector:
    """Serves the page, and everything else by the app.

    Args:
        app: that is recorded.
        recorder: what was recorded.
        door: who may see it.

    Attributes:
        settings: of the app.
    """

    def __init__(self, app: ResponsesAPI, recorder: Recorder, door: Door) -> None:
        self.settings = app.settings
        self._served = app
        self._app = Watch(app, recorder)
        self._recorder = recorder
        self._door = door
        self._pages = Pages()
        self._feeds = Feeds(recorder)

    def close_soon(self) -> None:
        """See `ResponsesAPI.close_soon`; feeds end, which would keep the server from stopping."""
        self._feeds.stop()
        self._served.close_soon()

    @property
    def turns(self) -> int:
        """See `ResponsesAPI.turns`."""
        return self._served.turns

    def interrupt(self) -> None:
        """See `ResponsesAPI.interrupt`."""
        self._served.interrupt()

    async def aclose(self) -> None:
        """See `ResponsesAPI.aclose`."""
        self._feeds.stop()
        await self._served.aclose()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, WebSocket, or lifespan."""
        path = scope.get("path", "")
        if scope["type"] == "lifespan" or not (path == PREFIX or path.startswith(PREFIX + "/")):
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await deny_upgrade(scope, receive, send, status=404)
        else:
            try:
                self._door.check_place(scope)
                await self._serve(scope, path.removeprefix(PREFIX), receive, send)
            except AdapterError as error:
                await send_error(send, error, SAFE_HEADERS)

    async def _serve(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        if path.startswith("/api/"):
            await self._serve_api(scope, path.removeprefix("/api/"), receive, send)
        elif scope["method"] != "GET":
            raise _wrong_method(scope["method"])
        elif not path:
            await _redirect(send)
        else:
            await self._pages(send, path.removeprefix("/"))

    async def _serve_api(self, scope: Scope, path: str, receive: Receive, send: Send) -> None:
        if path == "about":
            about = {"version": __version__, "needs_key": self._door.needs_key}
            await send_json(send, 200, about, SAFE_HEADERS)
            return
        owner = await self._door.owner(scope)

        def may_see(exchange: Exchange) -> bool:
            return visible(owner, exchange.owner)

        match scope["method"], path.split("/"):
            case "GET", ["feed"]:
                if self._feeds.are_full:
                    raise _too_many()
                await self._feeds(receive, send, SAFE_HEADERS, may_see)
            case "DELETE", ["requests"]:
                seen = filter(may_see, self._recorder.all())
                self._recorder.drop([exchange.id for exchange in seen])
                await send_json(send, 200, {"deleted": True}, SAFE_HEADERS)
            case "GET", ["requests", id]:
                after = _read_after(scope)
                await send_json(send, 200, to_detail(self._find(id, owner), after), SAFE_HEADERS)
            case "GET", ["requests", id, "transcript"]:
                name, body = to_zip(self._find(id, owner))
                await _send_zip(send, name, body)
            case "GET" | "DELETE", _:
                raise _nothing_there()
            case method, _:
                raise _wrong_method(method)

    def _find(self, id: str, owner: str | None) -> Exchange:
        exchange = self._recorder.get(id)
        if exchange is None or not visible(owner, exchange.owner):
            raise NotFoundError("This request is not kept any more.", code="not_found")
        return exchange


def make_inspected(settings: Settings, host: str, bounds: Bounds | None = None) -> Inspector:
    """Return the app of `serve` with an inspector.

    Args:
        settings: of the app.
        host: address that it will listen on.
        bounds: how much is kept.

    Raises:
        SettingsError: others could see it; or the app cannot be made.
    """
    has_keys = bool(settings.api_keys) or settings.api_keys_file is not None
    check_bind(host, has_keys=has_keys)
    recorder = Recorder(bounds)
    made: list[Service] = []

    def make_service(*parts: Any) -> Service:
        made.append(WatchedService(recorder, *parts))
        return made[-1]

    app = make_sidecar(settings, make_service)
    return Inspector(app, recorder, Door(made[0].gate))


def _read_after(scope: Scope) -> int:
    given = parse_qs(scope["query_string"].decode("latin-1")).get("after", ["0"])[0]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 12 else 0


async def _redirect(send: Send) -> None:
    location = (b"location", f"{PREFIX}/".encode())
    headers = [location, (b"content-length", b"0"), *SAFE_HEADERS]
    await send({"type": "http.response.start", "status": 308, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _send_zip(send: Send, name: str, body: bytes) -> None:
    headers = [
        (b"content-type", b"application/zip"),
        (b"content-length", b"%d" % len(body)),
        (b"content-disposition", f'attachment; filename="{name}.zip"'.encode()),
        *SAFE_HEADERS,
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _nothing_there() -> NotFoundError:
    return NotFoundError("There is nothing at this address.", code="unknown_url")


def _too_many() -> AdapterError:
    return AdapterError("Too many pages are open.", status=429, type="too_many_requests")


def _wrong_method(method: str) -> MethodNotAllowedError:
    return MethodNotAllowedError(f"Not allowed to {method} here.", code="method_not_allowed")
