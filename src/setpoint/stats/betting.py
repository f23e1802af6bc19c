"""Betting against a bounded mean: evidence that harm is above its limit, at any time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STAKE = 0.5  # largest share of the wealth that one value may cost


def betting_evidence(values: ArrayLike, limit: float) -> NDArray[np.float64]:
    """Return the logarithm of the evidence that the mean of bounded values exceeds a limit.

    Wealth 1 is bet on each value in turn against "mean <= limit"; how much, follows from the values
    before it. No law is assumed and rows need not be identically distributed: it is enough that each
    one's mean, given the past, is at most the limit.

    Args:
        values: In [0, 1] (errors, scaled losses), in the order in which they became known, shape
            (..., n).
        limit: The mean that is still accepted, in (0, 1).

    Raises:
        ValueError: A value or the limit is out of range.

    Returns:
        Log wealth after each value, shape (..., n). It ever exceeds ln(1 / alpha) with probability
        alpha at most while the mean keeps to the limit; wealth 20 is an alarm at 5 %.

    Example:
        >>> errors = np.random.default_rng(1).random(2000) < 0.2
        >>> bool(betting_evidence(errors, 0.1).max() > np.log(20))
        True
        >>> bool(betting_evidence(errors, 0.25).max() > np.log(20))
        False

    References:
        Waudby-Smith, Ramdas 2024, Estimating means of bounded random variables by betting (the
        approximately growth-rate adaptive bets). Podkopaev, Ramdas 2022, Tracking the risk of a
        deployed model and detecting harmful distribution shifts.
    """
    x = np.asarray(values, dtype=np.float64)
    if not 0 < limit < 1 or np.any(~((x >= 0) & (x <= 1))):
        raise ValueError("the limit must be in (0, 1) and values in [0, 1]")
    seen = np.arange(1, x.shape[-1] + 1)
    # Means before each value; two imagined ones, limit and 1/2, stand in for the first.
    past = np.cumsum(x, axis=-1) - x
    mean = (past + limit) / seen
    square = np.cumsum((x - (past + x + limit) / (seen + 1)) ** 2, axis=-1)
    variance = (
        0.25 + np.concatenate([np.zeros((*x.shape[:-1], 1)), square[..., :-1]], axis=-1)
    ) / seen
    edge = mean - limit
    bet = np.clip(edge / (variance + edge**2), 0.0, STAKE / limit)
    return np.asarray(np.cumsum(np.log1p(bet * (x - limit)), axis=-1))
