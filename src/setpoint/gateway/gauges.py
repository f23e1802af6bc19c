"""The metrics of a gateway, by name."""

from collections.abc import Sequence

from setpoint.gateway.follow import Follower
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.metrics import (
    OTEL_BUCKETS_S,
    OTHER,
    PREDICTION_BUCKETS_S,
    Counter,
    Histogram,
    Labels,
    Metric,
    Reading,
    exposition,
)
from setpoint.gateway.refusal import Flaw
from setpoint.gateway.siblings import Siblings

_ARM = ("model", "version")


class Gauges:
    """Everything that `/metrics` shows.

    Args:
        follower: Knows what is served.
        writer: Knows how the log does.
        siblings: Knows what other workers of the gateway count; None where there are none.
    """

    def __init__(
        self, follower: Follower, writer: LogWriter, siblings: Siblings | None = None
    ) -> None:
        self._siblings = siblings
        self._follower = follower
        self._writer = writer
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
            "From the request's head to the end of its answer.",
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
        self._all: tuple[Metric, ...] = (
            self.predictions,
            self.errors,
            self.latency,
            self.requests,
            self.refusals,
            self.flaws,
            *self._readings(),
        )

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

    def _readings(self) -> tuple[Metric, ...]:
        """Return the metrics that are read when somebody asks."""
        writer, follower = self._writer, self._follower
        return (
            Reading(
                "setpoint_deployment_generation",
                "Generation of the deployment document in force; 0 before the first.",
                lambda: {(): float(follower.generation)},
            ),
            Reading(
                "setpoint_deployment_refused",
                "1 while the newest deployment document is refused.",
                lambda: {(): float(bool(follower.refused))},
            ),
            Reading(
                "setpoint_version_weight",
                "Share of traffic of each prepared version.",
                self._weights,
                ("model", "version", "variant"),
            ),
            Reading(
                "setpoint_log_pending",
                "Answers that wait to be written to the log.",
                lambda: {(): float(writer.pending)},
                across="sum",
            ),
            Reading(
                "setpoint_log_written",
                "Answers that are in the log.",
                lambda: {(): float(writer.written)},
                kind="counter",
            ),
            Reading(
                "setpoint_log_failures",
                "Transactions of the log that failed.",
                lambda: {(): float(writer.failures)},
                kind="counter",
            ),
            Reading(
                "setpoint_log_lost",
                "Answers that were given but could not be written to the log.",
                lambda: {(): float(writer.lost)},
                kind="counter",
            ),
        )

    def _weights(self) -> dict[Labels, float]:
        """Return the share of traffic of each prepared version."""
        serving = self._follower.serving
        if serving is None:
            return {}
        deployment = serving.deployment
        return {
            (
                deployment.model,
                version.text,
                "champion" if version.number == deployment.champion else "challenger",
            ): deployment.weights.get(version.text, 0.0)
            for version in serving.versions.values()
        }
