"""What is told of requests and calls: metrics, traces, the log. Each takes what it needs."""

from typing import Protocol

from adapter.observe.exchange import Call, Exchange


class Sink:
    """Is told of what happens; does nothing with it by itself. What is not overridden is not called."""

    def begin(self, exchange: Exchange) -> None:
        """A request has come."""

    def run(self, exchange: Exchange) -> None:
        """A response is going to be made."""

    def end(self, exchange: Exchange) -> None:
        """A request is over."""

    def begin_call(self, exchange: Exchange, call: Call) -> None:
        """An upstream or a tool is going to be called; `call.headers` may be set."""

    def end_call(self, exchange: Exchange, call: Call) -> None:
        """A call is over."""

    def turned(self, exchange: Exchange) -> None:
        """What a call of the upstream cost is known: `exchange.turn`."""

    def store(self, operation: str, seconds: float, *, failed: bool) -> None:
        """The store was asked for something."""

    def retry(self, route: str) -> None:
        """A request is sent upstream once more, because the first try was not taken up."""

    def breaker(self, route: str, *, is_open: bool) -> None:
        """An upstream is left alone from now on, or asked again."""

    async def aclose(self) -> None:
        """The app is closed."""


class ShowsMetrics(Protocol):
    """Shows metrics."""

    def show(self, accept: str) -> tuple[str, bytes]:
        """Return the content type and the text of all metrics, for an `accept` header."""
        ...
