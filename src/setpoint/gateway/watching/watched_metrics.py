"""What the loop saw last at production, under the names that dashboards have; read from where the loop leaves it."""

from collections.abc import Callable, Mapping

from setpoint.facts.watched import Watched
from setpoint.gateway.watching.metrics import Labels, Metric, Reading

_ARM = ("model", "version")
_ACCURACY = "performance.accuracy"


def watched_metrics(read: Callable[[], Watched | None]) -> tuple[Metric, ...]:
    """Return the metrics of the last window; without samples where there was none.

    Args:
        read: Returns what the loop saw last.
    """

    def by(
        labelled: Callable[[Watched], Mapping[Labels, float]],
    ) -> Callable[[], dict[Labels, float]]:
        def samples() -> dict[Labels, float]:
            seen = read()
            if seen is None:
                return {}
            arm = (seen.model, str(seen.version))
            return {(*arm, *labels): value for labels, value in labelled(seen).items()}

        return samples

    return (
        Reading(
            "feature_drift_psi",
            "Population stability index of a column in the loop's last window.",
            by(lambda seen: {(column,): value for column, value in seen.psi.items()}),
            (*_ARM, "feature"),
        ),
        Reading(
            "model_accuracy",
            "Accuracy in the loop's last window, where that is the metric that the contract watches.",
            by(lambda seen: {(): seen.values[_ACCURACY]} if _ACCURACY in seen.values else {}),
            _ARM,
        ),
        Reading(
            "setpoint_signal",
            "Value of each signal that was measured in the loop's last window.",
            by(lambda seen: {(name,): value for name, value in seen.values.items()}),
            (*_ARM, "signal"),
        ),
        Reading(
            "setpoint_signal_failing",
            "1 for each signal that surely broke its limit in the loop's last window, else 0.",
            by(
                lambda seen: {
                    (name,): float(name in seen.failing)
                    for name in sorted({*seen.values, *seen.failing})
                }
            ),
            (*_ARM, "signal"),
        ),
        Reading(
            "setpoint_watched_timestamp_seconds",
            "When the loop last looked at a window, in seconds since 1970-01-01 UTC.",
            by(lambda seen: {(): seen.at}),
            _ARM,
        ),
    )
