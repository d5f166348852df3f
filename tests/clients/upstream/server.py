"""The strict chat server: rules, a brain and a style, over a real socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.clients.upstream.brain import Scene, answer
from tests.clients.upstream.rules import Rule, refusal
from tests.clients.upstream.saying import Style
from tests.clients.upstream.styles import usual
from tests.servers.answers import Answer, json_answer
from tests.servers.requests import Request
from tests.servers.scripted import scripted_upstream


class StrictUpstream:
    """What a strict chat server is asked, and what it says.

    Args:
        scenes: of the brain.

    Attributes:
        url: base URL, ending in `/v1`.
        style: how it streams.
        rules: what it refuses beyond what every server does.
        bodies: all requests that were answered, in order.
        refusals: why requests were refused, in order.
    """

    def __init__(self, url: str, scenes: dict[str, Scene]) -> None:
        self.url = url
        self.style: Style = usual
        self.rules: tuple[Rule, ...] = ()
        self.bodies: list[dict[str, Any]] = []
        self.refusals: list[str] = []
        self._scenes = scenes
        self._own: dict[str, Scene] = {}
        self._count = 0

    def reset(self) -> None:
        """Forget what was asked, and be like every other server again."""
        self.style, self.rules = usual, ()
        self.bodies.clear()
        self.refusals.clear()
        self._own.clear()

    def play(self, phrase: str, scene: Scene) -> None:
        """Answer to a phrase in another way, in this test."""
        self._own[phrase] = scene

    @property
    def last_outputs(self) -> list[str]:
        """What tools said, in the last request."""
        messages = self.bodies[-1]["messages"]
        return [message["content"] for message in messages if message["role"] == "tool"]

    def reply(self, request: Request) -> Answer:
        """Return the answer to a request."""
        body = request.json
        if reason := refusal(body, *self.rules):
            self.refusals.append(reason)
            error = {"message": reason, "type": "invalid_request_error", "code": None}
            return json_answer(400, {"error": error | {"param": None}})
        self.bodies.append(body)
        self._count += 1
        return self.style(answer(body, self._scenes | self._own), f"call_{self._count}_")


@contextmanager
def strict_upstream(scenes: dict[str, Scene]) -> Iterator[StrictUpstream]:
    """Serve from a thread of its own."""
    with scripted_upstream() as server:
        upstream = StrictUpstream(server.url, scenes)
        server.always(upstream.reply)
        yield upstream
