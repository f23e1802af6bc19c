"""The verdict of a guardrail over a rate of harm, valid at every look: errors, or answers slower than a limit.

Rules, for a limit L on the challenger's rate:
- `fail`: the challenger is surely worse than the champion. Not before: a rollback that would not help is none.
- `pass`: the challenger is surely within L, and not surely worse than the champion.
- `inconclusive`: everything else. Where both arms are surely over L, the reason says so and evidence has
  `over_limit`: such a challenger is never promoted, not even when the time is up.

Error rates, over all looks together and at any allocation of traffic: an equal challenger fails with probability
`alpha_fail` at most; a challenger over L passes with probability `alpha_pass` at most. Both are exact for requests that
are independent given their arm; requests of one customer that fail together count as many.
"""

from dataclasses import dataclass

from setpoint.facts.verdict import Ruling, Verdict
from setpoint.stats.rate_sequence import Arm, rate_difference_sequence, rate_sequence


@dataclass(frozen=True)
class Risk:
    """Error probabilities that one guardrail may use at one step: of a false `fail`, and of a false `pass`."""

    alpha_fail: float
    alpha_pass: float


@dataclass(frozen=True)
class Harm:
    """Harmful events among requests, of both arms.

    Args:
        challenger: Events of the challenger.
        challenger_n: Its requests.
        champion: Events of the champion.
        champion_n: Its requests.
    """

    challenger: int
    challenger_n: int
    champion: int
    champion_n: int


def judge_harm(subject: str, harm: Harm, *, limit: float, risk: Risk, what: str) -> Verdict:
    """Return the verdict over a rate of harm.

    Args:
        subject: The guardrail as the contract writes it.
        harm: Counts since the step began.
        limit: Largest rate, above 0 and at most 1; 0 allows no event, and can then never be shown to be kept.
        risk: Error probabilities.
        what: The event in words, such as `requests without an answer`.
    """
    if harm.challenger_n == 0 or harm.champion_n == 0:
        arm = "challenger" if harm.challenger_n == 0 else "champion"
        reason = f"the {arm} has had no request"
        return Verdict(subject=subject, verdict="inconclusive", limit=limit, n=0, reason=reason)
    # A prior with its mean at twice the limit: bounds are tightest where the verdicts are decided.
    prior = (1.0, max(1.0, 0.5 / limit)) if limit > 0 else (0.5, 0.5)
    challenger = Arm(harm.challenger, harm.challenger_n, prior)
    champion = Arm(harm.champion, harm.champion_n, prior)
    low, high = (float(x) for x in rate_sequence(_narrow(challenger, limit), alpha=risk.alpha_pass))
    base_low, base_high = (float(x) for x in rate_sequence(champion, alpha=risk.alpha_pass))
    worse_low, worse_high = (
        float(x) for x in rate_difference_sequence(challenger, champion, alpha=risk.alpha_fail)
    )
    over_limit = low > limit
    ruling, reason = _rule(
        within=high <= limit, worse=worse_low > 0, over_limit=over_limit, what=what
    )
    return Verdict(
        subject=subject,
        verdict=ruling,
        observed=harm.challenger / harm.challenger_n,
        limit=limit,
        interval=(low, high),
        n=harm.challenger_n,
        reason=reason,
        evidence={
            "champion": harm.champion / harm.champion_n,
            "champion_interval": [base_low, base_high],
            "champion_n": harm.champion_n,
            "difference_interval": [worse_low, worse_high],
            "over_limit": over_limit,
            "alpha_fail": risk.alpha_fail,
            "alpha_pass": risk.alpha_pass,
        },
    )


def _narrow(arm: Arm, limit: float) -> Arm:
    """The arm with a prior near a quarter of the limit, where a healthy challenger's rate lies."""
    return Arm(arm.events, arm.n, (0.5, max(0.5, 2.0 / limit)) if limit > 0 else (0.5, 0.5))


def _rule(*, within: bool, worse: bool, over_limit: bool, what: str) -> tuple[Ruling, str]:
    if worse:
        return "fail", f"more {what} than from the champion, surely"
    if within:
        return (
            "pass",
            f"{what} are surely within the limit, and not shown to be more than the champion's",
        )
    if over_limit:
        return (
            "inconclusive",
            f"{what} are over the limit, but not shown to be more than the champion's",
        )
    return (
        "inconclusive",
        f"{what} are not yet shown to be within the limit, nor more than the champion's",
    )
