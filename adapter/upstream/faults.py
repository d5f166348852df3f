"""What can go wrong on the way to a model server, said so that the reader knows where to look.

One row per fault; the transports decide which of their exceptions means which fault. Messages name
the host and port of the upstream and the system's own word for the failure, never a URL with its
query or user, a header, or anything of a body.
"""

from typing import Final

import msgspec

from adapter.errors import UpstreamError, UpstreamTimeoutError


class Timeouts(msgspec.Struct, frozen=True):
    """How long to wait for an upstream, in seconds; None is for ever.

    Attributes:
        connect: for a connection: a free place in the pool, DNS, TCP and TLS together.
        first_byte: from the request sent to the first byte of the answer's body. Servers that
            send their headers at once (vLLM, SGLang) still need the time of the prompt after it.
        idle: between two reads after that.
        total: from the start of the request to the end of the answer.
    """

    connect: float | None = 10.0
    first_byte: float | None = 600.0
    idle: float | None = 600.0
    total: float | None = None


class Fault(msgspec.Struct, frozen=True):
    """One thing that can go wrong.

    Attributes:
        message: with `{peer}` for the upstream's host and port, and `{detail}` if there is one.
        timed_out: whether waiting too long is what went wrong.
        never_sent: see `UpstreamError`.
        is_down: see `UpstreamError`.
    """

    message: str
    timed_out: bool = False
    never_sent: bool = False
    is_down: bool = True

    def error(self, peer: str, detail: object = None) -> UpstreamError:
        """Return this fault as the error to raise."""
        kind = UpstreamTimeoutError if self.timed_out else UpstreamError
        error = kind(self.message.format(peer=peer, detail=detail))
        error.never_sent, error.is_down = self.never_sent, self.is_down
        return error


UNREACHABLE: Final = Fault(
    "Cannot connect to the model server at {peer} ({detail}). "
    "Check that it is running and that its address and port are right.",
    never_sent=True,
)
NAME_UNKNOWN: Final = Fault(
    "Cannot find the model server at {peer}: its host name does not resolve ({detail}). "
    "Check the name and the DNS settings.",
    never_sent=True,
)
TLS_FAILED: Final = Fault(
    "Cannot speak TLS with the model server at {peer} ({detail}). "
    "Check that it is an https address and that its certificate is trusted here."
)
CONNECT_TIMEOUT: Final = Fault(
    "No connection to the model server at {peer} within {detail} s (connect timeout). "
    "Check that it is reachable, and that the limit of connections is not used up.",
    timed_out=True,
)
FIRST_BYTE_TIMEOUT: Final = Fault(
    "The model server at {peer} has not begun its answer within {detail} s (first-byte timeout). "
    "It may be overloaded, or the prompt long: check its queue, or raise the limit.",
    timed_out=True,
)
IDLE_TIMEOUT: Final = Fault(
    "The model server at {peer} sent nothing for {detail} s in the middle of its answer "
    "(idle timeout). Check that it is alive, or raise the limit.",
    timed_out=True,
)
TOTAL_TIMEOUT: Final = Fault(
    "The model server at {peer} did not finish its answer within {detail} s (total timeout).",
    timed_out=True,
    is_down=False,
)
NO_ANSWER: Final = Fault(
    "The model server at {peer} closed the connection without an answer ({detail}). "
    "Check its log: it may have crashed or be restarting."
)
BROKEN_OFF: Final = Fault(
    "The connection to the model server at {peer} broke before the answer was complete ({detail}). "
    "Check its log: it may have crashed or been stopped."
)
NOT_HTTP: Final = Fault(
    "The answer of the model server at {peer} is not HTTP/1.1 that can be read ({detail}). "
    "Check that the port is that of its HTTP server and whether it wants https."
)
UNDECODABLE: Final = Fault(
    "The body that the model server at {peer} sent does not decode as its headers say ({detail}). "
    "Check for a proxy in between that changes compression.",
    is_down=False,
)
CANNOT_SEND: Final = Fault(
    "The request to the model server at {peer} could not be sent ({detail}).", is_down=False
)
