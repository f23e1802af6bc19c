"""Distances between a reference and a window: how far, never whether it is by chance.

The counted distances take counts or shares over the same cells, shape (..., cells), and work along
the last axis; both sides are normalised here. The sampled ones take raw finite values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from setpoint.errors import TooFewSamplesError, UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def shares(counts: ArrayLike) -> NDArray[np.float64]:
    """Divide counts by their sum along the last axis.

    Args:
        counts: Non-negative, shape (..., cells).

    Raises:
        TooFewSamplesError: One of the sums is 0.

    Returns:
        Shares that add up to 1, same shape.
    """
    values = np.asarray(counts, dtype=np.float64)
    total = values.sum(axis=-1, keepdims=True)
    if not np.all(total > 0):
        raise TooFewSamplesError("share", found=0, needed=1)
    return np.asarray(values / total)


def total_variation(reference: ArrayLike, current: ArrayLike) -> NDArray[np.float64]:
    """Return the total variation distance: the share of rows that would have to change cell.

    Half the sum of |p - q|; 0 for equal shares, 1 for no common cell. Its value between two samples
    of one distribution is above 0: see `setpoint.stats.floors`.

    Args:
        reference: Counts, shape (..., cells).
        current: Counts over the same cells, shape (..., cells).

    Returns:
        Distance in [0, 1], shape (...).

    Example:
        >>> float(total_variation([5, 5, 0], [5, 0, 5]))
        0.5

    References:
        Levin, Peres 2017, Markov Chains and Mixing Times, chapter 4.
    """
    return np.asarray(0.5 * np.abs(shares(reference) - shares(current)).sum(axis=-1))


def l_infinity(reference: ArrayLike, current: ArrayLike) -> NDArray[np.float64]:
    """Return the largest change of any cell's share, in [0, 1], shape (...).

    Args:
        reference: Counts, shape (..., cells).
        current: Counts over the same cells, shape (..., cells).

    Example:
        >>> round(float(l_infinity([2, 2, 2, 0], [2, 2, 2, 1])), 2)
        0.14
    """
    return np.asarray(np.abs(shares(reference) - shares(current)).max(axis=-1))


def psi(reference: ArrayLike, current: ArrayLike, *, epsilon: float = 1e-4) -> NDArray[np.float64]:
    """Return the population stability index: the sum of (q - p) ln(q / p).

    Args:
        reference: Counts, shape (..., cells).
        current: Counts over the same cells, shape (..., cells).
        epsilon: Smallest share of a cell. An empty cell would make the index infinite, so shares
            are raised to this and normalised again; a cell that is empty on both sides adds nothing
            as long as few cells are empty.

    Returns:
        The index in nats, 0 or greater, shape (...).

    Example:
        >>> round(float(psi([50, 50], [60, 40])), 4)
        0.0405

    References:
        Siddiqi 2006, Credit Risk Scorecards. Yurdakul 2018, Statistical Properties of Population
        Stability Index (its sampling distribution; why .1 and .25 are no tests).
    """
    p = shares(np.maximum(shares(reference), epsilon))
    q = shares(np.maximum(shares(current), epsilon))
    return np.asarray(np.sum((q - p) * np.log(q / p), axis=-1))


def jensen_shannon(reference: ArrayLike, current: ArrayLike) -> NDArray[np.float64]:
    """Return the Jensen-Shannon distance with base 2: the root of the divergence, in [0, 1].

    Args:
        reference: Counts, shape (..., cells).
        current: Counts over the same cells, shape (..., cells).

    Returns:
        Distance, shape (...); 0 for equal shares, 1 for no common cell.

    Example:
        >>> float(jensen_shannon([1, 1, 1, 1, 0], [1, 1, 1, 0, 1]))
        0.5

    References:
        Lin 1991, Divergence measures based on the Shannon entropy. Endres, Schindelin 2003.
    """
    p, q = shares(reference), shares(current)
    middle = 0.5 * (p + q)
    divergence = 0.5 * (_relative_entropy(p, middle) + _relative_entropy(q, middle))
    return np.asarray(np.sqrt(np.maximum(divergence, 0.0)))


def ks_binned(reference: ArrayLike, current: ArrayLike) -> NDArray[np.float64]:
    """Return the largest difference of cumulative shares over ordered cells, shape (...).

    It is at most the exact statistic, which looks between the edges too.

    Args:
        reference: Counts over cells in order, shape (..., cells).
        current: Counts over the same cells, shape (..., cells).

    Example:
        >>> float(ks_binned([5, 5], [9, 1]))
        0.4
    """
    gap = np.cumsum(shares(reference) - shares(current), axis=-1)
    return np.asarray(np.abs(gap).max(axis=-1).round(15))


def ks_statistic(reference: ArrayLike, current: ArrayLike) -> float:
    """Return the two-sample Kolmogorov-Smirnov statistic, exact with ties.

    Args:
        reference: Finite values, shape (n,).
        current: Finite values, shape (m,).

    Raises:
        TooFewSamplesError: One side is empty.
        UndefinedMetricError: A value is not finite.

    Returns:
        The largest difference of the two empirical distribution functions, in [0, 1].

    Example:
        >>> ks_statistic([1, 2, 3, 4], [3, 4, 5, 6])
        0.5

    References:
        Smirnov 1948, Table for estimating the goodness of fit of empirical distributions.
    """
    left, right = _sorted_finite("ks", reference), _sorted_finite("ks", current)
    grid = np.concatenate([left, right])
    gap = (
        np.searchsorted(left, grid, side="right") / left.size
        - np.searchsorted(right, grid, side="right") / right.size
    )
    return float(np.abs(gap).max())


def wasserstein(reference: ArrayLike, current: ArrayLike, *, sigma: float | None = None) -> float:
    """Return the first Wasserstein distance in units of the reference's spread.

    Args:
        reference: Finite values, shape (n,).
        current: Finite values, shape (m,).
        sigma: The unit; the reference's standard deviation unless given. Where it is 0 (a constant
            reference) the distance is infinite, or 0 for the same constant.

    Raises:
        TooFewSamplesError: One side is empty.
        UndefinedMetricError: A value is not finite.

    Returns:
        The area between the two distribution functions over `sigma`, 0 or greater.

    Example:
        >>> wasserstein([0, 1, 2], [1, 2, 3], sigma=1.0)
        1.0

    References:
        Vallender 1974, Calculation of the Wasserstein distance between distributions on the line.
    """
    left, right = _sorted_finite("wasserstein", reference), _sorted_finite("wasserstein", current)
    grid = np.sort(np.concatenate([left, right]))
    gap = (
        np.searchsorted(left, grid[:-1], side="right") / left.size
        - np.searchsorted(right, grid[:-1], side="right") / right.size
    )
    return _in_units(
        float(np.abs(gap) @ np.diff(grid)), float(left.std() if sigma is None else sigma)
    )


def wasserstein_binned(
    edges: ArrayLike, reference: ArrayLike, current: ArrayLike, *, sigma: float
) -> float:
    """Return the Wasserstein distance of two histograms, each spread evenly within its bins.

    What lies outside the edges is not here: how far out it is, counts do not say. So with such mass
    the result is the distance of what lies inside.

    Args:
        edges: Bin edges in order, shape (bins + 1,).
        reference: Counts, shape (bins,).
        current: Counts in the same bins, shape (bins,).
        sigma: The unit, 0 or greater.

    Returns:
        The area between the piecewise linear distribution functions over `sigma`, 0 or greater.

    Example:
        >>> wasserstein_binned([0, 1, 2], [1, 0], [0, 1], sigma=1.0)
        1.0
    """
    gap = np.concatenate([[0.0], np.cumsum(shares(reference) - shares(current))])
    left, right = gap[:-1], gap[1:]
    crosses = left * right < 0
    span = np.where(crosses, np.abs(left) + np.abs(right), 1.0)
    # Between two edges the gap is a line: a trapezium, or two triangles where it changes sign.
    area = np.where(crosses, (left**2 + right**2) / (2 * span), np.abs(left + right) / 2)
    return _in_units(float(area @ np.diff(np.asarray(edges, dtype=np.float64))), sigma)


def _in_units(distance: float, sigma: float) -> float:
    if distance == 0:
        return 0.0
    return distance / sigma if sigma > 0 else float("inf")


def _relative_entropy(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    return np.asarray(np.sum(p * np.log2(ratio), axis=-1))


def _sorted_finite(statistic: str, values: ArrayLike) -> NDArray[np.float64]:
    array = np.sort(np.asarray(values, dtype=np.float64))
    if array.size == 0:
        raise TooFewSamplesError(statistic, found=0, needed=1)
    if not np.isfinite(array[[0, -1]]).all():
        raise UndefinedMetricError(f"{statistic} is undefined: a value is missing or infinite")
    return array
