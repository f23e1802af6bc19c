"""Builds what watches the requests of a gateway process: the access log and traces, where they are asked for."""

import importlib
import importlib.util
import os
from collections.abc import Sequence
from typing import Protocol

from setpoint.clock import Clock
from setpoint.errors import UsageError
from setpoint.gateway.watching.access_log import AccessLog, access_log_metrics
from setpoint.gateway.watching.metrics import Metric, Reading
from setpoint.gateway.watching.trace_context import Sampler
from setpoint.gateway.watching.watch import Sink, Watch
from setpoint.settings import Tracing

_EXPORTER = "opentelemetry.exporter.otlp.proto.http"


class Traces(Sink, Protocol):
    """Where spans are made, and how many went out."""

    @property
    def exported(self) -> int:
        """Spans that were exported."""

    @property
    def failed(self) -> int:
        """Spans that could not be exported."""


def require_watch(access_log: str, tracing: Tracing | None) -> None:
    """Refuse what cannot be watched, before there are workers who would each say so, again and again.

    Raises:
        UsageError: The access log cannot be opened, or what makes traces is not installed.
    """
    if access_log:
        AccessLog(access_log).close()
    if tracing is not None and not _is_installed(_EXPORTER):
        msg = (
            "traces are asked for by the environment (OTEL_…), but OpenTelemetry's exporter is not installed: "
            'install "setpoint[otel]", or set OTEL_TRACES_EXPORTER=none'
        )
        raise UsageError(msg)


def build_watch(
    access_log: str, tracing: Tracing | None, clock: Clock, release: str
) -> tuple[Watch, Sequence[Metric]]:
    """Return what watches, and how it does.

    Args:
        access_log: File of the access log, or `stdout`; empty for none.
        tracing: Which requests are traced, and where spans go; None where none are.
        clock: Stamps what is watched.
        release: Version of setpoint.

    Raises:
        UsageError: The access log cannot be opened, or what makes traces is not installed.
    """
    require_watch("", tracing)
    lines = AccessLog(access_log) if access_log else None
    traces: Traces | None = None
    sampler = None
    if tracing is not None:
        adapter = importlib.import_module("setpoint.gateway.watching.otel_traces")
        traces = adapter.OtelTraces(release, tracing.exporter)
        sampler = Sampler(tracing.share, parent_based=tracing.parent_based, entropy=os.urandom)
    watch = Watch(clock, lines=lines, traces=traces, sampler=sampler)
    return watch, (*access_log_metrics(lines), *_trace_metrics(traces))


def _trace_metrics(traces: Traces | None) -> tuple[Metric, ...]:
    """Return how traces do; zeros where there are none."""
    return (
        Reading(
            "setpoint_spans_exported",
            "Spans of traces that were exported.",
            lambda: {(): float(traces.exported if traces else 0)},
            kind="counter",
        ),
        Reading(
            "setpoint_spans_failed",
            "Spans of traces that could not be exported.",
            lambda: {(): float(traces.failed if traces else 0)},
            kind="counter",
        ),
    )


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a package around it is missing
        return False
