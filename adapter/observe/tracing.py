"""The OpenTelemetry SDK of `serve`: spans leave over OTLP, as the standard `OTEL_*` variables say.

An app that is mounted somewhere has the SDK of its host instead.
"""

import os
from typing import TYPE_CHECKING, Final

from adapter.config import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

SERVICE_NAME: Final = "responses-adapter"
EXPORTER: Final = "OTEL_TRACES_EXPORTER"
EXPORTERS: Final = ("otlp", "console", "none")


def start_tracing() -> None:
    """Let the process have a tracer provider, unless it has one.

    Raises:
        SettingsError: the SDK is not installed, or `OTEL_TRACES_EXPORTER` names what is not known.
    """
    try:
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import (
            BatchSpanProcessor,
            ConsoleSpanExporter,
        )

        from adapter.observe.resource import KeptResource
    except ModuleNotFoundError as exc:
        raise _missing_sdk() from exc
    if isinstance(trace.get_tracer_provider(), TracerProvider):
        return
    exporter: SpanExporter | None
    match os.environ.get(EXPORTER) or "otlp":
        case "otlp":
            exporter = _otlp()
        case "console":
            exporter = ConsoleSpanExporter()
        case "none":
            exporter = None
        case other:
            raise SettingsError(
                f"Invalid {EXPORTER}: expected one of {', '.join(EXPORTERS)}, got {other!r}."
            )
    names = {} if _is_named() else {"service.name": SERVICE_NAME}
    provider = TracerProvider(resource=KeptResource(Resource.create(names)))
    if exporter is not None:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def _otlp() -> "SpanExporter":
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ModuleNotFoundError as exc:
        raise _missing_sdk() from exc
    return OTLPSpanExporter()


def _is_named() -> bool:
    named = "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    return named or bool(os.environ.get("OTEL_SERVICE_NAME"))


def _missing_sdk() -> SettingsError:
    return SettingsError(
        "The setting 'traces' needs an extra: pip install 'responses-adapter[traces]'."
    )
