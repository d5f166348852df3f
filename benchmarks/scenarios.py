"""What is asked of the servers under test, a row each. A new scenario is a new row."""

import json
from typing import Any, Literal

import msgspec

from benchmarks import agent_input
from benchmarks.load import Load
from benchmarks.servers import Server

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
        is_agent: what is asked is not a question, but all that an agent sends.
        on_socket: servers of the Responses API are asked over WebSocket. Those of the chat API,
            which have none, are asked for the same stream over HTTP: what the others add to it.
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
    is_agent: bool = False
    on_socket: bool = False
    is_quick: bool = True

    def fits(self, server: Server) -> bool:
        """Return whether the server can be asked this."""
        return not self.on_socket or server.kind == "chat" or server.has_socket

    def load(self, server: Server, port: int) -> Load:
        """Return what is sent to a server that listens on `port`."""
        uses_socket = self.on_socket and server.kind == "responses"
        return Load(
            url=f"{'ws' if uses_socket else 'http'}://127.0.0.1:{port}{server.path}",
            body=json.dumps(self._body(server, is_frame=uses_socket)).encode(),
            streams=self.streams,
            rounds=-(-self.requests // server.slowness),
            ramp_seconds=self.ramp_seconds,
            limit_seconds=self.limit_seconds,
        )

    def _body(self, server: Server, *, is_frame: bool) -> dict[str, Any]:
        fields: dict[str, Any] = {"model": self.model}
        if is_frame:
            fields["type"] = "response.create"
        else:
            fields["stream"] = self.stream
        if server.kind == "responses":
            return fields | (
                agent_input.as_responses() if self.is_agent else {"input": self._question()}
            )
        if self.stream:
            fields["stream_options"] = {"include_usage": True}
        messages = [{"role": "user", "content": self._question()}]
        return fields | (agent_input.as_chat() if self.is_agent else {"messages": messages})

    def _question(self) -> str:
        return "Hello" if not self.input_bytes else _SENTENCE * (self.input_bytes // len(_SENTENCE))


def _requests(
    name: str, model: str, streams: int, requests: int, *, stream: bool = True, **more: Any
) -> Scenario:
    """Return a scenario whose CPU time is given for a request."""
    return Scenario(name, model, stream, streams, requests, unit="request", **more)


def _deltas(
    name: str, model: str, streams: int, requests: int, units: int, **more: Any
) -> Scenario:
    """Return a scenario whose CPU time is given for a delta, of which an answer has `units`."""
    return Scenario(name, model, True, streams, requests, unit="delta", units=units, **more)


SCENARIOS = (
    _deltas("burst", "burst-512", 32, 4, 512),
    # The ramp is one interval: requests arrive, and tokens come, evenly.
    _deltas("paced", "paced-64-20", 32, 1, 64, ramp_seconds=0.02),
    _requests("short", "short-4", 32, 20),
    # What a client that wants no stream costs, against a stream of the same.
    _requests("non-stream", "short-64", 32, 20, stream=False),
    _requests("64 chunks", "short-64", 32, 20),
    _deltas("burst, WebSocket", "burst-512", 32, 4, 512, on_socket=True),
    _requests("short, WebSocket", "short-4", 32, 20, on_socket=True),
    _deltas("alone", "paced-64-20", 1, 1, 64),
    _deltas("1,000 streams", "paced-8-400", 1000, 1, 8, ramp_seconds=0.4, limit_seconds=60.0),
    _requests("input 64 kB", "short-4", 8, 40, stream=False, input_bytes=64_000),
    _requests("input 200 kB", "short-4", 8, 20, stream=False, input_bytes=200_000),
    _requests("agent, 200 kB", "short-4", 8, 20, is_agent=True),
    _deltas("tool call", "tools-512", 32, 4, 512),
    _deltas("reasoning", "reasoning-256", 32, 4, 512),
    _deltas("coalesced", "coalesced-512-8", 32, 4, 512, is_quick=False),
    _deltas("256 streams", "paced-32-100", 256, 1, 32, ramp_seconds=0.1, is_quick=False),
)
