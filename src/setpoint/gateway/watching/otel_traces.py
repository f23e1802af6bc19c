"""Traces by OpenTelemetry's SDK, over OTLP or to the standard output. Loaded by a gateway that is to make traces only.

A request's span and its children are made after the answer, from the moments that its trail holds: the SDK is never on
the request's path. Attributes have the names of OpenTelemetry's semantic conventions for HTTP servers; what is ours
begins with `setpoint.`. The SDK reads its own settings (`OTEL_EXPORTER_OTLP_…`, `OTEL_BSP_…`, `OTEL_SERVICE_NAME`,
`OTEL_RESOURCE_ATTRIBUTES`, `OTEL_SPAN_…`) from the environment.
"""

import threading
from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from setpoint.gateway.watching.trail import Trail

_SERVICE = "setpoint-gateway"
_UNNAMED = "unknown_service"  # how the SDK's default name of a service begins
_CLOSE_S = 5.0
_FAILED = 500  # statuses from here on are the server's failures
_NS = 1e9

Attributes = dict[str, str | int]


class OtelTraces:
    """Makes the spans of one process, and has them exported.

    Args:
        release: Version of setpoint.
        exporter: `otlp` or `console`.

    Attributes:
        exported: Spans that were exported.
        failed: Spans that could not be.
    """

    def __init__(self, release: str, exporter: str) -> None:
        self._ids = _Ids()
        self._exporter = _Counting(
            ConsoleSpanExporter() if exporter == "console" else OTLPSpanExporter()
        )
        # Whether a request is sampled was decided when it came: what comes here is traced.
        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=_resource(release),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer("setpoint.gateway", release)

    @property
    def exported(self) -> int:
        """Spans that were exported."""
        return self._exporter.exported

    @property
    def failed(self) -> int:
        """Spans that could not be exported."""
        return self._exporter.failed

    def put(self, trail: Trail) -> None:
        """Make the spans of one request."""
        if trail.context is None:
            return
        self._ids.next_trace = int(trail.context.trace_id, 16)
        # The wall clock at the beginning and the stopwatch from there on: spans cannot run backwards.
        span = self._tracer.start_span(
            f"{trail.method} {trail.route}" if trail.route != "unknown" else trail.method,
            _parent(trail),
            SpanKind.SERVER,
            _attributes(trail),
            start_time=round(trail.at * _NS),
        )
        if trail.status >= _FAILED:
            span.set_status(Status(StatusCode.ERROR))
        self._add_children(span, trail)
        span.end(_moment(trail, trail.ended))

    def close(self) -> None:
        """Export what waits, for a few seconds at most."""
        # A collector that does not answer would hold the SDK for half a minute.
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(_CLOSE_S)

    def _add_children(self, span: Span, trail: Trail) -> None:
        """Add a span for each stage that the request came to the end of."""
        context = set_span_in_context(span, Context())
        start = trail.started
        for name, end in (
            ("decode", trail.decoded),
            ("infer", trail.inferred),
            ("log", trail.logged),
        ):
            if not end:
                break
            child = self._tracer.start_span(name, context, start_time=_moment(trail, start))
            child.end(_moment(trail, end))
            start = end


class _Ids(IdGenerator):
    """Ids of spans by chance; the trace's own is known before its first span."""

    def __init__(self) -> None:
        self.next_trace = 0
        self._random = RandomIdGenerator()

    def generate_trace_id(self) -> int:
        return self.next_trace

    def generate_span_id(self) -> int:
        return self._random.generate_span_id()


class _Counting(SpanExporter):
    """An exporter that counts what became of spans."""

    def __init__(self, exporter: SpanExporter) -> None:
        self.exported = 0
        self.failed = 0
        self._exporter = exporter

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = SpanExportResult.FAILURE
        try:
            result = self._exporter.export(spans)
        finally:
            if result is SpanExportResult.SUCCESS:
                self.exported += len(spans)
            else:
                self.failed += len(spans)
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _resource(release: str) -> Resource:
    """Return what the spans are of: what the environment says, and our name where it says none."""
    found = Resource.create({SERVICE_VERSION: release})
    if str(found.attributes.get(SERVICE_NAME, _UNNAMED)).startswith(_UNNAMED):
        found = found.merge(Resource({SERVICE_NAME: _SERVICE}))
    return found


def _parent(trail: Trail) -> Context:
    """Return the caller's span as a context; an empty one where the trace begins here."""
    context = trail.context
    if context is None or not context.parent_id:
        return Context()
    caller = SpanContext(
        int(context.trace_id, 16),
        int(context.parent_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
        trace_state=TraceState.from_header([trail.state]) if trail.state else None,
    )
    return set_span_in_context(NonRecordingSpan(caller), Context())


def _attributes(trail: Trail) -> Attributes:
    """Return what the span of a request says of it."""
    host, _, port = trail.peer.rpartition(":")
    found: Attributes = {
        "http.request.method": trail.method,
        "http.response.status_code": trail.status,
        "url.path": trail.path,
        "http.request.body.size": trail.received,
        "http.response.body.size": trail.sent,
    }
    if trail.route != "unknown":
        found["http.route"] = trail.route
    if host:
        found["client.address"] = found["network.peer.address"] = host.strip("[]")
        found["network.peer.port"] = int(port)
    if trail.status >= _FAILED:
        found["error.type"] = str(trail.status)
    ours: Attributes = {
        "setpoint.refused": trail.refused,
        "setpoint.request.id": trail.request,
        "setpoint.model.name": trail.model,
        "setpoint.model.version": trail.version,
        "setpoint.variant": trail.variant,
        "setpoint.prediction.id": trail.ids[0] if trail.ids else "",
        "setpoint.rows": len(trail.ids),
    }
    return found | {name: value for name, value in ours.items() if value}


def _moment(trail: Trail, stopwatch: float) -> int:
    """Return a moment of the stopwatch in nanoseconds since 1970-01-01 UTC."""
    return round((trail.at + stopwatch - trail.started) * _NS)
