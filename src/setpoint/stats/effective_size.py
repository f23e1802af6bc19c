"""How many independent rows a window is worth.

The design effect is the variance of an average over its variance for independent rows: 1 for
independent rows, 39 for an AR(1) series with coefficient .95. Rows divided by it are effective rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from setpoint.errors import TooFewSamplesError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MIN_WINDOWS = 8  # fewer say nothing about how windows differ
SOKAL = 5.0  # lags are summed up to this many correlation times


def effective_rows(rows: float, design_effect: float) -> float:
    """Return rows over design effect, at least 1 and at most `rows`.

    Example:
        >>> effective_rows(1000, 40.0)
        25.0
    """
    return float(min(rows, max(1.0, rows / max(design_effect, 1.0))))


def design_effect_from_windows(counts: ArrayLike) -> float:
    """Return how much more the cell shares of a reference's own windows vary than by chance.

    Season, drift within the reference and autocorrelation all count: the windows are taken as the
    natural spread that a new window may show too.

    Args:
        counts: Counts of consecutive windows of equal length, shape (windows, cells); see
            `setpoint.stats.binning.window_counts`.

    Raises:
        TooFewSamplesError: There are fewer than eight windows.

    Returns:
        The summed variance of shares over the summed binomial variance, at least 1.

    Example:
        >>> round(design_effect_from_windows([[10, 0], [0, 10]] * 4), 1)
        11.4

    References:
        Rao, Scott 1981, The analysis of categorical data from complex sample surveys (the first-order
        correction: the mean of the generalized design effects).
    """
    windows = np.asarray(counts, dtype=np.float64)
    if windows.shape[0] < MIN_WINDOWS:
        raise TooFewSamplesError("design effect", needed=MIN_WINDOWS, found=windows.shape[0])
    length = windows.sum(axis=1, keepdims=True)
    parts = windows / length
    mean = parts.mean(axis=0)
    by_chance = float(np.sum(mean * (1 - mean)) * np.mean(1 / length))
    if by_chance == 0:
        return 1.0
    return max(1.0, float(parts.var(axis=0, ddof=1).sum()) / by_chance)


def design_effect_from_codes(codes: NDArray[np.int64], cells: int) -> float:
    """Return the design effect of cell shares from how long rows stay in their cell.

    The correlation at lag k is the excess of P(same cell k rows later) over chance; it is summed up to
    five correlation times. For short references, where there are too few windows to compare.

    Args:
        codes: Cell of each row in time order, shape (n,), each in [0, cells).
        cells: Number of cells.

    Returns:
        The design effect, at least 1; 1 for a constant column or fewer than three rows.

    Example:
        >>> rows = np.random.default_rng(1).integers(0, 4, 4000)
        >>> round(design_effect_from_codes(rows, 4))
        1
        >>> round(design_effect_from_codes(np.repeat(rows, 10), 4))
        10

    References:
        Sokal 1997, Monte Carlo methods in statistical mechanics, section 3 (the window of lags).
    """
    n = codes.size
    mean = np.bincount(codes, minlength=cells) / max(n, 1)
    same_by_chance = float(np.sum(mean**2))
    if n < 3 or same_by_chance > 1 - 1e-12:  # noqa: PLR2004 - two rows have one lag
        return 1.0
    time = 1.0
    for lag in range(1, n // 2):
        same = np.count_nonzero(codes[lag:] == codes[:-lag]) / (n - lag)
        time += 2 * (same - same_by_chance) / (1 - same_by_chance)
        if lag >= SOKAL * max(time, 1.0):
            break
    return max(1.0, float(time))


def design_effect(series: ArrayLike) -> float:
    """Return the design effect of the mean of a series in time order.

    Args:
        series: Finite values (0/1 or real), shape (n,).

    Returns:
        The integrated autocorrelation time, summed up to five times itself; at least 1, and 1 for a
        constant series or fewer than three values.

    Example:
        >>> design_effect([0.0, 1.0] * 500)
        1.0

    References:
        Sokal 1997, Monte Carlo methods in statistical mechanics, section 3 (the window of lags).
    """
    values = np.asarray(series, dtype=np.float64)
    n = values.size
    if n < 3 or float(np.ptp(values)) == 0.0:  # noqa: PLR2004 - two values have one lag
        return 1.0
    correlation = autocorrelation(values)[: n // 2]
    times = 2 * np.cumsum(correlation) - 1
    enough = np.flatnonzero(np.arange(times.size) >= SOKAL * np.maximum(times, 1.0))
    return max(1.0, float(times[enough[0]] if enough.size else times[-1]))


def autocorrelation(series: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sample autocorrelations of a series at lags 0 to n - 1, by Fourier transform.

    Args:
        series: Finite values that are not all equal, shape (n,).

    Returns:
        Correlations, shape (n,); the first is 1. Divided by n at every lag, so that they are those
        of a possible process.
    """
    n = series.size
    transform = np.fft.rfft(series - series.mean(), 2 ** int(np.ceil(np.log2(2 * n))))
    covariance = np.fft.irfft(np.abs(transform) ** 2)[:n]
    return np.asarray(covariance / covariance[0])
