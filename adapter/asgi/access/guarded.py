"""Keys and limits before an app that knows nothing of them: what a sidecar passes on.

A key that is only for some models may read what is there, and post to where a body names the model:
what else it could reach there would not ask for which one it is.
"""

from collections.abc import Mapping
from contextlib import ExitStack

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from adapter.asgi.access.credentials import without_credentials
from adapter.asgi.access.gate import Gate
from adapter.asgi.bodies import read_body
from adapter.asgi.clients import status_for
from adapter.asgi.denial import refuse
from adapter.asgi.http import ClientDisconnectedError, read_headers
from adapter.asgi.paths import route_path
from adapter.errors import AdapterError, InvalidRequestError
from adapter.observe.exchange import note_refusal

# What load balancers ask, and has no secrets: vLLM, SGLang, llama.cpp and TGI have it without a key.
OPEN_PATHS = frozenset({"/health", "/ping", "/healthz", "/livez", "/readyz"})

# Posts whose body names the model, and nothing else does: not the path, not a form.
MODEL_IN_BODY = frozenset(
    {
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/embeddings",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/rerank",
        "/v1/score",
    }
)
_READING = frozenset({"GET", "HEAD"})
# Of the body as it came: it is another one now.
_CHANGED = frozenset({b"content-length", b"content-encoding", b"transfer-encoding"})

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_text = msgspec.json.Decoder(str)
_encode = msgspec.json.Encoder().encode


class GuardedApp:
    """Lets requests through to an app.

    Args:
        app: the app.
        gate: who may ask.
        max_body_bytes: the longest body to look into.
    """

    def __init__(self, app: ASGIApp, gate: Gate, max_body_bytes: int) -> None:
        self._app = app
        self._gate = gate
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; a WebSocket is for the app to refuse."""
        if scope.get("method") in _READING and route_path(scope) in OPEN_PATHS:
            # Not our key either, if one is shown here all the same.
            open_scope = without_credentials(scope) if self._gate.has_keys else scope
            await self._app(open_scope, receive, send)
            return
        headers = read_headers(scope)
        with ExitStack() as place:
            try:
                scope, headers = await self._gate.admit(scope, headers)
                place.enter_context(self._gate.request(headers))
                if scope["type"] == "http" and self._gate.is_limited(headers):
                    scope, receive = await self._checked(scope, receive, headers)
            except ClientDisconnectedError:
                return
            except AdapterError as error:
                error.status = status_for(error, headers)
                note_refusal(error)
                await refuse(scope, receive, send, error)
                return
            await self._app(scope, receive, send)

    async def _checked(
        self, scope: Scope, receive: Receive, headers: Mapping[str, str]
    ) -> tuple[Scope, Receive]:
        """Return a request, if it is for a model of its key; its body has been read then.

        Raises:
            AdapterError: it is not, or does not say so.
        """
        if scope["method"] in _READING:
            return scope, receive
        if scope["method"] != "POST" or route_path(scope) not in MODEL_IN_BODY:
            raise _not_for_this_key()
        fields = _read_fields(await read_body(scope, receive, headers, self._max_body_bytes))
        self._gate.check_model(headers, _read_model(fields))
        # Written anew: of a name that stands there twice, one server reads the first.
        return _with_body(scope, receive, _encode(fields))


def _read_fields(body: bytes) -> dict[str, msgspec.Raw]:
    try:
        return _fields.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise InvalidRequestError(
            "We could not parse the JSON body of your request: expected a JSON object.",
            code="invalid_json",
        ) from exc


def _read_model(fields: Mapping[str, msgspec.Raw]) -> str:
    try:
        return _text.decode(fields["model"])
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise InvalidRequestError(
            "This API key is only for some models: expected 'model' to name one of them.",
            code="missing_required_parameter",
            param="model",
        ) from exc


def _with_body(scope: Scope, receive: Receive, body: bytes) -> tuple[Scope, Receive]:
    sent = False

    async def receive_again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [pair for pair in scope["headers"] if pair[0].lower() not in _CHANGED]
    headers.append((b"content-length", b"%d" % len(body)))
    return {**scope, "headers": headers}, receive_again


def _not_for_this_key() -> InvalidRequestError:
    return InvalidRequestError(
        "This API key is only for some models, and may not use this path.",
        status=403,
        code="path_not_allowed",
    )
