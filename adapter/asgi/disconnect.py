"""Stop working when the client goes.

A server says so only through `receive()`, so a task waits for it beside the work.
"""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive


class StopOnDisconnect:
    """Cancels the block when the client disconnects, and ends it quietly then.

        async with StopOnDisconnect(receive) as client:
            ...
        if client.has_gone: ...

    Args:
        receive: of a request whose body has been read.

    Attributes:
        has_gone: the client has disconnected.
    """

    def __init__(self, receive: Receive) -> None:
        self.has_gone = False
        self._receive = receive

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._watcher.cancel()
        # The cancellation is ours, unless somebody else asked for one too.
        return self.has_gone and self._task.uncancel() == 0 and exc_type is asyncio.CancelledError

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self.has_gone = True
        self._task.cancel()
