"""How much one WebSocket connection may ask for: numbers of the API, and bounds of our own."""

import msgspec


class ConnectionLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What one connection may have.

    The first three are OpenAI's own (its guide to the WebSocket mode, November 2026). Nobody
    continues from old responses, so few are remembered: the last one of every lane, and some more.

    Attributes:
        seconds: how long it may last.
        running: responses at one time, over all lanes.
        named_lanes: different values of `stream_id`, ever.
        waiting: frames that wait for their turn, over all lanes.
        waiting_bytes: of those frames together; one alone may have any size.
        remembered: responses that can be continued from.
        remembered_bytes: of what was said in them, together.
    """

    seconds: float = 3600.0
    running: int = 16
    named_lanes: int = 32
    waiting: int = 64
    waiting_bytes: int = 32 * 1024 * 1024
    remembered: int = 64
    remembered_bytes: int = 32 * 1024 * 1024
