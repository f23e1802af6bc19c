"""Metrics of regressors, as sums over rows. Truth and prediction are finite, shape (n,)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from setpoint.errors import TooFewSamplesError, UndefinedMetricError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def absolute_errors(y: ArrayLike, value: ArrayLike, classes: int = 0) -> NDArray[np.float64]:
    """Return for each row (|y - prediction|, 1); shape (n, 2). `classes` has no meaning here."""
    del classes
    truth, guess = _finite(y, value)
    return np.stack([np.abs(truth - guess), np.ones(truth.size)], axis=1)


def squared_errors(y: ArrayLike, value: ArrayLike, classes: int = 0) -> NDArray[np.float64]:
    """Return for each row (squared error, 1); shape (n, 2). `classes` has no meaning here."""
    del classes
    truth, guess = _finite(y, value)
    return np.stack([(truth - guess) ** 2, np.ones(truth.size)], axis=1)


def relative_errors(y: ArrayLike, value: ArrayLike, classes: int = 0) -> NDArray[np.float64]:
    """Return for each row (|y - prediction| / |y|, 1); shape (n, 2).

    Raises:
        UndefinedMetricError: A true value is 0: a relative error does not exist there. (Others divide
            by the smallest float instead, and report about 1e15.)
    """
    del classes
    truth, guess = _finite(y, value)
    zeros = int(np.count_nonzero(truth == 0))
    if zeros:
        raise UndefinedMetricError(
            f"mape is undefined: {zeros} of {truth.size} true values are 0; take mae"
        )
    return np.stack([np.abs((truth - guess) / truth), np.ones(truth.size)], axis=1)


def explained_squares(y: ArrayLike, value: ArrayLike, classes: int = 0) -> NDArray[np.float64]:
    """Return for each row (squared error, y', y' squared, 1); shape (n, 4), y' the centered truth.

    Centering loses no digits to a large mean; it is the same for two models on the same rows.
    """
    del classes
    truth, guess = _finite(y, value)
    centered = truth - truth.mean()
    return np.stack([(truth - guess) ** 2, centered, centered**2, np.ones(truth.size)], axis=1)


def root_of_mean(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the root of a mean from sums (total, rows), (..., 2) to (...)."""
    return np.asarray(np.sqrt(sums[..., 0] / sums[..., 1]))


def r2_of(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return R squared from sums of `explained_squares`, (..., 4) to (...); NaN for constant truth."""
    spread = sums[..., 2] - sums[..., 1] ** 2 / sums[..., 3]
    return np.asarray(1 - sums[..., 0] / np.where(spread > 0, spread, np.nan))


def _finite(y: ArrayLike, value: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    truth, guess = (np.asarray(values, dtype=np.float64) for values in (y, value))
    if truth.shape != guess.shape or truth.ndim != 1:
        raise ValueError(f"values must have one shape (n,), got {truth.shape} and {guess.shape}")
    if truth.size == 0:
        raise TooFewSamplesError("a metric", needed=1, found=0)
    if not (np.isfinite(truth).all() and np.isfinite(guess).all()):
        raise UndefinedMetricError("a true or predicted value is missing or infinite")
    return truth, guess
