"""The metrics of shadows: what they were given, what they said, and how that compares with what was answered."""

from collections.abc import Callable, Sequence

from setpoint.gateway.shadows.comparing import Compared
from setpoint.gateway.watching.metrics import (
    PREDICTION_BUCKETS_S,
    Counter,
    Histogram,
    Labels,
    Metric,
    Reading,
)

_ARM = ("model", "version")
_CHANCES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
# The target's unit is anybody's guess: 0 apart, then two bounds for each power of ten.
_VALUES = (0.0, *(step * 10.0**power for power in range(-6, 7) for step in (1.0, 3.0)))


class ShadowMetrics:
    """What `/metrics` shows of shadows.

    Args:
        pending: Returns the copies that wait, in rows.
        unlogged: Returns how many answers of shadows could not be logged.
    """

    def __init__(self, pending: Callable[[], int], unlogged: Callable[[], int]) -> None:
        self.rows = Counter("setpoint_shadow_rows", "Rows that a shadow was asked.", _ARM)
        self.errors = Counter(
            "setpoint_shadow_errors",
            "Rows that a shadow gave no answer for: its schema refused them, or its model failed.",
            (*_ARM, "reason"),
        )
        self.dropped = Counter(
            "setpoint_shadow_dropped",
            "Rows meant for a shadow that it was not asked: the queue was full, it left, or the gateway stopped.",
            (*_ARM, "reason"),
        )
        self.compared = Counter(
            "setpoint_shadow_compared", "Rows that both a shadow and production answered.", _ARM
        )
        self.agreed = Counter(
            "setpoint_shadow_agreed", "Those of them with the same class; classes only.", _ARM
        )
        self.chances = Histogram(
            "setpoint_shadow_probability_difference",
            "How far a shadow's probability is from the one that was answered.",
            _ARM,
            _CHANCES,
        )
        self.values = Histogram(
            "setpoint_shadow_value_difference",
            "How far a shadow's value is from the one that was answered, in the target's unit.",
            _ARM,
            _VALUES,
        )
        self.latency = Histogram(
            "setpoint_shadow_latency_seconds",
            "From a copy's turn to the shadow's answer.",
            _ARM,
            PREDICTION_BUCKETS_S,
        )
        self._largest: dict[Labels, float] = {}
        self._readings = (
            Reading(
                "setpoint_shadow_difference_max",
                "The largest of these differences since the gateway started.",
                lambda: dict(self._largest),
                _ARM,
                across="max",
            ),
            Reading(
                "setpoint_shadow_pending",
                "Rows that wait for shadows.",
                lambda: {(): float(pending())},
                across="sum",
            ),
            Reading(
                "setpoint_shadow_unlogged",
                "Answers of shadows that could not be logged.",
                lambda: {(): float(unlogged())},
                kind="counter",
            ),
        )

    def all(self) -> Sequence[Metric]:
        """Return every metric."""
        return (
            self.rows,
            self.errors,
            self.dropped,
            self.compared,
            self.agreed,
            self.chances,
            self.values,
            self.latency,
            *self._readings,
        )

    def compare(self, labels: Labels, rows: int, found: Compared) -> None:
        """Count a comparison of n rows."""
        self.compared.add(labels, rows)
        histogram = self.values
        if found.agreed is not None:
            self.agreed.add(labels, found.agreed)
            histogram = self.chances
        for difference in found.differences:
            histogram.observe(labels, difference)
        if found.differences:
            largest = max(found.differences)
            self._largest[labels] = max(largest, self._largest.get(labels, 0.0))
