"""Intervals of a proportion and of a mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from setpoint.errors import TooFewSamplesError
from setpoint.stats.effective_size import design_effect, effective_rows

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Estimate:
    """A number with its interval and what it rests on.

    Attributes:
        value: The estimate.
        low: Lower bound.
        high: Upper bound.
        n: Rows behind it.
        n_effective: Independent rows that they are worth, at most `n`.
    """

    value: float
    low: float
    high: float
    n: int
    n_effective: float


def wilson_interval(successes: float, n: float, *, confidence: float = 0.95) -> tuple[float, float]:
    """Return the Wilson score interval of a proportion.

    Args:
        successes: How often it happened, in [0, n]; may be fractional when scaled to effective rows.
        n: Effective rows, above 0.
        confidence: Probability of covering the true proportion, about.

    Raises:
        TooFewSamplesError: `n` is not above 0.

    Returns:
        Lower and upper bound, in [0, 1]; never of zero width.

    Example:
        >>> [round(bound, 3) for bound in wilson_interval(0, 10)]
        [0.0, 0.278]

    References:
        Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    if n <= 0:
        raise TooFewSamplesError("proportion", needed=1, found=0)
    z = float(ndtri(0.5 + confidence / 2))
    share = successes / n
    center = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    low = 0.0 if successes == 0 else max(0.0, center - half)
    high = 1.0 if successes == n else min(1.0, center + half)
    return low, high


def mean_interval(
    values: ArrayLike, *, confidence: float = 0.95, block: int | None = 1
) -> Estimate:
    """Return the mean of values with Student's interval, of blocks where rows resemble neighbours.

    Args:
        values: Finite values, in time order unless `block` is 1; shape (n,).
        confidence: Probability of covering the true mean, about.
        block: Rows in a block: the means of whole blocks are taken as independent. 1 is for
            independent rows; None divides the rows by their design effect instead.

    Raises:
        TooFewSamplesError: There are fewer than two blocks.

    Returns:
        The mean of all values, its bounds, and the rows that they are worth.

    Example:
        >>> found = mean_interval([1.0, 2.0, 3.0, 4.0])
        >>> round(found.low, 2), found.value, round(found.high, 2)
        (0.45, 2.5, 4.55)

    References:
        Student 1908. Non-overlapping batch means: Schmeiser 1982, Batch size effects in the analysis of
        simulation output.
    """
    array = np.asarray(values, dtype=np.float64)
    n = array.size
    width = 1 if block is None else block
    blocks = n // width
    if blocks < 2:  # noqa: PLR2004 - a spread needs two
        raise TooFewSamplesError("interval of a mean", needed=2 * width, found=n)
    means = array[: blocks * width].reshape(blocks, width).mean(axis=1)
    variance = float(means.var(ddof=1)) / (n / width)
    alone = float(array.var(ddof=1)) / n
    freedom = blocks - 1.0
    if block is None:
        worth = effective_rows(n, design_effect(array))
        variance, freedom = alone * n / worth, max(1.0, worth - 1)
    half = float(stdtrit(freedom, 0.5 + confidence / 2)) * float(np.sqrt(variance))
    mean = float(array.mean())
    ratio = alone / variance if variance > 0 else 1.0
    return Estimate(mean, mean - half, mean + half, n, float(min(n, n * ratio)))
