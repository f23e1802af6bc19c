"""Whether a canary's rate is worse, or surely not worse by a margin, batch by batch.

Stronger than the bounds of `setpoint.stats.rate_sequence` (an equal canary passes with about a third of
the requests), and right also when the rate of both arms wanders from batch to batch, which it does in
production. The price: it needs the counts of every batch in order, not only their sums.

How: before a batch, rates are guessed from earlier batches; the evidence of the batch is the ratio of
its likelihood under the guess to that under the nearest rates of the null hypothesis. Under any rates
of the null its mean is at most 1, so the running product ever reaches 1 / alpha with probability alpha
at most. Several guesses share the stake, since the size of the harm is not known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import logsumexp, xlog1py, xlogy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

STEPS = 45  # halvings
MOST_REQUESTS = 1e12  # a plan beyond is none
PLANNED_BATCHES = 400  # looks of a planned release
TINY = 1e-9  # guesses stay this far from 0 and 1
ODDS = (1.5, 2.5, 5.0, 12.0)  # how much worse a bad canary is guessed to be
CLOSENESS = (0.0, 0.4)  # how far towards the margin a good canary is guessed to be


@dataclass(frozen=True)
class Batches:
    """Counts of both arms in consecutive batches of traffic, each of shape (..., batches).

    A batch ends at a moment that does not depend on its own answers (a look every minute, every
    hundred requests). Several small batches tell more than one large one.

    Attributes:
        canary_events: Harmful events of the canary.
        canary_n: Its requests.
        stable_events: Harmful events of the stable version.
        stable_n: Its requests.
        history: Events and requests of the stable version before the first batch, for the first
            guess; a wrong history costs power, never validity.
    """

    canary_events: ArrayLike
    canary_n: ArrayLike
    stable_events: ArrayLike
    stable_n: ArrayLike
    history: tuple[float, float] = (0.5, 50.0)


@dataclass(frozen=True)
class RateVerdict:
    """What the batches so far say.

    Attributes:
        verdict: `pass` (surely not worse by the margin), `fail` (surely worse) or `inconclusive`.
        difference: Observed canary rate minus stable rate; NaN while an arm has no request.
        p_worse: Anytime p-value against "the canary is not worse".
        p_not_worse: Anytime p-value against "the canary is worse by the margin".
    """

    verdict: Literal["pass", "fail", "inconclusive"]
    difference: float
    p_worse: float
    p_not_worse: float


def judge_batches(
    batches: Batches, *, margin: float, alpha: float = 0.05, harm: float = 0.0
) -> RateVerdict:
    """Judge a canary by the batches so far; may be asked after every batch.

    Args:
        batches: Counts of shape (batches,).
        margin: How much worse is still acceptable, absolute, above 0.
        alpha: Probability, over all looks, of `fail` when the difference is `harm` or less in every
            batch, and of `pass` when it is `margin` or more in every batch; at most.
        harm: Difference above which it fails, at most `margin`.

    Raises:
        ValueError: `margin` is not above 0, `harm` is above it, or counts are impossible.

    Returns:
        The verdict. Both surely worse and surely within the margin is `pass`.

    Example:
        >>> few, many = np.full(20, 25), np.full(20, 475)
        >>> judge_batches(Batches(few // 12, few, many // 100, many), margin=0.01).verdict
        'fail'
        >>> judge_batches(Batches(0 * few, few, many // 100, many), margin=0.05).verdict
        'pass'
    """
    if margin <= 0 or harm > margin:
        raise ValueError(f"margin must be above 0 and not under harm, got {margin} and {harm}")
    p_worse = _anytime_p(evidence_of_harm(batches, harm=harm))
    p_not_worse = _anytime_p(evidence_of_safety(batches, margin=margin))
    totals = [float(np.sum(x)) for x in _arrays(batches)]
    difference = float("nan")
    if totals[1] > 0 and totals[3] > 0:
        difference = totals[0] / totals[1] - totals[2] / totals[3]
    verdict: Literal["pass", "fail", "inconclusive"] = "inconclusive"
    if p_not_worse <= alpha:
        verdict = "pass"
    elif p_worse <= alpha:
        verdict = "fail"
    return RateVerdict(verdict, difference, p_worse, p_not_worse)


def evidence_of_harm(batches: Batches, *, harm: float = 0.0) -> NDArray[np.float64]:
    """Return the logarithm of the evidence that the canary's rate exceeds the stable one's.

    Args:
        batches: Counts, shape (..., batches).
        harm: The difference that is still no harm.

    Returns:
        Log evidence after each batch, shape (..., batches). It ever exceeds ln(1 / alpha) with
        probability alpha at most while canary rate <= stable rate + harm.

    Example:
        >>> quiet = Batches([0, 0], [50, 50], [1, 1], [950, 950])
        >>> bool(evidence_of_harm(quiet)[-1] < 0.1)
        True

    References:
        Turner, Ly, Gruenwald 2024, Generic E-variables for exact sequential k-sample tests that allow
        for optional stopping. Ville 1939 (the inequality).
    """
    canary_events, canary_n, stable_events, stable_n = _arrays(batches)
    stable, canary = _guesses(batches)
    start = np.clip(stable + harm, TINY, 1 - TINY)
    odds = start / (1 - start)
    guesses = [odds * factor / (1 + odds * factor) for factor in ODDS]
    return _evidence(
        (stable_events, stable_n, [stable] * (len(ODDS) + 1)),
        (canary_events, canary_n, [*guesses, canary]),
        -harm,
    )


def evidence_of_safety(batches: Batches, *, margin: float) -> NDArray[np.float64]:
    """Return the logarithm of the evidence that the canary is not worse by the margin.

    Args:
        batches: Counts, shape (..., batches).
        margin: The difference to rule out, above 0.

    Returns:
        Log evidence after each batch, shape (..., batches). It ever exceeds ln(1 / alpha) with
        probability alpha at most while canary rate >= stable rate + margin.

    Example:
        >>> quiet = Batches([0] * 9, [500] * 9, [0] * 9, [9500] * 9)
        >>> bool(evidence_of_safety(quiet, margin=0.005)[-1] > np.log(20))
        True

    References:
        As `evidence_of_harm`.
    """
    canary_events, canary_n, stable_events, stable_n = _arrays(batches)
    stable, canary = _guesses(batches)
    guesses = [np.clip(stable + part * margin, TINY, 1 - TINY) for part in CLOSENESS]
    return _evidence(
        (canary_events, canary_n, [*guesses, canary]),
        (stable_events, stable_n, [stable] * (len(CLOSENESS) + 1)),
        margin,
    )


def requests_to_pass(rate: float, margin: float, *, share: float = 0.5, alpha: float = 0.05) -> int:
    """Return about how many requests both arms need together until an equal canary passes.

    Args:
        rate: Expected rate of harm in both arms, in (0, 1).
        margin: As in `judge_batches`, above 0.
        share: The canary's share of the traffic, in (0, 1).
        alpha: As in `judge_batches`.

    Raises:
        ValueError: A quantity is out of range, or the margin is out of reach.

    Returns:
        Requests, as if events came exactly at their rate; about half of the canaries take longer.

    Example:
        >>> 1 < requests_to_pass(0.01, 0.01) / requests_to_pass(0.01, 0.02) < 4
        True
    """
    if not (0 < rate < 1 and 0 < share < 1 and margin > 0 and 0 < alpha < 1):
        raise ValueError("rate, share and alpha must be in (0, 1) and the margin above 0")
    total = 1000.0
    while total < MOST_REQUESTS:
        each = np.full(PLANNED_BATCHES, total / PLANNED_BATCHES)
        canary, stable = share * each, (1 - share) * each
        planned = Batches(rate * canary, canary, rate * stable, stable)
        is_enough = evidence_of_safety(planned, margin=margin) >= np.log(1 / alpha)
        if is_enough.any():
            return int(np.ceil((int(is_enough.argmax()) + 1) * each[0]))
        total *= 2
    raise ValueError(
        f"a margin of {margin} at a rate of {rate} needs over {MOST_REQUESTS:g} requests"
    )


def _anytime_p(log_evidence: NDArray[np.float64]) -> float:
    highest = float(np.max(log_evidence, initial=0.0))
    return float(np.exp(-highest))


def _arrays(batches: Batches) -> list[NDArray[np.float64]]:
    counts = np.broadcast_arrays(
        *(
            np.asarray(x, dtype=np.float64)
            for x in (
                batches.canary_events,
                batches.canary_n,
                batches.stable_events,
                batches.stable_n,
            )
        )
    )
    for events, n in (counts[:2], counts[2:]):
        if np.any(events < 0) or np.any(events > n):
            raise ValueError("events must be between 0 and the number of requests of their batch")
    return list(counts)


def _guesses(batches: Batches) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Rates of the stable version and the canary before each batch, from the batches before it."""
    canary_events, canary_n, stable_events, stable_n = (
        np.cumsum(x, axis=-1) - x for x in _arrays(batches)
    )
    events, n = batches.history
    # A large history weighs no more than a thousand requests: traffic of another day may differ.
    weight = min(1.0, 1000 / n)
    stable = (events * weight + stable_events) / (n * weight + stable_n)
    stable = np.clip(stable, TINY, 1 - TINY)
    # The canary's own rate is drawn to the stable one by as many requests as bring one event.
    pull = np.minimum(1 / stable, 1000.0)
    canary = (canary_events + pull * stable) / (canary_n + pull)
    return stable, np.clip(canary, TINY, 1 - TINY)


def _evidence(
    first: tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]],
    second: tuple[NDArray[np.float64], NDArray[np.float64], list[NDArray[np.float64]]],
    gap: float,
) -> NDArray[np.float64]:
    """Log evidence against "first rate - second rate >= gap", the mean over the guesses."""
    guess_1, guess_2 = np.stack(first[2]), np.stack(second[2])
    null_1, null_2 = _nearest_in_null(guess_1, guess_2, first[1], second[1], gap)
    gain = _log_ratio(first[0], first[1], guess_1, null_1)
    gain += _log_ratio(second[0], second[1], guess_2, null_2)
    return np.asarray(logsumexp(np.cumsum(gain, axis=-1), axis=0) - np.log(len(first[2])))


def _log_ratio(
    events: NDArray[np.float64],
    n: NDArray[np.float64],
    guess: NDArray[np.float64],
    null: NDArray[np.float64],
) -> NDArray[np.float64]:
    of_guess = xlogy(events, guess) + xlog1py(n - events, -guess)
    return np.asarray(of_guess - xlogy(events, null) - xlog1py(n - events, -null))


def _nearest_in_null(
    guess_1: NDArray[np.float64],
    guess_2: NDArray[np.float64],
    n_1: NDArray[np.float64],
    n_2: NDArray[np.float64],
    gap: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Project guessed rates on {rate 1 - rate 2 >= gap} by relative entropy, arms weighed by size.

    This projection is what makes the ratio's mean at most 1 under every rate of the null.
    """
    low = np.clip(np.minimum(guess_1 - gap, guess_2), max(0.0, -gap), min(1.0, 1 - gap))
    high = np.clip(np.maximum(guess_1 - gap, guess_2), max(0.0, -gap), min(1.0, 1 - gap))
    for _ in range(STEPS):
        rate = (low + high) / 2
        # Slope of the weighed entropies, times the variances, which are never negative.
        spread_1, spread_2 = (rate + gap) * (1 - rate - gap), rate * (1 - rate)
        slope = n_1 * (rate + gap - guess_1) * spread_2 + n_2 * (rate - guess_2) * spread_1
        low, high = np.where(slope < 0, rate, low), np.where(slope < 0, high, rate)
    rate = (low + high) / 2
    is_null = guess_1 - guess_2 >= gap
    return np.where(is_null, guess_1, rate + gap), np.where(is_null, guess_2, rate)
