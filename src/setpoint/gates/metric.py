"""A metric as gates name it, on the rows of the evidence: its value, and what intervals need of each row."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from setpoint.contract.metrics import Average, MetricName, Task
from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.facts.evidence import Bools, Evidence, Floats, Scores
from setpoint.stats.classification import class_outcomes
from setpoint.stats.metrics import METRICS, Metric

MIN_ROWS = 30
"""Fewest rows, and for two classes fewest rows of each, that a metric is judged by."""

_BINARY = 2
_AVERAGED = ("precision", "recall", "f1")


@dataclass(frozen=True)
class Asked:
    """Which metric a gate asks for.

    Args:
        name: As contracts write it.
        average: How per-class values are averaged; None for the task's own way.
        threshold: A binary answer is positive at this probability or above; None for the answers as given.
    """

    name: MetricName
    average: Average | None = None
    threshold: float | None = None


def metric_for(asked: Asked, evidence: Evidence) -> Metric:
    """Return the metric that `asked` means for the evidence's task.

    Raises:
        UndefinedMetricError: The metric is not defined for the task.
    """
    metric = _named(asked, len(evidence.classes))
    if (task := task_of(evidence)) not in metric.tasks:
        raise UndefinedMetricError(f"{asked.name} is not defined for a {task} model")
    return metric


def prediction(metric: Metric, asked: Asked, scores: Scores) -> Floats | npt.NDArray[np.int64]:
    """Return what `metric` needs of a model's answers: labels, probabilities or values.

    Raises:
        UndefinedMetricError: The model gives no probabilities, or an answer is missing or infinite.
    """
    if metric.needs == "value":
        return _finite(scores.value, "a predicted value")
    if metric.needs == "probability":
        if scores.probability.shape[1] == 0:
            raise UndefinedMetricError(
                f"{asked.name} needs probabilities, and the model gives none"
            )
        return _finite(scores.probability, "a probability")
    return labels(scores, asked.threshold)


def labels(scores: Scores, threshold: float | None) -> npt.NDArray[np.int64]:
    """Return class codes, cut at `threshold` where one is given and the model has two classes."""
    if threshold is None or scores.probability.shape[1] != _BINARY:
        return scores.label
    return (scores.probability[:, 1] >= threshold).astype(np.int64)


def truth(metric: Metric, evidence: Evidence) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
    """Return the true codes or values that `metric` compares with."""
    return evidence.truth_value if metric.needs == "value" else evidence.truth_label


def rows_of(scores: Scores, rows: Bools) -> Scores:
    """Return the answers for the rows where `rows` is true."""
    return Scores(
        label=scores.label[rows] if scores.label.size else scores.label,
        probability=scores.probability[rows] if scores.probability.size else scores.probability,
        value=scores.value[rows] if scores.value.size else scores.value,
    )


def require_rows(evidence: Evidence, rows: Bools, what: str) -> None:
    """Check that there are enough rows to judge by: 30, and 30 of each class where there are two.

    Raises:
        TooFewSamplesError: There are fewer.
    """
    found = int(rows.sum())
    if found < MIN_ROWS:
        raise TooFewSamplesError(what, needed=MIN_ROWS, found=found)
    if len(evidence.classes) == _BINARY:
        counts = np.bincount(evidence.truth_label[rows], minlength=_BINARY)
        rarest = int(counts.argmin())
        if counts[rarest] < MIN_ROWS:
            name = f"{what}, of class {evidence.classes[rarest]!r},"
            raise TooFewSamplesError(name, needed=MIN_ROWS, found=int(counts[rarest]))


def zero_where_undefined(metric: Metric) -> Metric:
    """Return the metric with 0 for what it leaves undefined, such as the precision of no positive answer."""
    from_sums = metric.from_sums
    if from_sums is None or metric.needs != "label":
        return metric
    return replace(metric, from_sums=lambda sums: np.nan_to_num(from_sums(sums), nan=0.0))


def task_of(evidence: Evidence) -> Task:
    """Return the task that the evidence is of: no classes are a regression, two are binary."""
    if not evidence.classes:
        return "regression"
    return "binary" if len(evidence.classes) == _BINARY else "multiclass"


def _finite(answers: Floats, what: str) -> Floats:
    if bad := int(np.count_nonzero(~np.isfinite(answers))):
        raise UndefinedMetricError(
            f"{what} is missing or infinite in {bad} of {answers.size} answers"
        )
    return answers


def _named(asked: Asked, classes: int) -> Metric:
    name: str = asked.name
    if name in _AVERAGED:
        average = asked.average or ("binary" if classes == _BINARY else "macro")
        if average == "micro":
            name = "accuracy"  # every row has one label, so all three are the share of right ones
        elif average != "binary":
            name = f"{name}_{average}"
    found = METRICS.get(name) or _OWN.get(name)
    if found is None:
        raise UndefinedMetricError(f"{asked.name} is not among the metrics that gates can judge")
    return found


def _over_classes(
    of_class: Callable[[Floats, Floats, Floats], Floats],
) -> Callable[[Floats], Floats]:
    def weighted(sums: Floats) -> Floats:
        hit, false, missed = np.split(sums, 3, axis=-1)
        present = hit + missed
        total = present.sum(axis=-1)
        return np.asarray((of_class(hit, false, missed) * present).sum(axis=-1) / total)

    return weighted


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.asarray(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0))


def _mcc(sums: Floats) -> Floats:
    hit, false, missed = np.split(sums, 3, axis=-1)
    guessed, present = hit + false, hit + missed
    n = present.sum(axis=-1)
    part = hit.sum(axis=-1) * n - (guessed * present).sum(axis=-1)
    spread = (n**2 - (guessed**2).sum(axis=-1)) * (n**2 - (present**2).sum(axis=-1))
    # One class alone, among truths or answers, agrees with nothing: 0, as in Chicco and Jurman 2020.
    root = np.sqrt(np.maximum(spread, 0.0))
    return np.asarray(np.divide(part, root, out=np.zeros_like(part), where=root > 0))


def _median_error(y: npt.ArrayLike, value: npt.ArrayLike, _classes: int) -> float:
    return float(np.median(np.abs(np.asarray(y, dtype=np.float64) - np.asarray(value))))


def _of_outcomes(name: str, from_sums: Callable[[Floats], Floats]) -> Metric:
    return Metric(
        name,
        ("binary", "multiclass"),
        higher_is_better=True,
        needs="label",
        row_statistics=class_outcomes,
        from_sums=from_sums,
    )


_OWN: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        _of_outcomes("mcc", _mcc),
        _of_outcomes(
            "precision_weighted", _over_classes(lambda hit, false, _: _ratio(hit, hit + false))
        ),
        _of_outcomes(
            "recall_weighted", _over_classes(lambda hit, _, missed: _ratio(hit, hit + missed))
        ),
        _of_outcomes(
            "f1_weighted",
            _over_classes(lambda hit, false, missed: _ratio(2 * hit, 2 * hit + false + missed)),
        ),
        Metric(
            "median_absolute_error",
            ("regression",),
            higher_is_better=False,
            needs="value",
            of_rows=_median_error,
        ),
    )
}
