"""A client that asks for responses and conversations, and looks at what the model was asked."""

from typing import Any

import httpx2

from tests.asgi.streams import read_stream
from tests.servers.answers import text_answer
from tests.servers.scripted import ScriptedUpstream


class Peer:
    """A client with headers of its own.

    Args:
        client: of the server under test.
        upstream: the model server behind it.
        headers: of every request.
    """

    def __init__(
        self, client: httpx2.AsyncClient, upstream: ScriptedUpstream, headers: dict[str, str]
    ) -> None:
        self.client = client
        self.upstream = upstream
        self.headers = headers

    def other(self, **headers: str) -> "Peer":
        """Return a client with other headers."""
        return Peer(self.client, self.upstream, headers)

    async def ask(self, input: Any = "Hi", *, says: str = "Hello", **fields: Any) -> dict[str, Any]:
        """Return the response to a request that the model answers with a text."""
        self.upstream.reply(text_answer(says))
        return await self.send(input, **fields)

    async def stream(
        self, input: Any = "Hi", *, says: str = "Hello", **fields: Any
    ) -> list[dict[str, Any]]:
        """Return the events of a stream that the model answers with a text."""
        self.upstream.reply(text_answer(says))
        stream = await read_stream(self.client, headers=self.headers, input=input, **fields)
        return stream.events

    async def send(self, input: Any = "Hi", **fields: Any) -> dict[str, Any]:
        """Return the response to a request."""
        answer = await self.post("/responses", {"model": "m", "input": input, **fields})
        assert answer.status_code == 200, answer.text
        response: dict[str, Any] = answer.json()
        return response

    async def refused(self, input: Any = "Hi", **fields: Any) -> dict[str, Any]:
        """Return the error of a request that is refused, with its status."""
        answer = await self.post("/responses", {"model": "m", "input": input, **fields})
        return error_of(answer)

    async def get(self, path: str, **query: Any) -> httpx2.Response:
        return await self.client.get(f"/v1{path}", params=query, headers=self.headers)

    async def post(self, path: str, body: Any = None) -> httpx2.Response:
        return await self.client.post(f"/v1{path}", json=body, headers=self.headers)

    async def delete(self, path: str) -> httpx2.Response:
        return await self.client.delete(f"/v1{path}", headers=self.headers)

    async def new_conversation(self, **fields: Any) -> str:
        """Return the id of a new conversation."""
        answer = await self.post("/conversations", fields)
        assert answer.status_code == 200, answer.text
        id: str = answer.json()["id"]
        return id

    async def items_of(self, path: str) -> list[dict[str, Any]]:
        """Return the items of a list, the oldest first."""
        answer = await self.get(path, order="asc", limit=100)
        assert answer.status_code == 200, answer.text
        data: list[dict[str, Any]] = answer.json()["data"]
        return data

    def heard(self, index: int = -1) -> list[tuple[str, Any]]:
        """Return role and content of the messages that the model was sent."""
        messages = self.upstream.requests[index].json["messages"]
        return [(message["role"], message["content"]) for message in messages]


def error_of(answer: httpx2.Response) -> dict[str, Any]:
    """Return an error, with its status."""
    assert answer.status_code >= 400, answer.text
    error = answer.json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    return {"status": answer.status_code, **error}
