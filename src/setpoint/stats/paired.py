"""Two models on the same rows: the difference of a metric, with its interval.

Metrics are functions of sums over rows (sufficient statistics), so a resample is a weighted sum and
never a second evaluation of the metric on rows. What is resampled is a *unit*: a row, all rows of an
entity, or a block of neighbouring rows. Units beyond a thousand are first joined at random (rows,
entities) or by length (blocks): the interval's width changes by about 2 %, its cost no longer grows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import ndtr, ndtri

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.stats.block_length import block_length
from setpoint.stats.interval import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

FromSums = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]

MOST_UNITS = 1000
MIN_UNITS = 5
MIN_DEFINED = 0.9  # share of resamples that must have a value
CHUNK = 1000  # resamples at a time


@dataclass(frozen=True)
class Resampling:
    """What counts as one independent piece of evidence, and how often it is drawn.

    Attributes:
        block: Rows in a block of neighbours; 1 for independent rows, None to choose it from the
            rows' own correlation (they are then in time order).
        confidence: Probability that the interval covers the truth, about.
        resamples: How many draws; fewer make the bounds noisier.
        seed: Of the draws.
    """

    block: int | None = 1
    confidence: float = 0.95
    resamples: int = 10_000
    seed: int = 0


DEFAULT = Resampling()


def paired_difference(
    stat_a: ArrayLike,
    stat_b: ArrayLike,
    metric: FromSums,
    how: Resampling = DEFAULT,
    *,
    clusters: ArrayLike | None = None,
) -> Estimate:
    """Return metric(a) - metric(b) over the same rows, with a bootstrap interval.

    Args:
        stat_a: Row statistics of the first model, shape (n, k).
        stat_b: Row statistics of the second model on the same rows, shape (n, k).
        metric: Turns sums of row statistics, shape (..., k), into values, shape (...). It must not
            depend on the number of rows but through the sums.
        how: Blocks, confidence, resamples, seed.
        clusters: Entity of each row, shape (n,): rows of one entity are drawn together. `how.block` is
            then ignored.

    Raises:
        TooFewSamplesError: There are fewer than five units to draw from.
        UndefinedMetricError: The metric has no value on all rows, or on a tenth of the resamples.

    Returns:
        The difference; positive when the first is larger. Where no resample differs, low = high.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> a, b = (np.c_[rng.random(2000) < p, np.ones(2000)] for p in (0.9, 0.8))
        >>> found = paired_difference(a, b, lambda sums: sums[..., 0] / sums[..., 1])
        >>> found.low < 0.1 < found.high and found.low > 0
        True

    References:
        Efron 1987, Better bootstrap confidence intervals (BCa). Politis, Romano 1992, A circular
        block-resampling procedure for stationary data. Field, Welsh 2007 (clusters).
    """
    a, b = np.asarray(stat_a, dtype=np.float64), np.asarray(stat_b, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired statistics must have one shape, got {a.shape} and {b.shape}")
    k = a.shape[1]

    def difference(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(metric(sums[..., :k]) - metric(sums[..., k:]))

    return bootstrap_interval(np.hstack([a, b]), difference, how, clusters=clusters)


def bootstrap_interval(
    stat: ArrayLike,
    metric: FromSums,
    how: Resampling = DEFAULT,
    *,
    clusters: ArrayLike | None = None,
) -> Estimate:
    """Return a metric of sums over rows, with a bootstrap interval.

    Args:
        stat: Row statistics, shape (n, k).
        metric: Turns sums of row statistics, shape (..., k), into values, shape (...).
        how: Blocks, confidence, resamples, seed.
        clusters: Entity of each row, shape (n,), or None.

    Raises:
        TooFewSamplesError: There are fewer than five units to draw from.
        UndefinedMetricError: The metric has no value on all rows, or on a tenth of the resamples.

    Returns:
        The value on all rows, its bounds (bias-corrected and accelerated), and the independent rows
        that they are worth.

    Example:
        >>> hits = np.random.default_rng(2).random(1000) < 0.7
        >>> found = bootstrap_interval(np.c_[hits, np.ones(1000)], lambda s: s[..., 0] / s[..., 1])
        >>> round(found.high - found.low, 2)
        0.06

    References:
        Efron 1987, Better bootstrap confidence intervals.
    """
    rows = np.asarray(stat, dtype=np.float64)
    n = rows.shape[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        if n < MIN_UNITS:
            raise TooFewSamplesError("bootstrap", needed=MIN_UNITS, found=n)
        value = float(metric(rows.sum(axis=0)))
        if not np.isfinite(value):
            raise UndefinedMetricError(f"the metric has no value on these {n} rows")
        influence = np.nan_to_num(value - metric(rows.sum(axis=0) - rows))
        rng = np.random.default_rng(how.seed)
        units, pieces = _units(rows, influence, how, clusters, rng)
        drawn = _draw(units, pieces.shape[0], metric, how.resamples, rng)
        skew = _acceleration(value - metric(rows.sum(axis=0) - pieces))
    drawn = drawn[np.isfinite(drawn)]
    if drawn.size < MIN_DEFINED * how.resamples:
        raise UndefinedMetricError(
            f"the metric has no value on {how.resamples - drawn.size} of {how.resamples} resamples"
            " of the rows: too few of them carry it"
        )
    low, high = _bca(drawn, value, skew, how.confidence)
    spread = float(drawn.var())
    alone = float(np.sum((influence - influence.mean()) ** 2))
    return Estimate(value, low, high, n, min(n, n * alone / spread) if spread > 0 else float(n))


def _units(
    rows: NDArray[np.float64],
    influence: NDArray[np.float64],
    how: Resampling,
    clusters: ArrayLike | None,
    rng: np.random.Generator,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sums of what may be drawn (units, k), and of the disjoint pieces whose number is drawn."""
    n = rows.shape[0]
    if clusters is not None:
        pieces = _join(_sum_by(np.unique(np.asarray(clusters), return_inverse=True)[1], rows), rng)
        return _enough(pieces), pieces
    block = block_length(influence) if how.block is None else how.block
    if block == 1:
        pieces = _join(rows, rng)
        return _enough(pieces), pieces
    block = max(block, -(-n // MOST_UNITS))
    pieces = _sum_by(np.arange(n) * (n // block) // n, rows) if block <= n else rows[:0]
    _enough(pieces)
    # Every row may start a block; the end joins the beginning, so that all rows count alike.
    total = np.cumsum(np.vstack([np.zeros(rows.shape[1]), rows, rows[: block - 1]]), axis=0)
    return (total[block:] - total[:-block]), pieces


def _enough(pieces: NDArray[np.float64]) -> NDArray[np.float64]:
    if pieces.shape[0] < MIN_UNITS:
        raise TooFewSamplesError(
            "bootstrap over blocks or entities", needed=MIN_UNITS, found=pieces.shape[0]
        )
    return pieces


def _join(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    # A random group of rows varies like its rows, so a thousand groups tell the spread as well.
    n = rows.shape[0]
    if n <= MOST_UNITS:
        return rows
    return _sum_by(rng.permutation(n) % MOST_UNITS, rows)


def _sum_by(group: NDArray[Any], rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.bincount(group, weights=column) for column in rows.T], axis=1)


def _draw(
    units: NDArray[np.float64],
    number: int,
    metric: FromSums,
    resamples: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Values of the metric over resamples of `number` units each, shape (resamples,)."""
    values = np.empty(resamples)
    size = units.shape[0]
    for start in range(0, resamples, CHUNK):
        many = min(CHUNK, resamples - start)
        picked = rng.integers(size, size=(many, number), dtype=np.int32)
        if size == number:  # few units: count them, and let the matrix product add up
            picked += (np.arange(many, dtype=np.int32) * size)[:, None]
            weights = np.bincount(picked.ravel(), minlength=many * size).reshape(many, size)
            sums = weights.astype(np.float64) @ units
        else:
            sums = np.stack([column[picked].sum(axis=1) for column in units.T], axis=1)
        values[start : start + many] = metric(sums)
    return values


def _acceleration(influence: NDArray[np.float64]) -> float:
    centered = np.nan_to_num(influence - np.nanmean(influence))
    square = float(np.sum(centered**2))
    return float(np.sum(centered**3)) / (6 * square**1.5) if square > 0 else 0.0


def _bca(
    drawn: NDArray[np.float64], value: float, skew: float, confidence: float
) -> tuple[float, float]:
    if float(np.ptp(drawn)) == 0.0:
        return value, value
    # Ties count half, so that a discrete metric is not taken for a biased one.
    below = (np.mean(drawn < value) + np.mean(drawn <= value)) / 2
    shift = float(ndtri(np.clip(below, 1 / drawn.size, 1 - 1 / drawn.size)))
    z = shift + ndtri(np.array([0.5 - confidence / 2, 0.5 + confidence / 2]))
    low, high = np.quantile(drawn, ndtr(shift + z / np.maximum(1 - skew * z, 1e-3)))
    return float(low), float(high)
