"""The metrics of a gateway, by name."""

from collections.abc import Sequence

from setpoint.gateway.follow import Follower
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.watching.metrics import (
    OTEL_BUCKETS_S,
    OTHER,
    PREDICTION_BUCKETS_S,
    ROWS_BUCKETS,
    Counter,
    Histogram,
    Metric,
    exposition,
)
from setpoint.gateway.watching.process_metrics import process_metrics
from setpoint.gateway.watching.readings import deployment_metrics, log_metrics
from setpoint.gateway.watching.siblings import Siblings
from setpoint.gateway.wire.refusal import Flaw

_ARM = ("model", "version")


def batch_rows() -> Histogram:
    """Return the histogram of how many rows a model is run on at once."""
    return Histogram("setpoint_batch_rows", "Rows of one run of a model.", _ARM, ROWS_BUCKETS)


def log_commits() -> Histogram:
    """Return the histogram of how long the log's transactions take."""
    return Histogram(
        "setpoint_log_commit_seconds",
        "Durations of the log's transactions, until they are on disk or failed.",
        (),
        OTEL_BUCKETS_S,
    )


class Gauges:
    """Everything that `/metrics` shows.

    Args:
        follower: Knows what is served.
        writer: Knows how the log does.
        siblings: Knows what other workers of the gateway count; None where there are none.
        further: Metrics of the wiring's own.
    """

    def __init__(
        self,
        follower: Follower,
        writer: LogWriter,
        siblings: Siblings | None = None,
        further: Sequence[Metric] = (),
    ) -> None:
        self._siblings = siblings
        self._follower = follower
        self.predictions = Counter("model_predictions", "Rows that were answered.", _ARM)
        self.errors = Counter(
            "model_prediction_errors", "Rows that a version gave no answer for.", _ARM
        )
        self.latency = Histogram(
            "model_prediction_latency_seconds",
            "From decoded request to answer, before the log.",
            _ARM,
            PREDICTION_BUCKETS_S,
        )
        self.requests = Histogram(
            "http_server_request_duration_seconds",
            "From the whole request to its answer.",
            ("http_request_method", "http_route", "http_response_status_code"),
            OTEL_BUCKETS_S,
        )
        self.refusals = Counter(
            "setpoint_refusals", "Requests that were refused, by why.", ("kind",)
        )
        self.flaws = Counter(
            "setpoint_contract_breaches",
            "Columns of refused requests that broke the contract, by rule; `_OTHER` is none of its columns.",
            ("column", "rule"),
        )
        self._all: list[Metric] = [
            self.predictions,
            self.errors,
            self.latency,
            self.requests,
            self.refusals,
            self.flaws,
            *deployment_metrics(follower),
            *log_metrics(writer),
            *process_metrics(),
            *further,
        ]

    def add(self, metrics: Sequence[Metric]) -> None:
        """Show further metrics."""
        self._all.extend(metrics)

    def text(self, *, openmetrics: bool) -> bytes:
        """Return the exposition, over all workers."""
        others = self._siblings.others() if self._siblings is not None else []
        return exposition(self._all, others, openmetrics=openmetrics)

    def samples(self) -> dict[str, dict[str, float]]:
        """Return the samples of this worker, by metric."""
        return {metric.name: metric.samples() for metric in self._all}

    def refused(self, kind: str, flaws: Sequence[Flaw]) -> None:
        """Count a refusal."""
        self.refusals.add((kind,))
        serving = self._follower.serving
        known = serving.feature_names if serving is not None else frozenset()
        for flaw in flaws:
            if flaw.rule:
                # What clients make up is not told apart: it would be another series each time.
                self.flaws.add((flaw.column if flaw.column in known else OTHER, flaw.rule))
