"""`server-timing`: how long the adapter and the upstream took, as far as it is known by then.

Source: W3C Server Timing, "The Server-Timing Header Field": durations are milliseconds.
"""

from time import perf_counter

from adapter.observe.exchange import current

Pairs = list[tuple[bytes, bytes]]


def timing_headers() -> Pairs:
    """Return the header for an answer that leaves now, if answers are to have it.

    Where the answer is a stream, the upstream is at work still: what is told of it is the time to
    its first event, or nothing if that has not come.
    """
    exchange = current.get()
    if exchange is None or not exchange.is_timed:
        return []
    now = perf_counter()
    upstream = exchange.upstream_seconds
    call = exchange.turn
    if call is not None and not call.ended:
        upstream += (call.first_event or call.first_byte or now) - call.started
    total = now - exchange.started
    parts = [f"adapter;dur={max(total - upstream, 0.0) * 1000:.1f}"]
    if call is not None:
        parts.append(f"upstream;dur={upstream * 1000:.1f}")
    return [(b"server-timing", ", ".join(parts).encode())]
