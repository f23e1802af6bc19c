"""Evidence that a canary's rate of harm is higher than the stable version's, look by look.

An ordinary test that is repeated at each look raises a false alarm sooner or later. This evidence holds at all looks
together, at any allocation of traffic, and also where the rates of both arms and the allocation wander together from
look to look, which they do in production; sums over a whole release are then misleading.

How: before a look, rates are guessed from earlier looks; the evidence of the look is the ratio of its likelihood under
the guess to that under the nearest equal rates. Under equal rates its mean is at most 1, so the running product ever
reaches 1 / alpha with probability alpha at most. Several guesses share the stake, since the size of the harm is not
known beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import logsumexp, xlog1py, xlogy

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

ODDS = (1.5, 2.5, 5.0, 12.0)  # how much worse a bad canary is guessed to be
GUESSES = len(ODDS) + 1  # and what it was so far
FIRST = (0.5, 50.0)  # events and requests that stand for the stable version before the first look
TINY = 1e-9  # guesses stay this far from 0 and 1


@dataclass(frozen=True)
class TwoArms:
    """Counts of both arms, each of shape (...).

    Attributes:
        canary_events: Harmful events of the canary.
        canary_n: Its requests.
        stable_events: Harmful events of the stable version.
        stable_n: Its requests.
    """

    canary_events: ArrayLike
    canary_n: ArrayLike
    stable_events: ArrayLike
    stable_n: ArrayLike

    def arrays(self) -> tuple[NDArray[np.float64], ...]:
        """Return the four counts with an axis for guesses at the end, each of shape (..., 1).

        Raises:
            ValueError: There are more events than requests, or fewer than none.
        """
        counts = (self.canary_events, self.canary_n, self.stable_events, self.stable_n)
        found = np.broadcast_arrays(*(np.asarray(one, dtype=np.float64) for one in counts))
        for events, n in (found[:2], found[2:]):
            if np.any(events < 0) or np.any(events > n):
                raise ValueError(
                    "events must be between 0 and the number of requests of their look"
                )
        return tuple(one[..., None] for one in found)


def harm_gains(
    look: TwoArms, before: TwoArms, odds: tuple[float, ...] = ODDS
) -> NDArray[np.float64]:
    """Return the logarithm of the evidence that one look adds, for each guess.

    Args:
        look: Counts since the look before, shape (...). A look ends at a moment that does not depend on the answers
            since the one before (every few seconds, every hundred requests). Frequent looks tell more.
        before: Counts of all looks before it, same shape; only these may shape the guess.
        odds: How many times the stable version's odds the canary's are guessed to be, each above 1; beside these, what
            the canary did so far is one more guess.

    Returns:
        Shape (..., guesses), `GUESSES` of them with the common odds. The sums over all looks are what `log_evidence`
        takes.

    References:
        Turner, Ly, Grünwald 2024, Generic E-variables for exact sequential k-sample tests that allow for optional
        stopping.
    """
    canary_events, canary_n, stable_events, stable_n = look.arrays()
    canary, stable = _guesses(before, odds)
    n = canary_n + stable_n
    pooled = (canary_n * canary + stable_n * stable) / np.where(n > 0, n, 1.0)
    equal = np.clip(np.where(n > 0, pooled, stable), TINY, 1 - TINY)
    gain = _log_ratio(canary_events, canary_n, canary, equal)
    gain += _log_ratio(stable_events, stable_n, stable, equal)
    return np.where(canary > stable, gain, 0.0)  # a guess of no harm bets nothing


def log_evidence(gains: ArrayLike) -> NDArray[np.float64]:
    """Return the logarithm of the evidence so far, the mean over the guesses.

    Args:
        gains: Sums of `harm_gains` over all looks, shape (..., guesses).

    Returns:
        Shape (...). It ever reaches ln(1 / alpha) with probability alpha at most while the canary does no more harm.

    Example:
        >>> nothing = TwoArms(0, 0, 0, 0)
        >>> bool(log_evidence(harm_gains(TwoArms(25, 500, 95, 9500), nothing)) > np.log(20))
        True
        >>> bool(log_evidence(harm_gains(TwoArms(5, 500, 95, 9500), nothing)) < np.log(2))
        True

    References:
        Ville 1939, Étude critique de la notion de collectif (the inequality).
    """
    found = np.asarray(gains, dtype=np.float64)
    return np.asarray(logsumexp(found, axis=-1) - np.log(found.shape[-1]))


def _guesses(
    before: TwoArms, odds: tuple[float, ...]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Guess the rates of the canary, one a guess, and of the stable version: shapes (..., guesses) and (..., 1)."""
    canary_events, canary_n, stable_events, stable_n = before.arrays()
    stable = np.clip((FIRST[0] + stable_events) / (FIRST[1] + stable_n), TINY, 1 - TINY)
    worse = stable / (1 - stable) * np.asarray(odds)
    # The canary's own rate is drawn to the stable one by as many requests as bring one event.
    pull = np.minimum(1 / stable, 1000.0)
    own = (canary_events + pull * stable) / (canary_n + pull)
    canary = np.concatenate([worse / (1 + worse), own], axis=-1)
    return np.clip(canary, TINY, 1 - TINY), stable


def _log_ratio(
    events: NDArray[np.float64],
    n: NDArray[np.float64],
    guess: NDArray[np.float64],
    equal: NDArray[np.float64],
) -> NDArray[np.float64]:
    of_guess = xlogy(events, guess) + xlog1py(n - events, -guess)
    return np.asarray(of_guess - xlogy(events, equal) - xlog1py(n - events, -equal))
