"""The log of predictions and outcomes."""

from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa

from setpoint.facts.prediction import Outcome, Prediction
from setpoint.facts.release import ArmCounts


class PredictionLog(Protocol):
    """Answers that were given, and outcomes that arrived later."""

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Append answers in one transaction.

        Raises:
            JournalError: The log cannot be written; none was written.
        """

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes and return how many were new; the same again changes nothing.

        Raises:
            DataError: An outcome names a prediction that the log does not hold, or contradicts an earlier one.
        """

    def window(self, start: float, end: float, *, version: int | None = None) -> pa.Table:
        """Return answers in [start, end) with their outcomes so far.

        Columns: `id, at, version, generation, variant, prediction, probability, latency_s, error, outcome, outcome_at`,
        and every feature under its own name prefixed `feature.`.
        """

    def arms(
        self, *, generation: int, slow_s: Sequence[float] = (), scale: float = 1.0
    ) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under `generation` or later, and those slower than `slow_s`.

        The loss of a number is its absolute error over `scale`, cut at 1.
        """

    def span(self) -> tuple[float, float, int]:
        """Return first and last instant and the number of answers; (0, 0, 0) when empty."""
