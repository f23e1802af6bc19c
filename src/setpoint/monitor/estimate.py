"""A metric on a window's labelled rows with its interval, fast enough for every look.

Each row's influence on the metric is found once, from its sums; their spread, over blocks where neighbours resemble
each other, gives the interval. Metrics without sums are evaluated with one block left out at a time.
"""

from itertools import pairwise

import numpy as np
from scipy.special import stdtrit

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.facts.evidence import Floats
from setpoint.monitor.metric import Rows
from setpoint.stats.block_length import block_length
from setpoint.stats.delong import auc_influence
from setpoint.stats.interval import Estimate, wilson_interval
from setpoint.stats.metrics import Metric

MIN_ROWS = 30
"""Fewest labelled rows that a metric is judged by."""

_MIN_BLOCKS = 5
_LEFT_OUT = 30  # blocks that are left out in turn
_BINARY = 2


def estimate(metric: Metric, rows: Rows, *, confidence: float = 0.95) -> Estimate:
    """Return the metric with its interval, never of zero width.

    Args:
        metric: Which one.
        rows: Labelled rows.
        confidence: Probability that the interval covers the truth, about.

    Raises:
        TooFewSamplesError: There are fewer than 30 rows, or fewer than five blocks of neighbours.
        UndefinedMetricError: The rows do not define the metric, as where one class is absent.

    References:
        Efron 1982, The jackknife, the bootstrap and other resampling plans (the infinitesimal jackknife). Kuensch
        1989 (blocks).
    """
    n = len(rows.truth)
    if n < MIN_ROWS:
        raise TooFewSamplesError(metric.name, needed=MIN_ROWS, found=n)
    value = metric.evaluate(rows.truth, rows.answer, rows.classes)
    shares = influence(metric, rows)
    if shares is None:
        return _leaving_out(metric, rows, value, confidence)
    block = block_length(shares) if rows.ordered else 1
    pieces = n // block
    if pieces < _MIN_BLOCKS:
        raise TooFewSamplesError(metric.name, needed=_MIN_BLOCKS * block, found=n)
    sums = np.add.reduceat(shares, np.arange(pieces) * n // pieces)
    variance = float(sums @ sums) * pieces / (pieces - 1)
    return _bounds(value, variance, pieces - 1, n, shares, confidence, metric)


def influence(metric: Metric, rows: Rows) -> Floats | None:
    """Return how much each row moves the metric, shape (n,), which sums to 0; None where rows must be evaluated.

    The metric of other rows differs from this one by about the sum of their influences.
    """
    if metric.name == "roc_auc" and rows.classes == _BINARY:
        truth = rows.truth == 1
        if not 0 < truth.sum() < truth.size:
            raise UndefinedMetricError("roc_auc is undefined where only one class is present")
        return auc_influence(truth, np.asarray(rows.answer, dtype=np.float64))[1]
    if metric.row_statistics is None or metric.from_sums is None:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        stat = metric.row_statistics(rows.truth, rows.answer, rows.classes)
        total = stat.sum(axis=0)
        moved = metric.from_sums(total) - metric.from_sums(total - stat)
    moved = np.nan_to_num(moved, nan=0.0, posinf=0.0, neginf=0.0)
    centered: Floats = moved - moved.mean()
    return centered


def _bounds(
    value: float,
    variance: float,
    freedom: int,
    n: int,
    shares: Floats,
    confidence: float,
    metric: Metric,
) -> Estimate:
    alone = float(shares @ shares)
    worth = min(float(n), n * alone / variance) if variance > 0 else float(n)
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * float(np.sqrt(variance))
    if (
        half == 0.0
    ):  # no row differs, as where all are right: as sure as that many rows can make one
        unit = abs(value) if metric.needs == "value" else 1.0
        half = wilson_interval(0, n, confidence=confidence)[1] * (unit or 1.0)
    return Estimate(value, value - half, value + half, n, worth)


def _leaving_out(metric: Metric, rows: Rows, value: float, confidence: float) -> Estimate:
    n = len(rows.truth)
    pieces = min(_LEFT_OUT, n // _MIN_BLOCKS)
    edges = np.arange(pieces + 1) * n // pieces
    without = []
    for start, end in pairwise(edges):
        kept = np.r_[0:start, end:n]
        without.append(metric.evaluate(rows.truth[kept], rows.answer[kept], rows.classes))
    pseudo = np.array(without)
    variance = (pieces - 1) / pieces * float(np.sum((pseudo - pseudo.mean()) ** 2))
    half = float(stdtrit(pieces - 1, 0.5 + confidence / 2)) * float(np.sqrt(variance))
    half = half or wilson_interval(0, n, confidence=confidence)[1]
    return Estimate(value, value - half, value + half, n, float(n))
