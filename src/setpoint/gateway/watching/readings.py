"""Metrics that are read when somebody asks: what is served, what waits, how the log does."""

import platform
from collections.abc import Iterator, Mapping

from setpoint.gateway.follow import Follower
from setpoint.gateway.log_writer import LogWriter
from setpoint.gateway.models.versions import Version
from setpoint.gateway.watching.metrics import Labels, Metric, Reading


def build_metrics(release: str) -> tuple[Metric, ...]:
    """Return what the gateway itself is.

    Args:
        release: Version of setpoint.
    """
    return (
        Reading(
            "setpoint_build_info",
            "1, with the versions of setpoint and Python.",
            lambda: {(release, platform.python_version()): 1.0},
            ("version", "python_version"),
        ),
    )


def deployment_metrics(follower: Follower) -> tuple[Metric, ...]:
    """Return what is served."""
    return (
        Reading(
            "setpoint_deployment_generation",
            "Generation of the deployment document in force, of the worker furthest behind; 0 before the first.",
            lambda: {(): float(follower.generation)},
            across="min",
        ),
        Reading(
            "setpoint_deployment_refused",
            "1 while the newest deployment document is refused.",
            lambda: {(): float(bool(follower.refused))},
        ),
        Reading(
            "setpoint_deployment_unreachable_seconds",
            "Seconds since which the deployment document's URL cannot be asked; 0 while it can.",
            lambda: {(): follower.unreachable_s},
        ),
        Reading(
            "setpoint_deployment_info",
            "1, with what the deployment document in force says of the release and of the log.",
            lambda: _deployment(follower),
            ("model", "strategy", "contract", "log"),
        ),
        Reading(
            "setpoint_versions_refused",
            "Versions of the newest deployment document that cannot be served.",
            lambda: {(): float(len(follower.failures))},
        ),
        Reading(
            "setpoint_model_info",
            "1 for each loaded version, with what it is.",
            lambda: {
                (
                    model,
                    version.text,
                    variant,
                    version.artifact,
                    version.schema.document.contract,
                    version.runtime,
                    version.schema.document.task,
                ): 1.0
                for model, version, variant in _served(follower)
            },
            ("model", "version", "variant", "artifact", "contract", "runtime", "task"),
        ),
        Reading(
            "setpoint_version_weight",
            "Share of traffic of each loaded version.",
            lambda: _weights(follower),
            ("model", "version", "variant"),
        ),
        Reading(
            "setpoint_rows_waiting",
            "Rows that wait for a model.",
            lambda: {
                (model, version.text): float(version.batcher.waiting_rows)
                for model, version, _ in _served(follower)
            },
            ("model", "version"),
            across="sum",
        ),
    )


def log_metrics(writer: LogWriter) -> tuple[Metric, ...]:
    """Return how the log does."""
    return (
        Reading(
            "setpoint_log_pending",
            "Answers that wait to be written to the log.",
            lambda: {(): float(writer.pending)},
            across="sum",
        ),
        Reading(
            "setpoint_log_lag_seconds",
            "Age of the oldest answer that waits to be written to the log; 0 where none waits.",
            lambda: {(): writer.oldest_s},
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


def _served(follower: Follower) -> Iterator[tuple[str, Version, str]]:
    """Yield each loaded version with its model's name and the part that it plays."""
    serving = follower.serving
    if serving is None:
        return
    for version in serving.versions.values():
        yield serving.deployment.model, version, serving.variant(version.number)


def _weights(follower: Follower) -> Mapping[Labels, float]:
    weights = follower.serving.deployment.weights if follower.serving is not None else {}
    return {
        (model, version.text, variant): weights.get(version.text, 0.0)
        for model, version, variant in _served(follower)
    }


def _deployment(follower: Follower) -> Mapping[Labels, float]:
    if follower.serving is None:
        return {}
    document = follower.serving.deployment
    return {(document.model, document.strategy, document.contract, document.log): 1.0}
