"""How long the blocks of a block bootstrap should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from setpoint.stats.effective_size import autocorrelation

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

SMALLEST = 10  # with fewer values no correlation can be told from noise


def block_length(series: ArrayLike) -> int:
    """Return the block length that makes the circular block bootstrap's variance most exact.

    Args:
        series: Finite values in time order, such as the paired difference of two models' losses; shape
            (n,).

    Returns:
        Rows in a block, from 1 (no correlation was seen) to min(3 sqrt(n), n / 3).

    Example:
        >>> rng = np.random.default_rng(1)
        >>> block_length(rng.normal(size=1000))
        1
        >>> block_length(np.repeat(rng.normal(size=100), 10)) > 10
        True

    References:
        Politis, White 2004, Automatic block-length selection for the dependent bootstrap, with the
        correction of Patton, Politis, White 2009.
    """
    values = np.asarray(series, dtype=np.float64)
    n = values.size
    if n < SMALLEST or float(np.ptp(values)) == 0.0:
        return 1
    correlation = autocorrelation(values)
    patience = max(5, int(np.ceil(np.sqrt(np.log10(n)))))
    longest = int(np.ceil(np.sqrt(n))) + patience
    bound = 2 * np.sqrt(np.log10(n) / n)
    is_small = np.abs(correlation[1 : longest + patience]) < bound
    # The first lag after which `patience` correlations in a row are noise.
    last = next((lag for lag in range(longest) if is_small[lag : lag + patience].all()), longest)
    if last == 0:
        return 1
    reach = min(2 * last, longest, n - 1)
    lag = np.arange(-reach, reach + 1)
    ratio = np.abs(lag) / reach
    taper = np.where(ratio <= 0.5, 1.0, 2 * (1 - ratio))  # noqa: PLR2004 - the flat half of the lag window
    weighed = taper * correlation[np.abs(lag)]
    bend, level = float(np.sum(weighed * np.abs(lag))), float(np.sum(weighed))
    if level <= 0:
        return 1
    best = (2 * bend**2 / (4 / 3 * level**2)) ** (1 / 3) * n ** (1 / 3)
    return int(max(1, min(np.ceil(best), np.ceil(min(3 * np.sqrt(n), n / 3)))))
