"""The table of metrics: every metric's name, tasks, direction and arithmetic.

A metric is a function of sums over rows wherever it can be, so that intervals, slices and paired
comparisons need each row only once (`setpoint.stats.paired`). Ranking metrics are not: they have
`evaluate` alone, and `setpoint.stats.delong` for the area under the ROC curve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from setpoint.errors import UndefinedMetricError
from setpoint.stats import classification, regression

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

Task = Literal["binary", "multiclass", "regression"]
Needs = Literal["label", "probability", "value"]
RowStatistics = Callable[["ArrayLike", "ArrayLike", int], "NDArray[np.float64]"]
FromSums = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]
OfRows = Callable[["ArrayLike", "ArrayLike", int], float]

CLASSIFICATION: tuple[Task, ...] = ("binary", "multiclass")


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes:
        name: As contracts write it.
        tasks: Where it is defined.
        higher_is_better: Its direction.
        needs: What the prediction must be: class codes, probabilities, or values.
        row_statistics: (y, prediction, classes) to row statistics (n, k); None for ranking metrics.
        from_sums: Sums of them (..., k) to values (...), NaN where undefined; None likewise.
        of_rows: (y, prediction, classes) to the value, for ranking metrics; else None.
    """

    name: str
    tasks: tuple[Task, ...]
    higher_is_better: bool
    needs: Needs
    row_statistics: RowStatistics | None = None
    from_sums: FromSums | None = None
    of_rows: OfRows | None = None

    def evaluate(self, y: ArrayLike, prediction: ArrayLike, classes: int = 2) -> float:
        """Return the metric on rows.

        Args:
            y: Class codes (1 is positive) or values, shape (n,).
            prediction: What `needs` says: shape (n,), or (n, classes) for probabilities of more than
                two classes.
            classes: Number of classes; without meaning for regression.

        Raises:
            UndefinedMetricError: The rows do not define it.
            TooFewSamplesError: There are no rows.

        Example:
            >>> METRICS["f1"].evaluate([0, 1, 1], [0, 1, 0])
            0.6666666666666666
        """
        if self.of_rows is not None:
            return self.of_rows(y, prediction, classes)
        if self.row_statistics is None or self.from_sums is None:
            raise UndefinedMetricError(f"{self.name} has no arithmetic")
        with np.errstate(divide="ignore", invalid="ignore"):
            rows = self.row_statistics(y, prediction, classes)
            value = float(self.from_sums(rows.sum(axis=0)))
        if not np.isfinite(value):
            raise UndefinedMetricError(
                f"{self.name} is undefined on these {rows.shape[0]} rows: it divides by zero"
            )
        return value


def mean_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean from sums (total, rows), (..., 2) to (...)."""
    return np.asarray(sums[..., 0] / sums[..., 1])


def _of_labels(
    name: str, rows: RowStatistics, from_sums: FromSums, tasks: tuple[Task, ...] = CLASSIFICATION
) -> Metric:
    return Metric(
        name, tasks, higher_is_better=True, needs="label", row_statistics=rows, from_sums=from_sums
    )


def _loss(
    name: str, tasks: tuple[Task, ...], needs: Needs, rows: RowStatistics, from_sums: FromSums
) -> Metric:
    return Metric(
        name, tasks, higher_is_better=False, needs=needs, row_statistics=rows, from_sums=from_sums
    )


def _ranking(name: str, of_rows: OfRows) -> Metric:
    return Metric(name, CLASSIFICATION, higher_is_better=True, needs="probability", of_rows=of_rows)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _of_labels("accuracy", classification.hits, mean_of),
        _of_labels(
            "balanced_accuracy", classification.class_outcomes, classification.balanced_accuracy_of
        ),
        _of_labels(
            "precision", classification.positive_outcomes, classification.precision_of, ("binary",)
        ),
        _of_labels(
            "recall", classification.positive_outcomes, classification.recall_of, ("binary",)
        ),
        _of_labels("f1", classification.positive_outcomes, classification.f1_of, ("binary",)),
        _of_labels(
            "precision_macro", classification.class_outcomes, classification.macro_precision_of
        ),
        _of_labels("recall_macro", classification.class_outcomes, classification.macro_recall_of),
        _of_labels("f1_macro", classification.class_outcomes, classification.macro_f1_of),
        _ranking("roc_auc", classification.roc_auc),
        _ranking("average_precision", classification.average_precision),
        _loss("log_loss", CLASSIFICATION, "probability", classification.log_losses, mean_of),
        _loss(
            "brier",
            CLASSIFICATION,
            "probability",
            classification.squared_errors_of_probability,
            mean_of,
        ),
        Metric(
            "brier_skill",
            CLASSIFICATION,
            higher_is_better=True,
            needs="probability",
            row_statistics=classification.skill_of_probability,
            from_sums=classification.brier_skill_of,
        ),
        _loss("mae", ("regression",), "value", regression.absolute_errors, mean_of),
        _loss("rmse", ("regression",), "value", regression.squared_errors, regression.root_of_mean),
        _loss("mape", ("regression",), "value", regression.relative_errors, mean_of),
        Metric(
            "r2",
            ("regression",),
            higher_is_better=True,
            needs="value",
            row_statistics=regression.explained_squares,
            from_sums=regression.r2_of,
        ),
    )
}
