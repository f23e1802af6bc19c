"""Intervals of a metric, and of the gain of one model over another on the same rows.

Area under the ROC curve goes through DeLong; metrics that are functions of sums over rows through weights on those
sums; the few others (average precision, median error) by evaluating resampled rows. Rows of one entity are drawn
together, and rows in time order in blocks whose length follows from their own correlation.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.facts.evidence import Evidence, Floats
from setpoint.stats.block_length import block_length
from setpoint.stats.delong import auc_influence, auc_interval, paired_auc_difference
from setpoint.stats.interval import Estimate, wilson_interval
from setpoint.stats.metrics import Metric
from setpoint.stats.paired import Resampling, bootstrap_interval

RESAMPLES = 5_000
SLOW_RESAMPLES = 300  # of metrics that are evaluated row by row; their spread is known to 4 %
MIN_TAIL = 25  # draws beyond a bound; a bound further out is extended from one that has them
MIN_UNITS = 5
MIN_DEFINED = 0.9  # share of resamples that must have a value
_BINARY = 2

OfRows = Callable[[Any, Any, Any], float]


@dataclass(frozen=True)
class Sampling:
    """How the rows came about, and how sure an interval shall be.

    Args:
        confidence: Probability that the interval covers the truth, about.
        seed: Of the resampling.
        ordered: Rows stand in order of time.
        cluster: Entity of each row, shape (n,), or None.
    """

    confidence: float
    seed: int
    ordered: bool = False
    cluster: npt.NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Pair:
    """Two models' predictions for the same rows.

    Args:
        truth: True codes or values, shape (n,).
        first: What the metric needs of the first model.
        second: The same of the second.
        classes: Number of classes; 0 for regression.
    """

    truth: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    first: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    second: npt.NDArray[np.float64] | npt.NDArray[np.int64]
    classes: int


@dataclass(frozen=True)
class Gain:
    """How much better the first model is than the second, in the metric's own unit.

    Args:
        gain: Difference of the metric, positive where the first is better.
        required: The gain that is asked for; below 0 where some loss is allowed.
        low: Lower bound of the gain.
        high: Upper bound of the gain.
        second: Value of the metric for the second model.
        n: Rows behind it.
        n_effective: Independent rows that they are worth.
    """

    gain: float
    required: float
    low: float
    high: float
    second: float
    n: int
    n_effective: float


def sampling_of(
    evidence: Evidence, rows: npt.NDArray[np.bool_], *, confidence: float, seed: int
) -> Sampling:
    """Return how the chosen rows of the evidence came about."""
    cluster = None if evidence.cluster is None else evidence.cluster[rows]
    if cluster is not None and np.unique(cluster).size == cluster.size:
        cluster = None  # every entity has one row: nothing goes together
    return Sampling(confidence, seed, evidence.ordered, cluster)


def value_interval(metric: Metric, pair: Pair, how: Sampling) -> Estimate:
    """Return the metric of the first model with its interval, never of zero width.

    Raises:
        MeasurementError: The rows do not define the metric, or are too few.
    """
    if _is_binary_auc(metric, pair):
        truth, score = pair.truth == 1, _score(pair.first)
        block = block_length(auc_influence(truth, score)[1]) if _in_blocks(how) else 1
        return auc_interval(
            truth, score, confidence=how.confidence, block=block, clusters=how.cluster
        )
    if metric.row_statistics is not None and metric.from_sums is not None:
        stat = metric.row_statistics(pair.truth, pair.first, pair.classes)
        found = bootstrap_interval(stat, metric.from_sums, _resampling(how), clusters=how.cluster)
    else:
        found = _by_rows(lambda y, a, _: metric.evaluate(y, a, pair.classes), pair, how)
    if found.low < found.high:
        return found
    # No resample differed, as where all rows are right: as sure as that many rows can make one.
    slack = _unseen(found.n_effective, how) * _unit(pair, found.value)
    return replace(found, low=found.low - slack, high=found.high + slack)


def gain_interval(
    metric: Metric, pair: Pair, how: Sampling, *, relative: float, absolute: float
) -> Gain:
    """Return the gain of the first model over the second, and the gain that is required.

    Required is `relative * |value of the second| + absolute`; where it is relative, the second's value is resampled
    together with the gain.

    Raises:
        MeasurementError: The rows do not define the metric, or are too few.
    """
    sign = 1.0 if metric.higher_is_better else -1.0
    second = metric.evaluate(pair.truth, pair.second, pair.classes)
    required = relative * abs(second) + absolute
    if np.array_equal(pair.first, pair.second):
        n = len(pair.truth)
        slack = _unseen(n, how) * _unit(pair, second)
        return Gain(0.0, required, -slack, slack, second, n, float(n))
    tail = (1 - how.confidence) / 2
    resolved = max(tail, MIN_TAIL / RESAMPLES)
    found = _excess(metric, pair, replace(how, confidence=1 - 2 * resolved), sign, relative)
    stretch = float(ndtri(1 - tail) / ndtri(1 - resolved))
    low = found.value - stretch * (found.value - found.low)
    high = found.value + stretch * (found.high - found.value)
    moved = relative * abs(second)  # bounds are of gain minus this; they are told of the gain
    return Gain(
        gain=found.value + moved,
        required=required,
        low=low + moved,
        high=high + moved,
        second=second,
        n=found.n,
        n_effective=found.n_effective,
    )


def _excess(metric: Metric, pair: Pair, how: Sampling, sign: float, relative: float) -> Estimate:
    """Interval of sign * (first - second) - relative * |second|."""
    if _is_binary_auc(metric, pair):
        # DeLong knows the difference alone; a share of the area varies by that share of its error.
        truth, scores = pair.truth == 1, (_score(pair.first), _score(pair.second))
        influence = auc_influence(truth, scores[0])[1] - auc_influence(truth, scores[1])[1]
        block = block_length(influence) if _in_blocks(how) else 1
        found = paired_auc_difference(
            truth, scores, confidence=how.confidence, block=block, clusters=how.cluster
        )
        moved = relative * metric.evaluate(pair.truth, pair.second, pair.classes)
        return replace(
            found, value=found.value - moved, low=found.low - moved, high=found.high - moved
        )
    if metric.row_statistics is not None and metric.from_sums is not None:
        from_sums = metric.from_sums
        stats = [
            metric.row_statistics(pair.truth, p, pair.classes) for p in (pair.first, pair.second)
        ]
        width = stats[0].shape[1]

        def excess(sums: Floats) -> Floats:
            first, second = from_sums(sums[..., :width]), from_sums(sums[..., width:])
            return np.asarray(sign * (first - second) - relative * np.abs(second))

        return bootstrap_interval(np.hstack(stats), excess, _resampling(how), clusters=how.cluster)

    def excess_of_rows(y: Floats, a: Floats, b: Floats) -> float:
        first, second = (metric.evaluate(y, p, pair.classes) for p in (a, b))
        return sign * (first - second) - relative * abs(second)

    return _by_rows(excess_of_rows, pair, how)


def _by_rows(of_rows: OfRows, pair: Pair, how: Sampling) -> Estimate:
    """Normal interval of a statistic, its spread from evaluating it anew on resampled rows."""
    n = len(pair.truth)
    value = float(of_rows(pair.truth, pair.first, pair.second))
    rng = np.random.default_rng(how.seed)
    groups = _groups(pair, how)
    if len(groups) < MIN_UNITS:
        raise TooFewSamplesError(
            "bootstrap over blocks or entities", needed=MIN_UNITS, found=len(groups)
        )
    drawn = []
    for _ in range(SLOW_RESAMPLES):
        picked = np.concatenate(
            [groups[place] for place in rng.integers(len(groups), size=len(groups))]
        )
        try:
            drawn.append(of_rows(pair.truth[picked], pair.first[picked], pair.second[picked]))
        except UndefinedMetricError:
            continue
    if len(drawn) < MIN_DEFINED * SLOW_RESAMPLES:
        raise UndefinedMetricError(
            "the metric has no value on a tenth of the resamples of these rows"
        )
    deviation = float(np.std(drawn))
    half = float(ndtri(0.5 + how.confidence / 2)) * deviation
    return Estimate(value, value - half, value + half, n, float(len(groups)))


def _groups(pair: Pair, how: Sampling) -> list[npt.NDArray[np.int64]]:
    n = len(pair.truth)
    if how.cluster is not None:
        order = np.argsort(how.cluster, kind="stable")
        starts = np.flatnonzero(np.diff(how.cluster[order])) + 1
        return np.split(order, starts)
    if how.ordered:
        series = pair.truth - pair.first if pair.first.ndim == 1 else pair.truth - pair.first[:, -1]
        return np.array_split(np.arange(n), max(1, n // block_length(series)))
    return np.array_split(np.arange(n), n)


def _resampling(how: Sampling) -> Resampling:
    block = None if _in_blocks(how) else 1
    return Resampling(block, how.confidence, RESAMPLES, how.seed)


def _in_blocks(how: Sampling) -> bool:
    return how.ordered and how.cluster is None


def _unseen(n: float, how: Sampling) -> float:
    """How common something may be that none of n rows shows."""
    return wilson_interval(0, n, confidence=how.confidence)[1]


def _unit(pair: Pair, value: float) -> float:
    return 1.0 if pair.classes else abs(value)


def _is_binary_auc(metric: Metric, pair: Pair) -> bool:
    return metric.name == "roc_auc" and pair.classes == _BINARY


def _score(probability: npt.NDArray[np.float64] | npt.NDArray[np.int64]) -> Floats:
    scores = np.asarray(probability, dtype=np.float64)
    return scores if scores.ndim == 1 else scores[:, 1]
