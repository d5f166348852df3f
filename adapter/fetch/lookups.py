"""Names to addresses, in threads of their own.

A lookup blocks its thread for as long as the system waits for a name server (glibc: 5 s, twice for
each), and who gave up waiting cannot stop it. In the loop's few threads, a handful of names whose
servers never answer would hold up every other lookup in this process, those of the model server
included. Nothing is judged here and nothing is kept: `guard` sees each address when it is used.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult

_LOOKUPS_AT_ONCE: Final = 4
_FLAGS: Final = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Lookups(AbstractResolver):
    """Asks the system."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOKUPS_AT_ONCE, "adapter-lookup")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name."""
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _look_up, host, port, family
        )
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0, flags=_FLAGS
            )
            for family, address in found
        ]

    async def close(self) -> None:
        """Give up the lookups that have not begun; the others end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(
    host: str, port: int, family: socket.AddressFamily
) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [(family, str(address[0])) for family, *_, address in found]
