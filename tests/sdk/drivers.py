"""The SDK's two faces, blocking and async, behind the same few calls.

A test is written once and runs on both: what differs between them is only here. Making a client
reads the system's certificates, so there is one of each for all tests, pointed at one server after
the other.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Protocol, Self

import openai
from openai.types.responses import CompactedResponse, ParsedResponse, Response
from openai.types.responses.input_token_count_response import InputTokenCountResponse

LIMIT_SECONDS = 30.0  # the toy model is slow where other programs take its cores
KEY = "key-of-the-client"
OPTIONS: dict[str, Any] = {"api_key": KEY, "max_retries": 0, "timeout": LIMIT_SECONDS}


OnEvent = Callable[[Any], None]


def ignore(_event: Any) -> None:
    """See an event and do nothing."""


class Sdk(Protocol):
    """What the tests ask of the SDK; requests are the keyword arguments of `responses.create`."""

    def at(self, base_url: str, **options: Any) -> Self:
        """Return the same SDK talking to another server, with other options."""

    def create(self, **request: Any) -> Response:
        """Return `responses.create(...)`."""

    def create_raw(self, **request: Any) -> tuple[Response, dict[str, str]]:
        """Return `responses.with_raw_response.create(...)`: the response and its headers."""

    def create_stream(self, on_event: OnEvent = ignore, **request: Any) -> list[Any]:
        """Return all events of `responses.create(stream=True)`; each is shown as it comes."""

    def read_some(self, count: int, **request: Any) -> list[Any]:
        """Return the first events of `responses.create(stream=True)`, and close the stream."""

    def stream(
        self, on_event: OnEvent = ignore, **request: Any
    ) -> tuple[list[Any], ParsedResponse[Any]]:
        """Return the events, shown as they come, and the final response of `responses.stream(...)`."""

    def parse(self, **request: Any) -> ParsedResponse[Any]:
        """Return `responses.parse(...)`."""

    def compact(self, **request: Any) -> CompactedResponse:
        """Return `responses.compact(...)`."""

    def count_input_tokens(self, **request: Any) -> int:
        """Return the count of `responses.input_tokens.count(...)`."""

    def converse(self, *requests: dict[str, Any]) -> list[list[Any]]:
        """Return the events of each request over one `responses.connect()`.

        Each continues the one before it. Errors are events too, and end their request.
        """


class SyncSdk:
    """`openai.OpenAI`."""

    def __init__(self, client: openai.OpenAI) -> None:
        self._client = client
        self._responses = client.responses

    def at(self, base_url: str, **options: Any) -> Self:
        return type(self)(self._client.with_options(base_url=base_url, **options))

    def create(self, **request: Any) -> Response:
        return self._responses.create(**request)

    def create_raw(self, **request: Any) -> tuple[Response, dict[str, str]]:
        raw = self._responses.with_raw_response.create(**request)
        return raw.parse(), dict(raw.headers)

    def create_stream(self, on_event: OnEvent = ignore, **request: Any) -> list[Any]:
        with self._responses.create(stream=True, **request) as stream:
            return [_shown(event, on_event) for event in stream]

    def read_some(self, count: int, **request: Any) -> list[Any]:
        with self._responses.create(stream=True, **request) as stream:
            return [next(stream) for _ in range(count)]

    def stream(
        self, on_event: OnEvent = ignore, **request: Any
    ) -> tuple[list[Any], ParsedResponse[Any]]:
        with self._responses.stream(**request) as stream:
            events = [_shown(event, on_event) for event in stream]
            return events, stream.get_final_response()

    def parse(self, **request: Any) -> ParsedResponse[Any]:
        return self._responses.parse(**request)

    def compact(self, **request: Any) -> CompactedResponse:
        return self._responses.compact(**request)

    def count_input_tokens(self, **request: Any) -> int:
        return _count(self._responses.input_tokens.count(**request))

    def converse(self, *requests: dict[str, Any]) -> list[list[Any]]:
        turns: list[list[Any]] = []
        with self._responses.connect() as connection:
            for request in requests:
                connection.response.create(**_continuing(turns), **request)
                turns.append([])
                while not _has_ended(turns[-1]):
                    turns[-1].append(connection.recv())
        return turns


class AsyncSdk:
    """`openai.AsyncOpenAI`, in a loop that goes on between the calls."""

    def __init__(self, client: openai.AsyncOpenAI, runner: asyncio.Runner) -> None:
        self._client = client
        self._responses = client.responses
        self._runner = runner

    def at(self, base_url: str, **options: Any) -> Self:
        return type(self)(self._client.with_options(base_url=base_url, **options), self._runner)

    def create(self, **request: Any) -> Response:
        return self._runner.run(self._responses.create(**request))

    def create_raw(self, **request: Any) -> tuple[Response, dict[str, str]]:
        raw = self._runner.run(self._responses.with_raw_response.create(**request))
        return raw.parse(), dict(raw.headers)

    def create_stream(self, on_event: OnEvent = ignore, **request: Any) -> list[Any]:
        async def read() -> list[Any]:
            async with await self._responses.create(stream=True, **request) as stream:
                return [_shown(event, on_event) async for event in stream]

        return self._runner.run(read())

    def read_some(self, count: int, **request: Any) -> list[Any]:
        async def read() -> list[Any]:
            async with await self._responses.create(stream=True, **request) as stream:
                return [await anext(stream) for _ in range(count)]

        return self._runner.run(read())

    def stream(
        self, on_event: OnEvent = ignore, **request: Any
    ) -> tuple[list[Any], ParsedResponse[Any]]:
        async def read() -> tuple[list[Any], ParsedResponse[Any]]:
            async with self._responses.stream(**request) as stream:
                events = [_shown(event, on_event) async for event in stream]
                return events, await stream.get_final_response()

        return self._runner.run(read())

    def parse(self, **request: Any) -> ParsedResponse[Any]:
        return self._runner.run(self._responses.parse(**request))

    def compact(self, **request: Any) -> CompactedResponse:
        return self._runner.run(self._responses.compact(**request))

    def count_input_tokens(self, **request: Any) -> int:
        return _count(self._runner.run(self._responses.input_tokens.count(**request)))

    def converse(self, *requests: dict[str, Any]) -> list[list[Any]]:
        async def talk() -> list[list[Any]]:
            turns: list[list[Any]] = []
            async with self._responses.connect() as connection:
                for request in requests:
                    await connection.response.create(**_continuing(turns), **request)
                    turns.append([])
                    while not _has_ended(turns[-1]):
                        turns[-1].append(await connection.recv())
            return turns

        return self._runner.run(talk())


def _count(counted: InputTokenCountResponse) -> int:
    assert counted.object == "response.input_tokens"
    return counted.input_tokens


def _continuing(turns: list[list[Any]]) -> dict[str, Any]:
    return {"previous_response_id": turns[-1][-1].response.id} if turns else {}


def _has_ended(events: list[Any]) -> bool:
    return bool(events) and events[-1].type in {
        "response.completed",
        "response.incomplete",
        "response.failed",
        "error",
    }


def _shown(event: Any, on_event: OnEvent) -> Any:
    on_event(event)
    return event
