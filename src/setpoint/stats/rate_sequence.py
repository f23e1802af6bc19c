"""Rates and their difference under continuous watching: bounds that hold at every look at once.

An ordinary 95 % interval holds at one look planned beforehand; looked at every hundred requests it
lies in more than a third of canaries. These hold at all looks together, at any allocation of
traffic, also one that depends on what was seen. They are exact: no approximation for rare events.

How: for a true rate p, the ratio of a mixture of likelihoods to the likelihood at p is a martingale
that starts at 1, so it ever reaches 1 / alpha with probability alpha at most. For two arms the product
of their ratios is one too; the pairs of rates that it does not refute bound the difference, and no
union bound is paid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import betaln, xlog1py, xlogy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEPS = 60  # halvings
FARTHEST = 1e12  # largest slope of a log-likelihood that is tried
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


@dataclass(frozen=True)
class RateComparison:
    """A canary's rate against the stable version's.

    Attributes:
        verdict: `pass` (not worse by the margin), `fail` (worse) or `inconclusive`.
        difference: Observed canary rate minus stable rate; NaN while an arm has no request.
        low: Lower bound of the true difference, over all looks.
        high: Upper bound of the true difference, over all looks.
    """

    verdict: Literal["pass", "fail", "inconclusive"]
    difference: float
    low: float
    high: float


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


def rate_difference_sequence(
    canary: Arm, stable: Arm, *, alpha: float = 0.05
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Bound the difference of two rates, canary minus stable, at any number of looks.

    Args:
        canary: Counts of one arm so far.
        stable: Counts of the other arm at the same looks; any number of requests.
        alpha: Probability that the true difference is ever outside the bounds, at most. Requests
            are independent given their arm's rate; who gets which arm may depend on the past.

    Returns:
        Lower and upper bound in [-1, 1], of the counts' shape.

    Example:
        >>> low, high = rate_difference_sequence(Arm(25, 500), Arm(95, 9500))
        >>> round(float(low), 3), round(float(high), 3)
        (0.009, 0.091)

    References:
        Martingale and Ville's inequality: Robbins 1970. Composite nulls by maximum likelihood under
        the null: Wasserman, Ramdas, Balakrishnan 2020, Universal inference.
    """
    evidence = np.asarray(_log_mixture(canary) + _log_mixture(stable) - np.log(1 / alpha))
    zero = np.zeros_like(evidence)
    bounds = []
    for sign in (1.0, -1.0):
        # Where the constrained likelihood is largest, the two slopes are equal and opposite; a steeper
        # slope is a farther, less likely difference. So one number is searched, on a log scale.
        near, far = zero + np.log(1e-9), zero + np.log(FARTHEST)
        for _ in range(STEPS):
            middle = (near + far) / 2
            slope = sign * np.exp(middle)
            holds = _at_slope(canary, slope)[1] + _at_slope(stable, -slope)[1] > evidence
            near, far = np.where(holds, middle, near), np.where(holds, far, middle)
        slope = sign * np.exp(far)
        bounds.append(np.asarray(_at_slope(canary, slope)[0] - _at_slope(stable, -slope)[0]))
    return bounds[0], bounds[1]


def compare_rates(
    canary: Arm, stable: Arm, *, margin: float, alpha: float = 0.05, harm: float = 0.0
) -> RateComparison:
    """Judge whether a canary's rate of harm is worse than the stable version's, at any look.

    Args:
        canary: Counts of the canary, numbers.
        stable: Counts of the stable version since the canary began, numbers.
        margin: How much worse is still acceptable, absolute, above 0: `pass` once the difference is
            surely below it.
        alpha: Probability, over all looks, of `fail` when the difference is `harm` or less, and of
            `pass` when it is `margin` or more.
        harm: Difference above which it fails, at most `margin`; 0 fails on any sure worsening.

    Raises:
        ValueError: `margin` is not above 0, or `harm` is above it.

    Returns:
        The verdict with the observed difference and its bounds. A difference that is surely above
        `harm` and surely below `margin` passes: the margin was accepted beforehand.

    Example:
        >>> compare_rates(Arm(25, 500), Arm(95, 9500), margin=0.005).verdict
        'fail'
        >>> compare_rates(Arm(0, 100), Arm(1, 1900), margin=0.005).verdict
        'inconclusive'

    References:
        Johari, Koomen, Pekelis, Walsh 2022, Always valid inference: continuous monitoring of A/B tests.
    """
    if margin <= 0 or harm > margin:
        raise ValueError(f"margin must be above 0 and not under harm, got {margin} and {harm}")
    low, high = (float(x) for x in rate_difference_sequence(canary, stable, alpha=alpha))
    has_both = np.all(np.asarray(canary.n) > 0) and np.all(np.asarray(stable.n) > 0)
    difference = _share(canary) - _share(stable) if has_both else float("nan")
    verdict: Literal["pass", "fail", "inconclusive"] = "inconclusive"
    if high < margin:
        verdict = "pass"
    elif low > harm:
        verdict = "fail"
    return RateComparison(verdict, difference, low, high)


def _share(arm: Arm) -> float:
    return float(np.asarray(arm.events) / np.asarray(arm.n))


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


def _at_slope(
    arm: Arm, slope: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rate at which the log-likelihood has this slope (or its end), and its value there."""
    events, n = _counts(arm)
    # events / p - misses / (1 - p) = slope is quadratic in p; each branch avoids a cancellation.
    middle = n + slope
    root = np.sqrt(np.maximum(middle**2 - 4 * slope * events, 0.0))
    low_form = np.divide(2 * events, middle + root, out=np.zeros_like(root), where=middle > 0)
    high_form = (middle - root) / (2 * slope)
    rate = np.clip(np.where(middle > 0, low_form, high_form), 0.0, 1.0)
    return rate, np.asarray(xlogy(events, rate) + xlog1py(n - events, -rate))
