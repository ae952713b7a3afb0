"""Traces, for a deployment that collects them: one span a request, sent as OTLP over HTTP in the background.

A caller's `traceparent` is taken up. A span says the operation, the status and the problem, and the request id that the
log has: nothing of a path, a body, a caller's address or a person.
"""

from __future__ import annotations

from typing import Any

import ehc
from ehc.config import Settings
from ehc.web import logs

PARENT = "traceparent"
SEND_SECONDS = 3  # after which a batch is given up: a collector that is gone holds up no shutdown


class Traces:
    """Only made where it is switched on: OpenTelemetry is imported here and nowhere else."""

    def __init__(self, endpoint: str, share: float) -> None:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator  # noqa: PLC0415

        resource = Resource.create({"service.name": "ehc", "service.version": ehc.__version__})
        self._provider = TracerProvider(sampler=ParentBasedTraceIdRatio(share), resource=resource)
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, timeout=SEND_SECONDS)))
        self._tracer = self._provider.get_tracer("ehc.web", ehc.__version__)
        self._kind, self._propagator = SpanKind.SERVER, TraceContextTextMapPropagator()

    def begin(self, parent: str | None) -> Any:
        """The span of a request. parent: its traceparent header."""
        context = self._propagator.extract({PARENT: parent}) if parent else None
        return self._tracer.start_span("request", context=context, kind=self._kind)

    def end(self, span: Any, operation: str | None, method: str, status: int | None, problem: str | None) -> None:
        if span.is_recording():
            span.update_name(operation or "none")
            said = {
                "http.request.method": method,
                "http.response.status_code": status,
                "ehc.request_id": logs.request_id.get(),
                "error.type": problem,
            }
            span.set_attributes({name: value for name, value in said.items() if value is not None})
        span.end()

    def close(self) -> None:
        """Sends what is left."""
        self._provider.shutdown()


def open_traces(settings: Settings) -> Traces | None:
    return Traces(settings.otlp_endpoint, settings.otlp_share) if settings.otlp_endpoint else None
