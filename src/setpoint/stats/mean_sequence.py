"""Means under continuous watching.

For a rate use `setpoint.stats.rate_sequence`, which is exact: the asymptotic sequence has no width
before the first event. For values in [0, 1] use `setpoint.stats.betting`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from setpoint.errors import TooFewSamplesError
from setpoint.stats.interval import Estimate

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MIN_VALUES = 100


def mean_sequence_width(
    n: ArrayLike, deviation: ArrayLike, *, alpha: float = 0.05, tightest_at: int = 500
) -> NDArray[np.float64]:
    """Return the half width of an asymptotic confidence sequence of a mean.

    Args:
        n: Values so far, at least 1, any shape.
        deviation: Their standard deviation, same shape.
        alpha: Probability of ever being outside, about.
        tightest_at: Number of values at which the bounds are tightest for their alpha.

    Returns:
        Half widths; they shrink like sqrt(ln(n) / n).

    Example:
        >>> float(mean_sequence_width(500, 1.0).round(3))
        0.136

    References:
        Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, Time-uniform central limit theory and
        asymptotic confidence sequences.
    """
    t = np.asarray(n, dtype=np.float64)
    log = -2 * np.log(alpha)
    rho = (log + np.log(log + 1)) / tightest_at
    scaled = t * rho + 1
    width = np.sqrt(2 * scaled / (t**2 * rho) * np.log(np.sqrt(scaled) / alpha))
    return np.asarray(np.asarray(deviation) * width)


def mean_difference_sequence(
    canary: ArrayLike, stable: ArrayLike, *, alpha: float = 0.05, tightest_at: int = 500
) -> Estimate:
    """Bound the difference of two means, canary minus stable, at any look.

    Args:
        canary: Finite values so far, shape (n,).
        stable: Finite values so far, shape (m,); any size.
        alpha: Probability of the true difference ever being outside, about; half for each arm.
        tightest_at: Values of an arm at which its bounds are tightest.

    Raises:
        TooFewSamplesError: An arm has fewer than a hundred values: too few for a normal law.

    Returns:
        The difference with bounds; `n` is the smaller arm's.

    Example:
        >>> rng = np.random.default_rng(1)
        >>> found = mean_difference_sequence(rng.normal(1, 1, 400), rng.normal(0, 1, 4000))
        >>> found.low > 0.5
        True

    References:
        As `mean_sequence_width`.
    """
    arms = [np.asarray(values, dtype=np.float64) for values in (canary, stable)]
    smaller = min(arm.size for arm in arms)
    if smaller < MIN_VALUES:
        raise TooFewSamplesError(
            "an asymptotic confidence sequence", needed=MIN_VALUES, found=smaller
        )
    half = sum(
        float(
            mean_sequence_width(arm.size, arm.std(ddof=1), alpha=alpha / 2, tightest_at=tightest_at)
        )
        for arm in arms
    )
    difference = float(arms[0].mean() - arms[1].mean())
    return Estimate(difference, difference - half, difference + half, smaller, float(smaller))
