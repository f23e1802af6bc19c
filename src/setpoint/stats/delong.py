"""ROC AUC with its variance, and the difference of two models' AUC on the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, logit, ndtri, stdtrit

from setpoint.errors import TooFewSamplesError
from setpoint.stats.classification import midranks, require_both_classes
from setpoint.stats.interval import Estimate, wilson_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MIN_BLOCKS = 5


def auc_interval(
    y: ArrayLike,
    score: ArrayLike,
    *,
    confidence: float = 0.95,
    block: int = 1,
    clusters: ArrayLike | None = None,
) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval on the logit scale.

    Args:
        y: 1 for positive rows, 0 for the others, shape (n,).
        score: Higher for likelier positives, shape (n,).
        confidence: Probability of covering the true area, about.
        block: Rows in a block of neighbours that are not independent (rows are in time order).
        clusters: Entity of each row, shape (n,), instead of blocks.

    Raises:
        UndefinedMetricError: Only one class is present.
        TooFewSamplesError: There are fewer than five blocks or entities.

    Returns:
        The area. Where it is 0 or 1, its variance is not known from the rows, and the bounds are
        Wilson's for as many rows as the rarer class has.

    Example:
        >>> found = auc_interval([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
        >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
        (0.75, 0.07, 0.99)

    References:
        DeLong, DeLong, Clarke-Pearson 1988. Sun, Xu 2014, Fast implementation of DeLong's algorithm
        (by ranks). Obuchowski 1997, Nonparametric analysis of clustered ROC curve data (sums of
        placement values).
    """
    truth = require_both_classes(y)
    area, influence = auc_influence(truth, np.asarray(score, dtype=np.float64))
    n = truth.size
    variance, freedom = _variance_of_sum(influence, truth, block, clusters)
    alone, _ = _variance_of_sum(influence, truth, 1, None)
    worth = min(float(n), n * alone / variance) if variance > 0 else float(n)
    if area in (0.0, 1.0) or variance == 0:
        rarer = float(min(truth.sum(), n - truth.sum()))
        low, high = wilson_interval(area * rarer, rarer, confidence=confidence)
        return Estimate(area, low, high, n, worth)
    quantile = _quantile(confidence, freedom)
    half = quantile * float(np.sqrt(variance)) / (area * (1 - area))
    low, high = expit(logit(area) + np.array([-half, half]))
    return Estimate(area, float(low), float(high), n, worth)


def paired_auc_difference(
    y: ArrayLike,
    scores: tuple[ArrayLike, ArrayLike],
    *,
    confidence: float = 0.95,
    block: int = 1,
    clusters: ArrayLike | None = None,
) -> Estimate:
    """Return the first model's AUC minus the second's on the same rows, with DeLong's interval.

    Args:
        y: 1 for positive rows, 0 for the others, shape (n,).
        scores: The two models' scores, each of shape (n,).
        confidence: Probability of covering the true difference, about.
        block: Rows in a block of neighbours that are not independent (rows are in time order).
        clusters: Entity of each row, shape (n,), instead of blocks.

    Raises:
        UndefinedMetricError: Only one class is present.
        TooFewSamplesError: There are fewer than five blocks or entities.

    Returns:
        The difference with its bounds; both 0 wide for equal rankings.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> y = rng.integers(0, 2, 1000)
        >>> found = paired_auc_difference(y, (y + rng.normal(size=1000), rng.normal(size=1000)))
        >>> found.low > 0.1
        True

    References:
        As `auc_interval`.
    """
    truth = require_both_classes(y)
    first, second = (auc_influence(truth, np.asarray(s, dtype=np.float64)) for s in scores)
    influence = first[1] - second[1]
    variance, freedom = _variance_of_sum(influence, truth, block, clusters)
    alone, _ = _variance_of_sum(influence, truth, 1, None)
    n, difference = truth.size, first[0] - second[0]
    half = _quantile(confidence, freedom) * float(np.sqrt(variance))
    worth = min(float(n), n * alone / variance) if variance > 0 else float(n)
    return Estimate(difference, difference - half, difference + half, n, worth)


def auc_influence(
    truth: NDArray[np.bool_], score: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Return the area and each row's share in its error, in O(n log n).

    Args:
        truth: Whether a row is positive, shape (n,); both classes are present.
        score: Shape (n,).

    Returns:
        The area, and placement values centered and divided by their class's size, shape (n,): their
        sum over a fresh sample is about the error of its area.
    """
    positives = int(truth.sum())
    negatives = truth.size - positives
    among_all = midranks(score)
    placement = np.empty(truth.size)
    placement[truth] = (among_all[truth] - midranks(score[truth])) / negatives
    placement[~truth] = 1 - (among_all[~truth] - midranks(score[~truth])) / positives
    area = float(placement[truth].mean())
    return area, (placement - area) / np.where(truth, positives, negatives)


def _variance_of_sum(
    influence: NDArray[np.float64],
    truth: NDArray[np.bool_],
    block: int,
    clusters: ArrayLike | None,
) -> tuple[float, float]:
    """Variance of the sum of influences, and its degrees of freedom."""
    if clusters is None and block == 1:
        variance = 0.0
        for part in (influence[truth], influence[~truth]):
            variance += float(np.sum(part**2)) * part.size / max(part.size - 1, 1)
        return variance, float("inf")
    if clusters is not None:
        group = np.unique(np.asarray(clusters), return_inverse=True)[1]
    else:
        group = np.arange(influence.size) * max(influence.size // block, 1) // influence.size
    sums = np.bincount(group, weights=influence)
    if sums.size < MIN_BLOCKS:
        raise TooFewSamplesError("AUC over blocks or entities", needed=MIN_BLOCKS, found=sums.size)
    return float(np.sum(sums**2)) * sums.size / (sums.size - 1), sums.size - 1.0


def _quantile(confidence: float, freedom: float) -> float:
    upper = 0.5 + confidence / 2
    return float(ndtri(upper) if np.isinf(freedom) else stdtrit(freedom, upper))
