"""Fixtures of the tests of observation: a real server, the real registry, spans in memory."""

import logging
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from adapter.asgi.app import ResponsesAPI, make_sidecar
from adapter.config import Settings
from tests.asgi.conftest import Stand, Start, anyio_backend, client, shared_stand, stand, upstream
from tests.servers.scripted import ScriptedUpstream

__all__ = ["anyio_backend", "client", "shared_stand", "stand", "upstream"]

REQUESTS = "adapter.requests"


@pytest.fixture(autouse=True)
def no_request_lines() -> Iterator[None]:
    """Let a test have the lines of requests only if it asks for them."""
    logger = logging.getLogger(REQUESTS)
    before = logger.level
    logger.setLevel(logging.WARNING)
    yield
    logger.setLevel(before)


@pytest.fixture
async def start(stand: Stand, upstream: ScriptedUpstream) -> AsyncIterator[Start]:
    """Put up a `ResponsesAPI` before the scripted upstream, with these settings."""
    started: list[ResponsesAPI] = []

    def put_up(**options: object) -> ResponsesAPI:
        options = {"store": "none", **options}
        settings = Settings.load(environ={}, **options)
        stand.app = app = ResponsesAPI(upstream.url, settings=settings)
        started.append(app)
        return app

    yield put_up
    for app in started:
        await app.aclose()


@pytest.fixture
async def start_sidecar(
    stand: Stand, upstream: ScriptedUpstream
) -> AsyncIterator[Callable[..., None]]:
    """Put up a sidecar before the scripted upstream, with these settings."""
    started: list[ResponsesAPI] = []

    def put_up(**options: object) -> None:
        options = {"store": "none", "upstream": upstream.url, **options}
        stand.app = app = make_sidecar(Settings.load(environ={}, **options))
        started.append(app)

    yield put_up
    for app in started:
        await app.aclose()


@pytest.fixture(scope="package")
def exporter() -> Iterator[InMemorySpanExporter]:
    """Keep the spans of the process; there can be one provider, and only once."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    yield exporter
    exporter.shutdown()


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    """The spans of the test."""
    exporter.clear()
    yield exporter
    exporter.clear()
