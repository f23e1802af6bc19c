"""A rate under continuous watching: bounds that hold at every look at once.

An ordinary 95 % interval holds at one look planned beforehand; looked at every hundred requests it
lies in more than a third of canaries. These hold at all looks together and are exact: no
approximation for rare events. Whether one arm's rate is higher than another's is asked of
`setpoint.stats.rate_evidence`, which does not mind rates that wander.

How: for a true rate p, the ratio of a mixture of likelihoods to the likelihood at p is a martingale
that starts at 1, so it ever reaches 1 / alpha with probability alpha at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betaln, xlog1py, xlogy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEPS = 60  # halvings
RARE = (0.5, 5.0)  # a mixture for rates of harm, which are small; valid for every rate


@dataclass(frozen=True)
class Arm:
    """What one arm has answered so far.

    Attributes:
        events: Harmful events (errors, late answers), 0 or more; a number or an array of looks.
        n: Requests, at least `events`; same shape.
        prior: Parameters (a, b) of the mixing Beta distribution. Any choice keeps the bounds valid as
            long as it was made before the first request; one near the true rate makes them tighter.
    """

    events: ArrayLike
    n: ArrayLike
    prior: tuple[float, float] = RARE


def rate_sequence(
    arm: Arm, *, alpha: float = 0.05
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bound a rate at any number of looks.

    Args:
        arm: Counts so far.
        alpha: Probability that the true rate is ever outside the bounds, at most.

    Returns:
        Lower and upper bound in [0, 1], of the counts' shape; 0 and 1 before the first request.

    Example:
        >>> low, high = rate_sequence(Arm(events=10, n=1000))
        >>> round(float(low), 4), round(float(high), 4)
        (0.0029, 0.024)

    References:
        Robbins 1970, Statistical methods related to the law of the iterated logarithm. Howard, Ramdas,
        McAuliffe, Sekhon 2021, Time-uniform, nonparametric, nonasymptotic confidence sequences.
    """
    events, n = _counts(arm)
    misses = n - events
    evidence = _log_mixture(arm) - np.log(1 / alpha)
    share = np.divide(events, n, out=np.full_like(n, 0.5), where=n > 0)
    bounds = []
    for end in (0.0, 1.0):
        inside, outside = share, np.full_like(share, end)
        for _ in range(STEPS):
            middle = (inside + outside) / 2
            holds = xlogy(events, middle) + xlog1py(misses, -middle) > evidence
            inside, outside = np.where(holds, middle, inside), np.where(holds, outside, middle)
        bounds.append(outside)
    return bounds[0], bounds[1]


def _counts(arm: Arm) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    events, n = np.broadcast_arrays(
        np.asarray(arm.events, dtype=np.float64), np.asarray(arm.n, dtype=np.float64)
    )
    if np.any(events < 0) or np.any(events > n):
        raise ValueError("events must be between 0 and the number of requests")
    return events, n


def _log_mixture(arm: Arm) -> NDArray[np.float64]:
    # Likelihood of the sequence of events, averaged over rates from the prior.
    events, n = _counts(arm)
    a, b = arm.prior
    return np.asarray(betaln(a + events, b + n - events) - betaln(a, b))
