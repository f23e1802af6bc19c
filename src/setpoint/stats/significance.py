"""Probability that a difference is chance, with an effective number of rows.

Log rows are seldom independent: a window of 336 hourly rows may carry the information of 20. Every
test here takes the effective sizes; see `setpoint.stats.effective_size`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, kolmogorov

from setpoint.errors import TooFewSamplesError
from setpoint.stats.distance import shares

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def ks_p_value(statistic: float, n: float, m: float) -> float:
    """Return the p-value of a two-sample Kolmogorov-Smirnov statistic.

    Args:
        statistic: The largest gap of the distribution functions, in [0, 1].
        n: Effective rows of the reference, above 0.
        m: Effective rows of the window, above 0.

    Returns:
        Probability of a gap at least as large from one distribution. Asymptotic, with Stephens'
        correction for small sizes; conservative where there are ties.

    Example:
        >>> round(ks_p_value(0.0607, 1000, 1000), 2)
        0.05

    References:
        Stephens 1970, Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics
        without extensive tables.
    """
    root = np.sqrt(n * m / (n + m))
    return float(kolmogorov((root + 0.12 + 0.11 / root) * statistic))


def chi_squared_p_value(
    reference: ArrayLike, current: ArrayLike, *, n: float | None = None, m: float | None = None
) -> float:
    """Return the p-value of the chi-squared test that two samples share one distribution.

    Args:
        reference: Counts, shape (cells,).
        current: Counts over the same cells, shape (cells,).
        n: Effective rows of the reference; its rows unless given.
        m: Effective rows of the window; its rows unless given.

    Raises:
        TooFewSamplesError: One side has no rows.

    Returns:
        Probability in [0, 1]; 1 when only one cell is used. Cells expected to hold less than one
        effective row on either side are merged, since the approximation fails there.

    Example:
        >>> round(chi_squared_p_value([50, 50], [60, 40]), 4)
        0.1552
        >>> chi_squared_p_value([50, 50], [60, 40], n=10, m=10) > 0.6
        True

    References:
        Pearson 1900. Rao, Scott 1981, The analysis of categorical data from complex sample surveys
        (division by the design effect).
    """
    p, q = shares(reference), shares(current)
    size_p = float(np.sum(reference)) if n is None else n
    size_q = float(np.sum(current)) if m is None else m
    if size_p <= 0 or size_q <= 0:
        raise TooFewSamplesError("chi-squared", found=0, needed=1)
    pooled = (size_p * p + size_q * q) / (size_p + size_q)
    is_rare = pooled * min(size_p, size_q) < 1
    cell = np.where(is_rare, 0, np.arange(1, p.size + 1)).astype(np.int64)
    p = np.bincount(cell, weights=p).astype(np.float64)
    q = np.bincount(cell, weights=q).astype(np.float64)
    pooled = (size_p * p + size_q * q) / (size_p + size_q)
    used = pooled > 0
    freedom = int(used.sum()) - 1
    if freedom < 1:
        return 1.0
    weight = size_p * size_q / (size_p + size_q)
    statistic = weight * np.sum((p[used] - q[used]) ** 2 / pooled[used])
    return float(chdtrc(freedom, statistic))


def benjamini_hochberg(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjust p-values so that rejecting those <= q keeps the false discovery rate at q.

    Args:
        p_values: Shape (tests,); NaN is a test that could not be made: it stays NaN and is not
            counted among the tests.

    Returns:
        Adjusted p-values, same shape, in [0, 1].

    Example:
        >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).round(3).tolist()
        [0.03, 0.04, 0.04, nan]

    References:
        Benjamini, Hochberg 1995, Controlling the false discovery rate.
    """
    values = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(values.shape, np.nan)
    known = np.flatnonzero(~np.isnan(values))
    order = known[np.argsort(-values[known], kind="stable")]
    rank = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(1.0, np.minimum.accumulate(values[order] * order.size / rank))
    return adjusted
