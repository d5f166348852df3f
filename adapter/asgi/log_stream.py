"""The log of a background run as a stream of server-sent events: what is there, then what comes.

A silent run is kept alive with comments, for events have numbers and belong to the log.
"""

import logging
from collections.abc import Sequence

from starlette.types import Receive, Send

from adapter.asgi.disconnect import StopOnDisconnect
from adapter.asgi.http import Headers
from adapter.asgi.pump import StreamTimes
from adapter.asgi.slow_reader import SlowReader
from adapter.asgi.sse_response import SSE_HEADERS
from adapter.background.follow import following
from adapter.errors import StoreError
from adapter.store.base import LoggedEvent, ResponseStore
from adapter.stream.encode import DONE, KEEPALIVE_COMMENT

logger = logging.getLogger(__name__)

_TYPE = len(b'{"type":"')  # what is logged begins with it


class LogStream:
    """Sends a log.

    Args:
        store: where it is.
        owner: of the response.
        id: of the response.
        after: the number of the last event that the client has; -1 is none.
        times: when to send something although nothing came.
        headers: more response headers.
    """

    def __init__(
        self,
        store: ResponseStore,
        owner: str,
        id: str,
        after: int,
        times: StreamTimes,
        headers: Headers = (),
    ) -> None:
        self._store = store
        self._place = owner, id
        self._after = after
        self._silence = float("inf") if times.keepalive == "off" else times.keepalive_interval
        self._slow_seconds = times.slow_reader_timeout
        self._headers = headers

    async def __call__(self, receive: Receive, send: Send) -> None:
        """Send everything, to the end of the run; return early if the client goes."""
        headers = [*SSE_HEADERS, *self._headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        end = b""
        async with StopOnDisconnect(receive) as client:
            try:
                with SlowReader(self._slow_seconds, client.drop) as reader:
                    await self._send_log(reader.watched(send))
                end = DONE
            except StoreError as error:
                # The client can go on where this ends; an event of ours would not be in the log.
                logger.warning("a stream of a background run was broken off: %s", error.message)
        if not client.has_gone:
            await send({"type": "http.response.body", "body": end, "more_body": False})

    async def _send_log(self, send: Send) -> None:
        async with following(
            self._store, *self._place, after=self._after, silence_seconds=self._silence
        ) as batches:
            async for events in batches:
                body = encode_logged(events) or KEEPALIVE_COMMENT
                await send({"type": "http.response.body", "body": body, "more_body": True})


def encode_logged(events: Sequence[LoggedEvent]) -> bytes:
    """Return logged events as server-sent events."""
    return b"".join(
        b"event: %b\ndata: %b\n\n" % (event.data[_TYPE : event.data.index(b'"', _TYPE)], event.data)
        for event in events
    )
