"""What is asked of the servers under test, a row each. A new scenario is a new row."""

import json
from typing import Any, Literal

import msgspec

from benchmarks.servers import Kind

# Escapes in JSON as prose has them: a few in each line.
_SENTENCE = (
    'Tell me about the weather, hour by hour, and what to wear. He said: "Bring an umbrella."\n'
)


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
        input_bytes: how long the question is.
        is_quick: part of a run that ends within a quarter of an hour.
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
    input_bytes: int = 0
    is_quick: bool = True

    def body(self, kind: Kind) -> bytes:
        """Return what is posted, in the API that the server offers."""
        fields: dict[str, Any] = {"model": self.model, "stream": self.stream}
        if kind == "responses":
            return json.dumps(fields | {"input": self._question()}).encode()
        if self.stream:
            fields["stream_options"] = {"include_usage": True}
        messages = [{"role": "user", "content": self._question()}]
        return json.dumps(fields | {"messages": messages}).encode()

    def _question(self) -> str:
        return "Hello" if not self.input_bytes else _SENTENCE * (self.input_bytes // len(_SENTENCE))


SCENARIOS = (
    Scenario("burst", "burst-512", True, 32, 4, unit="delta", units=512),
    # The ramp is one interval: requests arrive, and tokens come, evenly.
    Scenario("paced", "paced-64-20", True, 32, 1, unit="delta", units=64, ramp_seconds=0.02),
    Scenario("short", "short-4", True, 32, 20, unit="request"),
    # What a client that wants no stream costs, against a stream of the same.
    Scenario("non-stream", "short-64", False, 32, 20, unit="request"),
    Scenario("64 chunks", "short-64", True, 32, 20, unit="request"),
    Scenario("alone", "paced-64-20", True, 1, 1, unit="delta", units=64),
    Scenario(
        "1,000 streams", "paced-8-400", True, 1000, 1, unit="delta", units=8, ramp_seconds=0.4
    ),
    Scenario("input 64 kB", "short-4", False, 8, 40, unit="request", input_bytes=64_000),
    Scenario("input 200 kB", "short-4", False, 8, 20, unit="request", input_bytes=200_000),
    Scenario("tool call", "tools-512", True, 32, 4, unit="delta", units=512),
    Scenario("reasoning", "reasoning-256", True, 32, 4, unit="delta", units=512),
    Scenario("coalesced", "coalesced-512-8", True, 32, 4, unit="delta", units=512, is_quick=False),
    Scenario(
        "256 streams",
        "paced-32-100",
        True,
        256,
        1,
        unit="delta",
        units=32,
        ramp_seconds=0.1,
        is_quick=False,
    ),
)

# Ten minutes of steady load: memory and cost per delta should not drift.
SOAK = Scenario(
    "soak",
    "paced-64-20",
    True,
    32,
    460,
    unit="delta",
    units=64,
    ramp_seconds=0.02,
    limit_seconds=900.0,
    is_quick=False,
)
