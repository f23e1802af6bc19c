"""The watched metric: which arithmetic it means for a task, and what it needs of answers."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from setpoint.contract.contract import Contract
from setpoint.contract.metrics import MetricName
from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Scores
from setpoint.stats.metrics import METRICS, Metric

_BINARY = 2
_AVERAGED = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Rows:
    """Labelled rows as a metric takes them.

    Args:
        truth: True class codes or values, shape (n,).
        answer: Codes, probabilities (n,) or (n, classes), or values, as the metric needs.
        classes: Number of classes; 2 for regression, where it has no meaning.
        ordered: Neighbours may resemble each other.
    """

    truth: npt.NDArray[Any]
    answer: npt.NDArray[Any]
    classes: int
    ordered: bool

    def part(self, start: int, end: int) -> "Rows":
        """Return the rows from `start` to `end`."""
        return replace(self, truth=self.truth[start:end], answer=self.answer[start:end])


def watched_metric(contract: Contract) -> MetricName:
    """Return the metric that the contract watches.

    Raises:
        ContractError: The contract names none, and no task whose own it would be.
    """
    contract.require_task()
    name = contract.monitor.performance.metric
    if name is None:
        msg = "no metric is watched"
        raise UndefinedMetricError(msg)
    return name


def metric_for(name: MetricName, classes: int) -> Metric:
    """Return the metric that `name` means with this number of classes; 0 is regression.

    Raises:
        UndefinedMetricError: It is not defined for the task, or not among those that can be watched.
    """
    full: str = name
    if name in _AVERAGED and classes != _BINARY:
        full = f"{name}_macro"
    metric = METRICS.get(full)
    if metric is None:
        raise UndefinedMetricError(f"{name} is not among the metrics that can be watched")
    task = "regression" if classes == 0 else "binary" if classes == _BINARY else "multiclass"
    if task not in metric.tasks:
        raise UndefinedMetricError(f"{name} is not defined for a {task} model")
    if metric.from_sums is not None and metric.needs == "label":
        return replace(metric, from_sums=_zero_where_undefined(metric))
    return metric


def labelled_rows(
    metric: Metric,
    classes: tuple[str, ...],
    scores: Scores,
    truth: npt.NDArray[Any],
    *,
    ordered: bool,
) -> Rows:
    """Return the rows that have both a truth and an answer.

    Raises:
        UndefinedMetricError: The metric needs probabilities and there are none, truths are not class codes, or the
            answers are not as many as the truths.
    """
    answer = {"label": scores.label, "probability": scores.probability, "value": scores.value}[
        metric.needs
    ]
    if metric.needs == "probability" and (answer.ndim < _BINARY or answer.shape[1] == 0):
        raise UndefinedMetricError(f"{metric.name} needs probabilities, and the answers have none")
    if len(answer) != len(truth):
        raise UndefinedMetricError(f"{len(truth)} truths came with {len(answer)} answers")
    number = max(len(classes), _BINARY)
    right = np.asarray(truth, dtype=np.float64)
    bad = ~np.isfinite(right)
    if classes:
        bad |= (right < 0) | (right >= len(classes)) | (right != np.floor(right))
    if metric.needs != "label":
        bad |= ~np.isfinite(answer).all(axis=tuple(range(1, answer.ndim)))
    if bad.any():
        raise UndefinedMetricError(
            f"{int(bad.sum())} of {bad.size} labelled rows have a truth or an answer that is no "
            f"{'class or probability' if classes else 'finite number'}"
        )
    codes = right.astype(np.int64) if classes else right
    if metric.needs == "probability" and number == _BINARY:
        answer = answer[:, -1]
    return Rows(codes, answer, number, ordered)


def _zero_where_undefined(metric: Metric) -> Any:
    from_sums = metric.from_sums
    return lambda sums: np.nan_to_num(from_sums(sums), nan=0.0) if from_sums else sums
