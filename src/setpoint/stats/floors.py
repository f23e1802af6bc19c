"""Judging a total variation distance: its natural floor and its interval.

The distance between two samples of one distribution is not 0: it is about .057 for 500 independent
rows over deciles, and far more for rows that resemble their neighbours. So a window is held against
the distances of the reference's own windows, and by the bounds of its distance, not by its value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaincinv, ndtr, ndtri, stdtrit

from setpoint.stats.distance import shares
from setpoint.stats.effective_size import MIN_WINDOWS, design_effect_from_windows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEPS = 30  # halvings: a distance is found to within 1e-9
TINY = 1e-12  # a distance below this is rounding


@dataclass(frozen=True)
class Floor:
    """The distance that windows of a reference show by nature.

    Attributes:
        value: The floor, in [0, 1].
        windows: Number of the reference's own windows behind it.
        from_windows: False where there were fewer than eight, and the bound for rows that differ by
            chance alone was taken; a signal judged by it says so.
    """

    value: float
    windows: int
    from_windows: bool


@dataclass(frozen=True)
class DistanceInterval:
    """A total variation distance with what it may be in truth; arrays of one shape.

    Attributes:
        value: The distance of the samples; biased upward.
        corrected: The distance whose expected sample value is `value`; 0 when chance explains all.
        low: Lower bound of the true distance.
        high: Upper bound of the true distance.
    """

    value: NDArray[np.float64]
    corrected: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def tvd_floor(
    windows: ArrayLike,
    *,
    design_effect: float = 1.0,
    length: int | None = None,
    reference: ArrayLike | None = None,
    quantile: float = 0.95,
) -> Floor:
    """Return the distance that the reference's own windows stay under 95 times in 100.

    Each window is held against the rest of the reference, as a new window would be.

    Args:
        windows: Counts of the reference's own windows, shape (windows, cells).
        design_effect: For the bound by chance: rows per effective row, at least 1.
        length: Rows of a window; that of `windows` unless given. Needed when there are none.
        reference: Counts of the whole reference, shape (cells,); the sum of `windows` unless given.
        quantile: Share of own windows at or under the floor.

    Returns:
        The floor: the empirical quantile, or, where it is larger, that of a gamma law with the
        distances' mean and their variance widened as for a prediction, since the top of a few windows
        is noise. With fewer than eight windows it
        is `chance_floor`.

    Example:
        >>> floor = tvd_floor([[60, 40], [40, 60]] * 5)
        >>> round(floor.value, 3), floor.windows, floor.from_windows
        (0.111, 10, True)
    """
    counts = np.asarray(windows, dtype=np.float64)
    whole = counts.sum(axis=0) if reference is None else np.asarray(reference, dtype=np.float64)
    if counts.shape[0] < MIN_WINDOWS:
        rows = float(counts[0].sum()) if length is None else float(length)
        bound = chance_floor(
            whole,
            rows / design_effect,
            reference_rows=whole.sum() / design_effect,
            quantile=quantile,
        )
        return Floor(bound, counts.shape[0], from_windows=False)
    apart = own_distances(counts, whole)
    # Few windows know their spread badly: a bound for one more window, not for those seen.
    number = counts.shape[0]
    caution = float(stdtrit(number - 1, quantile) / ndtri(quantile)) * np.sqrt(1 + 1 / number)
    deviation = float(apart.std(ddof=1)) * caution
    value = max(
        float(np.quantile(apart, quantile, method="higher")),
        min(1.0, _gamma_quantile(float(apart.mean()), deviation, quantile)),
    )
    return Floor(value, counts.shape[0], from_windows=True)


def own_distances(windows: ArrayLike, reference: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the distance of each window to the rest of its reference, shape (windows,).

    Args:
        windows: Counts, shape (windows, cells), at least two windows.
        reference: Counts of the whole reference, shape (cells,); the sum of `windows` unless given.
    """
    counts = np.asarray(windows, dtype=np.float64)
    whole = counts.sum(axis=0) if reference is None else np.asarray(reference, dtype=np.float64)
    return np.asarray(0.5 * np.abs(shares(counts) - shares(whole - counts)).sum(axis=1))


def distance_design_effect(windows: ArrayLike) -> float:
    """Return how many rows of a window are worth one, as far as its distance goes.

    The largest of three: how much the shares of the reference's own windows vary, how large their
    distances are, and how much these vary, each over the same for independent rows. In an
    autocorrelated column the slow part (its level) makes the distances vary far more than the average
    cell does, so that the first alone gives bounds that are too narrow.

    Args:
        windows: Counts of the reference's own windows, equally long, shape (windows, cells). Windows of
            a sixteenth of the reference serve where longer ones would be too few.

    Raises:
        TooFewSamplesError: There are fewer than eight windows.

    Returns:
        Rows per effective row, at least 1.

    Example:
        >>> rows = np.random.default_rng(1).multinomial(100, [0.25] * 4, size=20)
        >>> round(distance_design_effect(rows), 1)
        1.0
    """
    counts = np.asarray(windows, dtype=np.float64)
    by_shares = design_effect_from_windows(counts)
    length, number = counts[0].sum(), counts.shape[0]
    apart = own_distances(counts)
    p = shares(counts.sum(axis=0))
    over_n, over_m = np.asarray(1 / length), np.asarray(1 / (length * (number - 1)))
    mean, deviation = _folded_moments(np.zeros_like(p), p, p, over_n, over_m)
    if mean == 0:
        return by_shares
    by_mean = float(apart.mean() / mean) ** 2
    by_spread = float(apart.std(ddof=1) / deviation) ** 2
    return max(by_shares, by_mean, by_spread)


def chance_floor(
    reference: ArrayLike,
    rows: float,
    *,
    reference_rows: float | None = None,
    quantile: float = 0.95,
) -> float:
    """Return the quantile of the distance between two samples of one distribution.

    Args:
        reference: Counts or shares of the distribution, shape (cells,).
        rows: Effective rows of the window, above 0.
        reference_rows: Effective rows of the reference; endless unless given.
        quantile: Probability of staying at or under the result.

    Returns:
        The distance, in [0, 1], by a gamma law with the mean and variance of a sum of folded normals.

    Example:
        >>> round(chance_floor([1000] * 10, 500, reference_rows=10_000), 2)
        0.08
    """
    p = shares(reference)
    n = np.asarray(rows, dtype=np.float64)
    m = np.asarray(np.inf if reference_rows is None else reference_rows, dtype=np.float64)
    mean, deviation = _folded_moments(np.zeros_like(p), p, p, 1 / n, 1 / m)
    return min(1.0, _gamma_quantile(float(mean), float(deviation), quantile))


def tvd_interval(
    reference: ArrayLike,
    current: ArrayLike,
    *,
    rows: ArrayLike,
    reference_rows: ArrayLike,
    confidence: float = 0.95,
) -> DistanceInterval:
    """Bound the true total variation distance behind two samples.

    The observed differences of shares are scaled until the expected distance of the samples is as far
    from the observed one as the confidence allows; the scaled distance is the bound. So a difference
    that chance explains has the lower bound 0, and the bias of the distance is taken out of both.
    Columns of different numbers of cells go in one call when padded with cells of count 0.

    Args:
        reference: Counts, shape (..., cells).
        current: Counts over the same cells, shape (..., cells).
        rows: Effective rows of `current`, shape (...) or a number, above 0.
        reference_rows: Effective rows of `reference`, shape (...) or a number, above 0.
        confidence: Probability that both bounds hold.

    Returns:
        The distance and its bounds, each of shape (...).

    Example:
        >>> found = tvd_interval([500, 500], [70, 30], rows=100, reference_rows=1000)
        >>> [round(float(x), 2) for x in (found.value, found.low, found.high)]
        [0.2, 0.11, 0.3]

    References:
        Folded moments: Leone, Nelson, Nottingham 1961, The folded normal distribution. Covariance of
        functions of normals by Hermite expansion: Mehler 1866.
    """
    p, q = np.broadcast_arrays(shares(reference), shares(current))
    value = np.asarray(0.5 * np.abs(q - p).sum(axis=-1))
    # One row of scales for each of: the corrected value, the lower bound, the upper bound.
    z = float(ndtri(0.5 + confidence / 2)) * np.array([0.0, 1.0, -1.0])
    z = z.reshape(3, *([1] * value.ndim))
    over_n = 1 / np.broadcast_to(np.asarray(rows, dtype=np.float64), value.shape)
    over_m = 1 / np.broadcast_to(np.asarray(reference_rows, dtype=np.float64), value.shape)
    # One pseudo-row of the reference: a window that fills a single cell still varies.
    share = over_n[..., None] / (1 + over_n[..., None])
    varied = (1 - share) * q + share * p
    low = np.zeros((3, *value.shape))
    high = np.broadcast_to(1 / np.maximum(value, TINY), low.shape).copy()
    for _ in range(STEPS):
        scale = (low + high) / 2
        mean, deviation = _folded_moments(scale[..., None] * (q - p), p, varied, over_n, over_m)
        is_under = mean + z * deviation < value
        low, high = np.where(is_under, scale, low), np.where(is_under, high, scale)
    # A scale that never rose: chance alone already gives this distance.
    bounds = np.where(low > 0, np.minimum(scale * value, 1.0), 0.0)
    is_none = value < TINY
    bounds[:, is_none] = 0.0
    bounds[2, is_none] = _rule_of_three(over_n, confidence)[is_none]
    return DistanceInterval(value=value, corrected=bounds[0], low=bounds[1], high=bounds[2])


def _gamma_quantile(mean: float, deviation: float, quantile: float) -> float:
    if deviation == 0:
        return mean
    shape = (mean / deviation) ** 2
    return float(gammaincinv(shape, quantile) * mean / shape)


def _rule_of_three(over_n: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    # No difference at all was seen; the largest share that n rows miss with this probability.
    return np.asarray(-np.expm1(np.log(1 - confidence) * over_n))


def _folded_moments(
    gap: NDArray[np.float64],
    p: NDArray[np.float64],
    q: NDArray[np.float64],
    over_n: NDArray[np.float64],
    over_m: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and deviation of half the sum of |gap + noise|, the noise of two multinomial samples.

    Shapes: `gap` (..., cells), `p` and `q` (..., cells), `over_n` and `over_m` (...).
    """
    n, m = over_n[..., None], over_m[..., None]
    sigma = np.sqrt(q * (1 - q) * n + p * (1 - p) * m)
    safe = np.where(sigma > 0, sigma, 1.0)
    ratio = np.where(sigma > 0, gap / safe, np.sign(gap) * 40.0)
    density = np.exp(-0.5 * ratio**2) / np.sqrt(2 * np.pi)
    slope = 2 * ndtr(ratio) - 1
    folded = 2 * sigma * density + gap * slope
    variance = np.maximum(gap**2 + sigma**2 - folded**2, 0.0).sum(axis=-1)
    # The cells' covariance is -(q q' / n + p p' / m); the |.| of normals with covariance c and
    # coefficients a1, a2 covary by a1 a1' c + a2 a2' c^2 / 2 + ... Sums over pairs of cells factor.
    first = _pairs(slope * q) * over_n + _pairs(slope * p) * over_m
    bend = 2 * density / safe * (sigma > 0)
    second = (
        _pairs(bend * q**2) * over_n**2
        + 2 * _pairs(bend * q * p) * over_n * over_m
        + _pairs(bend * p**2) * over_m**2
    )
    variance = np.maximum(variance - first + second / 2, 0.0)
    return np.asarray(0.5 * folded.sum(axis=-1)), np.asarray(0.5 * np.sqrt(variance))


def _pairs(values: NDArray[np.float64]) -> NDArray[np.float64]:
    # Sum over all ordered pairs of different cells of the product.
    return np.asarray(values.sum(axis=-1) ** 2 - np.sum(values**2, axis=-1))
