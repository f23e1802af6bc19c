"""Two success rates as a bandit sees them: how likely one is higher than the other, given what was seen.

A uniform prior on each rate makes its posterior a Beta distribution. Such a probability is not a test: looked at again
and again, it is above any bound sooner or later though the rates are equal. `setpoint.stats.rate_evidence` is one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, betaincinv

POINTS = 1024  # of a rate's posterior; their mean is within 1 / POINTS of the integral


@dataclass(frozen=True)
class Successes:
    """What one arm has shown: the sum of its rewards, each in [0, 1], and how many there were.

    Args:
        total: Sum of the rewards, 0 to `n`.
        n: Number of them.
    """

    total: float
    n: float

    @property
    def beta(self) -> tuple[float, float]:
        """Parameters of the posterior under a uniform prior."""
        total = min(max(self.total, 0.0), self.n)  # a sum may round past its bounds
        return 1.0 + total, 1.0 + self.n - total

    @property
    def mean(self) -> float:
        """The posterior's mean."""
        a, b = self.beta
        return a / (a + b)


def probability_higher(one: Successes, other: Successes, *, by: float = 0.0) -> float:
    """Return how likely the rate of `one` is above that of `other` by more than `by`, in [0, 1].

    Example:
        >>> even = probability_higher(Successes(50, 1000), Successes(50, 1000))
        >>> round(even, 3), round(probability_higher(Successes(60, 1000), Successes(50, 1000)), 2)
        (0.5, 0.84)

    References:
        Scott 2010, A modern Bayesian look at the multi-armed bandit.
    """
    at = (np.arange(POINTS) + 0.5) / POINTS
    rates = betaincinv(*other.beta, at)  # of equal weight
    return float(np.mean(1.0 - betainc(*one.beta, np.clip(rates + by, 0.0, 1.0))))
