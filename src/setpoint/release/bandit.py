"""The shares of a bandit: Thompson sampling over known outcomes, with a floor for either arm.

Rules:
1. The challenger's share is the probability that it is the better arm, given the outcomes that are known; never under
   the floor, nor above one less the floor. (Thompson sampling draws both rates and takes the better; its expected
   share is that probability, and one share for all gateways needs no draw.)
2. Until each arm has `min_requests` known outcomes, traffic is split evenly: a share that follows few outcomes follows
   chance.
3. New shares are published only where they moved by `MOVED` and known outcomes grew by `GROWN` since the last: each
   publication is a document for all gateways, an entry of the ledger, and customers who change versions.

The reward of an answer is 1 less its loss. Pure: no draw, no clock.
"""

from dataclasses import dataclass

from setpoint.facts.release import ArmCounts
from setpoint.release.rules import OutcomeRule
from setpoint.stats.rate_posterior import Successes, probability_higher
from setpoint.stats.rate_sequence import Arm, rate_sequence

MOVED = 0.05
"""Least change of a share that is published."""

GROWN = 1.1
"""Known outcomes must have grown by this factor since the last publication."""

SURE = 0.95
"""Probability at which a bandit may stop."""

WORTH = 0.01
"""Gain that is not worth a further search, where the contract names no margin: of the share of right or of wrong
answers, the smaller."""


@dataclass(frozen=True)
class Chances:
    """What known outcomes say of both arms.

    Args:
        best: Probability that the challenger is the better arm.
        worth: Gain of mean loss that is worth a search.
        remaining: Probability that the challenger is better by more than that: the value that remains to be found.
        outcomes: Known outcomes of both arms.
        fewest: Those of the arm that has fewer.
    """

    best: float
    worth: float
    remaining: float
    outcomes: int
    fewest: int


def chances(
    challenger: ArmCounts, champion: ArmCounts, margin: OutcomeRule | None = None
) -> Chances:
    """Return what known outcomes say of both arms.

    Args:
        challenger: Its counts since the release began.
        champion: Likewise.
        margin: The outcome guardrail of the contract, whose margin is the gain that is worth a search.

    References:
        Scott 2010, A modern Bayesian look at the multi-armed bandit; Scott 2015, Multi-armed bandit experiments in the
        online service economy (the value that remains).
    """
    one, other = _rewards(challenger), _rewards(champion)
    loss = 1.0 - other.mean
    worth = WORTH * min(loss, 1.0 - loss)
    if margin is not None:
        worth = (margin.slope - 1.0) * loss + margin.offset
    return Chances(
        best=probability_higher(one, other),
        worth=worth,
        remaining=probability_higher(one, other, by=worth),
        outcomes=challenger.outcomes + champion.outcomes,
        fewest=min(challenger.outcomes, champion.outcomes),
    )


def is_search_over(
    found: Chances, challenger: ArmCounts, champion: ArmCounts, *, alpha: float
) -> bool:
    """Return whether a gain that is worth a search is surely not there: likely so, and by bounds that hold at any look.

    A challenger that is better by that gain is given up with probability `alpha` at most, while rates stand still.
    """
    if found.remaining >= 1.0 - SURE:
        return False
    low, _ = _loss_bounds(challenger, alpha / 2)
    _, high = _loss_bounds(champion, alpha / 2)
    return low > high - found.worth


def share_for(found: Chances, *, floor: float) -> float:
    """Return the challenger's share, between the floor and one less the floor."""
    least = min(floor, 1 / 2)
    return round(min(max(found.best, least), 1.0 - least), 4)


def is_worth_publishing(share: float, published: float, found: Chances, weighed: int) -> bool:
    """Return whether a share differs enough from the published one, on enough new outcomes."""
    return abs(share - published) >= MOVED and found.outcomes >= GROWN * weighed


def _rewards(arm: ArmCounts) -> Successes:
    return Successes(arm.outcomes - arm.outcome_sum, arm.outcomes)


def _loss_bounds(arm: ArmCounts, alpha: float) -> tuple[float, float]:
    total = min(max(arm.outcome_sum, 0.0), float(arm.outcomes))
    low, high = rate_sequence(Arm(total, arm.outcomes), alpha=alpha)
    return float(low), float(high)
