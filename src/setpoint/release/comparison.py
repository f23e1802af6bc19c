"""Whose outcomes are better: a comparison of both arms' mean losses that holds at every look.

Rules:
- `pass`: the challenger's mean loss is surely lower. `fail`: it is surely higher. `inconclusive`: neither yet.
- Losses are compared within each deployment document, whose split of the traffic is fixed: where shares move while the
  world does, sums over the whole release favour the arm that had the better hours.
- An outcome counts once it is known. One that comes late counts for the document under which its answer was given.

Error rates, over all looks together and at any allocation: a challenger that is not better passes with probability
`alpha_pass` at most, one that is not worse fails with probability `alpha_fail` at most. Both hold for any loss in
[0, 1] and any delay of outcomes that does not depend on which version answered.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.facts.release import ArmCounts, Compared, Comparison, LossSum
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.release.harm import Risk
from setpoint.stats.rate_evidence import TwoArms, harm_gains, log_evidence

ODDS = (1.1, 1.25, 1.6, 2.5)
"""How much worse the worse arm is guessed to be: outcomes of two versions that passed the gates differ by little."""

_ROUNDING = 1e-6  # of a sum of losses, which is added up in any order


def compare(before: Comparison, challenger: ArmCounts, champion: ArmCounts) -> Comparison:
    """Return the comparison with what became known since the last look; the same counts again change nothing.

    Counts that went down are those of a log that was begun anew; so is the comparison.
    """
    now = {
        str(generation): Compared(
            challenger=challenger.losses.get(generation, LossSum()),
            champion=champion.losses.get(generation, LossSum()),
        )
        for generation in sorted(challenger.losses.keys() | champion.losses.keys())
    }
    if any(
        (_counts(now.get(generation, Compared())) < _counts(known) - _ROUNDING).any()
        for generation, known in before.counted.items()
    ):
        before = Comparison()
    if now == before.counted:
        return before
    guesses = len(ODDS) + 1
    worse = np.asarray(before.worse or (0.0,) * guesses)
    better = np.asarray(before.better or (0.0,) * guesses)
    known = sum((_counts(one) for one in before.counted.values()), np.zeros(4))
    for generation, found in now.items():
        fresh = _fresh(found, before.counted.get(generation, Compared()))
        if fresh[1] and fresh[3]:  # one arm alone compares nothing
            worse = worse + harm_gains(TwoArms(*fresh), TwoArms(*known), ODDS)
            other = TwoArms(*known[[2, 3, 0, 1]])
            better = better + harm_gains(TwoArms(*fresh[[2, 3, 0, 1]]), other, ODDS)
        else:
            now = {**now, generation: before.counted.get(generation, Compared())}
    return Comparison(
        counted=now,
        worse=tuple(float(gain) for gain in worse),
        better=tuple(float(gain) for gain in better),
        worse_highest=max(before.worse_highest, float(log_evidence(worse))),
        better_highest=max(before.better_highest, float(log_evidence(better))),
    )


def judge_comparison(
    metric: str,
    found: Comparison,
    arms: tuple[ArmCounts, ArmCounts],
    *,
    risk: Risk,
    shares: Mapping[str, float],
) -> Verdict:
    """Return the verdict over whose outcomes are better.

    Args:
        metric: The metric that outcomes are watched by.
        found: What was gathered since the release began.
        arms: Counts of challenger and champion.
        risk: Error probabilities.
        shares: The challenger's share by generation, as text, from which on it was in force.
    """
    subject = f"{metric} of outcomes better than the champion's"
    challenger, champion = arms
    if not challenger.outcomes or not champion.outcomes:
        return Verdict(subject=subject, verdict="inconclusive", n=0, reason="no outcome is known")
    loss = challenger.outcome_sum / challenger.outcomes
    base = champion.outcome_sum / champion.outcomes
    ruling: Ruling = "inconclusive"
    reason = "outcomes are not yet shown to be better than the champion's, nor worse"
    if found.worse_highest >= np.log(1 / risk.alpha_fail):
        ruling, reason = "fail", "outcomes are surely worse than the champion's"
    elif found.better_highest >= np.log(1 / risk.alpha_pass):
        ruling, reason = "pass", "outcomes are surely better than the champion's"
    return Verdict(
        subject=subject,
        verdict=ruling,
        observed=loss,
        limit=base,
        n=challenger.outcomes,
        reason=f"{reason} (mean loss of single answers)",
        evidence={
            "champion": base,
            "champion_n": champion.outcomes,
            "p_not_worse": float(np.exp(-found.worse_highest)),
            "p_not_better": float(np.exp(-found.better_highest)),
            "by_propensity": weighted_losses(challenger, champion, shares),
            "alpha_fail": risk.alpha_fail,
            "alpha_pass": risk.alpha_pass,
        },
    )


def weighted_losses(
    challenger: ArmCounts, champion: ArmCounts, shares: Mapping[str, float]
) -> dict[str, float]:
    """Return the mean loss of each arm over all requests, each answer weighted by one over its propensity.

    Self-normalised (SNIPS): where shares moved while the world did, plain means are of different hours, these are not.
    An arm without outcomes is left out.

    References:
        Swaminathan, Joachims 2015, The self-normalized estimator for counterfactual learning.
    """
    begun = sorted((int(generation), share) for generation, share in shares.items())

    def share_of(generation: int) -> float:
        return next(share for start, share in reversed(begun) if start <= generation)

    found = {}
    for name, arm, is_challenger in (
        ("challenger", challenger, True),
        ("champion", champion, False),
    ):
        terms = [
            (one, share_of(generation) if is_challenger else 1.0 - share_of(generation))
            for generation, one in arm.losses.items()
        ]
        value = _weighted(terms)
        if value is not None:
            found[name] = value
    return found


def _weighted(terms: Iterable[tuple[LossSum, float]]) -> float | None:
    weighed = [(one.total / share, one.outcomes / share) for one, share in terms if share > 0]
    count = sum(n for _, n in weighed)
    return sum(total for total, _ in weighed) / count if count else None


def _fresh(now: Compared, before: Compared) -> Floats:
    """Return what became known since; losses within what their number allows."""
    fresh = _counts(now) - _counts(before)
    fresh[[0, 2]] = np.clip(fresh[[0, 2]], 0.0, fresh[[1, 3]])
    return fresh


def _counts(of: Compared) -> Floats:
    """Return losses and outcomes of the challenger, then of the champion."""
    one, other = of.challenger, of.champion
    return np.array(
        [
            min(one.total, one.outcomes),  # a sum of losses may round past n
            one.outcomes,
            min(other.total, other.outcomes),
            other.outcomes,
        ],
        dtype=np.float64,
    )
