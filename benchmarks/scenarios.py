"""What is asked of the servers under test, a row each. A new scenario is a new row."""

import json
from typing import Any, Literal

import msgspec

from benchmarks.servers import Kind


class Scenario(msgspec.Struct, frozen=True):
    """One load.

    Attributes:
        model: name of the mock upstream's answer.
        stream: whether the client asks for a stream.
        streams: connections, each with one request at a time.
        requests: how many each connection makes, one after the other.
        unit: what the CPU time is divided by.
        units: how many of them a request has.
        ramp_seconds: over what time the first requests are spread.
        limit_seconds: bound of one measurement.
    """

    name: str
    model: str
    stream: bool
    streams: int
    requests: int
    unit: Literal["delta", "request"]
    units: int = 1
    ramp_seconds: float = 0.0
    limit_seconds: float = 20.0

    def body(self, kind: Kind) -> bytes:
        """Return what is posted, in the API that the server offers."""
        fields: dict[str, Any] = {"model": self.model, "stream": self.stream}
        if kind == "responses":
            return json.dumps(fields | {"input": "Hello"}).encode()
        if self.stream:
            fields["stream_options"] = {"include_usage": True}
        return json.dumps(fields | {"messages": [{"role": "user", "content": "Hello"}]}).encode()


SCENARIOS = (
    Scenario("burst", "burst-512", True, 32, 4, unit="delta", units=512),
    # The ramp is one interval: requests arrive, and tokens come, evenly.
    Scenario("paced", "paced-64-20", True, 32, 1, unit="delta", units=64, ramp_seconds=0.02),
    Scenario("short", "short-4", True, 32, 20, unit="request"),
    Scenario("non-stream", "short-64", False, 32, 20, unit="request"),
)
