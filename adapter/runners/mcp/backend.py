"""Where connections to servers that a client named are made: looked up, checked, connected.

The address that was checked is the one that is connected to, so a name that resolves otherwise the
second time (DNS rebinding) gains nothing. The name itself stays with the TLS handshake.
"""

import socket
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import ip_address
from typing import Any, cast

import httpcore2
from aiohttp.abc import AbstractResolver

from adapter.fetch.guard import RefusedAddressError, UrlPolicy, check_address


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to what the policy allows.

    Args:
        policy: which addresses may be connected to.
        resolver: of host names.
    """

    def __init__(self, policy: UrlPolicy, resolver: AbstractResolver) -> None:
        self._policy = policy
        self._resolver = resolver
        # A cast, because it is declared as what stands in for it where anyio is missing, too.
        self._inner = cast(httpcore2.AsyncNetworkBackend, httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # of the interface
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        addresses = [
            address for address in await self._look_up(host, port) if self._allows(address)
        ]
        # One after the other, each with its share of the time.
        share = timeout and timeout / max(len(addresses), 1)
        for address in addresses:
            with suppress(httpcore2.ConnectError, httpcore2.ConnectTimeout):
                return await self._inner.connect_tcp(
                    address, port, share, local_address, socket_options
                )
        raise httpcore2.ConnectError("no address to connect to")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  # of the interface
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        raise httpcore2.ConnectError("no sockets of this machine")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _look_up(self, host: str, port: int) -> list[str]:
        try:
            return [str(ip_address(host))]
        except ValueError:
            found = await self._resolver.resolve(host, port, socket.AF_UNSPEC)
            return [entry["host"] for entry in found]

    def _allows(self, address: str) -> bool:
        try:
            check_address(address, self._policy)
        except RefusedAddressError:
            return False
        return True
