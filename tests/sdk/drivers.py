"""The SDK's two faces, blocking and async, behind the same few calls.

A test is written once and runs on both: what differs between them is only here.
"""

import asyncio
from typing import Any, Protocol

import openai
from openai.types.responses import ParsedResponse, Response

LIMIT_SECONDS = 10.0
OPTIONS: dict[str, Any] = {"api_key": "key-of-the-client", "max_retries": 0, "timeout": LIMIT_SECONDS}


class Sdk(Protocol):
    """What the tests ask of the SDK; requests are the keyword arguments of `responses.create`."""

    def create(self, **request: Any) -> Response:
        """Return `responses.create(...)`."""

    def create_raw(self, **request: Any) -> tuple[Response, dict[str, str]]:
        """Return `responses.with_raw_response.create(...)`: the response and its headers."""

    def create_stream(self, **request: Any) -> list[Any]:
        """Return all events of `responses.create(stream=True)`."""

    def read_some(self, count: int, **request: Any) -> list[Any]:
        """Return the first events of `responses.create(stream=True)`, and close the stream."""

    def stream(self, **request: Any) -> tuple[list[Any], ParsedResponse[Any]]:
        """Return the events and the final response of `responses.stream(...)`."""

    def parse(self, **request: Any) -> ParsedResponse[Any]:
        """Return `responses.parse(...)`."""

    def close(self) -> None: ...


class SyncSdk:
    """`openai.OpenAI`."""

    def __init__(self, base_url: str, **options: Any) -> None:
        self._client = openai.OpenAI(base_url=base_url, **(OPTIONS | options))
        self._responses = self._client.responses

    def create(self, **request: Any) -> Response:
        return self._responses.create(**request)

    def create_raw(self, **request: Any) -> tuple[Response, dict[str, str]]:
        raw = self._responses.with_raw_response.create(**request)
        return raw.parse(), dict(raw.headers)

    def create_stream(self, **request: Any) -> list[Any]:
        with self._responses.create(stream=True, **request) as stream:
            return list(stream)

    def read_some(self, count: int, **request: Any) -> list[Any]:
        with self._responses.create(stream=True, **request) as stream:
            return [next(stream) for _ in range(count)]

    def stream(self, **request: Any) -> tuple[list[Any], ParsedResponse[Any]]:
        with self._responses.stream(**request) as stream:
            events = list(stream)
            return events, stream.get_final_response()

    def parse(self, **request: Any) -> ParsedResponse[Any]:
        return self._responses.parse(**request)

    def close(self) -> None:
        self._client.close()


class AsyncSdk:
    """`openai.AsyncOpenAI`, in a loop of its own."""

    def __init__(self, base_url: str, **options: Any) -> None:
        self._client = openai.AsyncOpenAI(base_url=base_url, **(OPTIONS | options))
        self._responses = self._client.responses
        self._runner = asyncio.Runner()

    def create(self, **request: Any) -> Response:
        return self._runner.run(self._responses.create(**request))

    def create_raw(self, **request: Any) -> tuple[Response, dict[str, str]]:
        raw = self._runner.run(self._responses.with_raw_response.create(**request))
        return raw.parse(), dict(raw.headers)

    def create_stream(self, **request: Any) -> list[Any]:
        async def read() -> list[Any]:
            async with await self._responses.create(stream=True, **request) as stream:
                return [event async for event in stream]

        return self._runner.run(read())

    def read_some(self, count: int, **request: Any) -> list[Any]:
        async def read() -> list[Any]:
            async with await self._responses.create(stream=True, **request) as stream:
                return [await anext(stream) for _ in range(count)]

        return self._runner.run(read())

    def stream(self, **request: Any) -> tuple[list[Any], ParsedResponse[Any]]:
        async def read() -> tuple[list[Any], ParsedResponse[Any]]:
            async with self._responses.stream(**request) as stream:
                events = [event async for event in stream]
                return events, await stream.get_final_response()

        return self._runner.run(read())

    def parse(self, **request: Any) -> ParsedResponse[Any]:
        return self._runner.run(self._responses.parse(**request))

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


FACES: dict[str, type[SyncSdk] | type[AsyncSdk]] = {"sync": SyncSdk, "async": AsyncSdk}
