"""The gate that every request goes through: who asks, whether it may, and whether there is room.

With own keys, a request shows one, which ends here: nothing behind the gate sees it, and no upstream
does. Without, everybody may ask, and clients show their upstream's key to the upstream.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import chain

from starlette.types import Scope

from adapter.asgi.access.credentials import (
    CREDENTIALS,
    KEY_NAME,
    KEY_OWNER,
    shown_key,
    without_credentials,
)
from adapter.asgi.access.keys import Key, KeyRing
from adapter.asgi.access.limits import NO_PLACE, Places, Rates
from adapter.asgi.owner import owner_of
from adapter.config import Settings
from adapter.errors import AdapterError, InvalidRequestError, NotFoundError

_REALM = 'Bearer realm="responses-adapter"'


class Gate:
    """Lets requests in.

    Args:
        settings: the settings.
        clock: seconds of any kind, for rates.
        now: seconds since the epoch, for keys that expire.

    Attributes:
        has_keys: a request must show a key.

    Raises:
        SettingsError: the keys of the settings cannot be used.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._ring: KeyRing | None = None
        if settings.api_keys or settings.api_keys_file is not None:
            self._ring = KeyRing(settings.api_keys, settings.api_keys_file, clock)
        self.has_keys = self._ring is not None
        self._now = now
        self._max_headers = settings.max_headers
        self._max_header_bytes = settings.max_header_bytes
        self._owner_header = settings.owner_header
        self._counts_owners = bool(
            settings.max_requests_per_owner
            or settings.max_streams_per_owner
            or settings.max_websockets_per_owner
            or settings.requests_per_minute
        )
        self._requests = Places("requests", settings.max_requests, settings.max_requests_per_owner)
        self._streams = Places("streams", settings.max_streams, settings.max_streams_per_owner)
        self._sockets = Places(
            "WebSockets", settings.max_websockets, settings.max_websockets_per_owner
        )
        self._rates = Rates(settings.requests_per_minute, clock)
        # A key may have limits of its own. Where there are none, nobody has to be counted.
        self._counts_requests = self.has_keys or bool(
            settings.max_requests or settings.max_requests_per_owner or settings.requests_per_minute
        )
        self._counts_streams = self.has_keys or bool(
            settings.max_streams or settings.max_streams_per_owner
        )

    # Who asks

    async def admit(self, scope: Scope, headers: dict[str, str]) -> tuple[Scope, dict[str, str]]:
        """Return a request as those behind the gate may see it: without our key, and whose it is.

        Args:
            scope: of the request.
            headers: of the request, by lower-case name.

        Raises:
            AdapterError: there is no key, or a wrong one; too many are being checked; the headers
                are too many, or too long.
        """
        pairs = scope["headers"]
        size = sum(map(len, chain.from_iterable(pairs)))
        if len(pairs) > self._max_headers or size > self._max_header_bytes:
            raise self._too_large()
        if self._owner_header is not None:
            _check_owner(scope, self._owner_header)
        if self._ring is None:
            return scope, headers
        shown = shown_key(headers)
        if not shown:
            raise _no_key()
        found = await self._ring.find(shown.encode("latin-1"))  # the bytes that came
        key = self._checked(found)
        passed = {name: value for name, value in headers.items() if name not in CREDENTIALS}
        passed |= {KEY_NAME: key.name, KEY_OWNER: key.owner}
        return without_credentials(scope), passed

    def _too_large(self) -> InvalidRequestError:
        return InvalidRequestError(
            f"Too many or too long headers: the limits are {self._max_headers} headers and "
            f"{self._max_header_bytes} bytes.",
            status=431,
            code="headers_too_large",
        )

    def _checked(self, key: Key | None) -> Key:
        if key is None:
            raise _wrong_key("Incorrect API key provided.")
        if key.is_over(self._now()):
            raise _wrong_key("This API key has expired.")
        return key

    def _key_of(self, headers: Mapping[str, str]) -> Key | None:
        """Return the key of a request that was let in; it may have been taken back since.

        Raises:
            InvalidRequestError: it was, or it has expired.
        """
        if self._ring is None:
            return None
        return self._checked(self._ring.get(headers.get(KEY_NAME, "")))

    # What it may

    def is_limited(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a request may only ask some models."""
        key = self._key_of(headers)
        return key is not None and bool(key.settings.models)

    def may_ask(self, headers: Mapping[str, str], model: str) -> bool:
        """Tell whether a request may ask a model, under the name that clients have for it."""
        key = self._key_of(headers)
        return key is None or key.may_ask(model)

    def check_model(self, headers: Mapping[str, str], model: str) -> None:
        """Refuse a model that the key of a request is not for.

        Raises:
            NotFoundError: it is not.
        """
        if self.has_keys and not self.may_ask(headers, model):
            raise NotFoundError(
                f"The model '{model[:200]}' does not exist, or this API key is not for it.",
                code="model_not_found",
                param="model",
            )

    # Whether there is room

    def request(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Count a request, until the end of the `with` block of what is returned.

        Raises:
            AdapterError: there are too many, or its key is no longer good.
        """
        if not self._counts_requests:
            return NO_PLACE
        key, owner = self._key_of(headers), self._owner_of(headers)
        own = None if key is None else key.settings.max_requests
        place = self._requests.take(owner, own)
        try:
            self._rates.spend(owner, None if key is None else key.settings.requests_per_minute)
        except AdapterError:
            place.give_back()
            raise
        return place

    def stream(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Count an answer that is a stream, besides its request; as `request`.

        Raises:
            AdapterError: there are too many.
        """
        if not self._counts_streams:
            return NO_PLACE
        key = self._key_of(headers)
        own = None if key is None else key.settings.max_streams
        return self._streams.take(self._owner_of(headers), own)

    def socket(self, headers: Mapping[str, str]) -> AbstractContextManager[None]:
        """Count a WebSocket; as `request`.

        Raises:
            AdapterError: there are too many.
        """
        return self._sockets.take(self._owner_of(headers))

    def _owner_of(self, headers: Mapping[str, str]) -> str:
        """Return who is counted: the owner of the key, or what stands for it where there is none."""
        if self._ring is not None:
            return headers.get(KEY_OWNER, "")
        if not self._counts_owners:
            return ""
        try:
            return owner_of(headers, self._owner_header)
        except InvalidRequestError:
            return ""


def _check_owner(scope: Scope, owner_header: str) -> None:
    """Refuse two owners: one is the gateway's, and the other the client's who chose its own."""
    name = owner_header.lower().encode("latin-1")
    if len({value for key, value in scope["headers"] if key.lower() == name}) > 1:
        raise InvalidRequestError(
            f"Invalid header '{name.decode('latin-1')}': expected it once.",
            code="invalid_value",
        )


def _no_key() -> InvalidRequestError:
    return InvalidRequestError(
        "You didn't provide an API key. Send it as 'Authorization: Bearer KEY'.",
        status=401,
        code="invalid_api_key",
        headers={"www-authenticate": _REALM},
    )


def _wrong_key(message: str) -> InvalidRequestError:
    return InvalidRequestError(
        message,
        status=401,
        code="invalid_api_key",
        headers={"www-authenticate": f'{_REALM}, error="invalid_token"'},
    )
