"""The verdict of a guardrail over a rate of harm, valid at every look: errors, or answers slower than a limit.

Rules, for a limit L on the challenger's rate:
- `fail`: the challenger is surely worse than the champion. Not before: a rollback that would not help is none.
- `pass`: the challenger is surely within L, and not surely worse than the champion.
- `inconclusive`: everything else. Where the challenger is surely over L, the reason says so and evidence has
  `over_limit`: such a challenger is never promoted, not even when the time is up.

Error rates, over all looks together and at any allocation of traffic: an equal challenger fails with probability
`alpha_fail` at most, also where the rates of both arms and the allocation wander together; a challenger over L passes
with probability `alpha_pass` at most. Both are exact for requests that are independent given their arm; requests of
one customer that fail together count as many.
"""

from dataclasses import dataclass

import numpy as np

from setpoint.facts.evidence import Ints
from setpoint.facts.release import HarmEvidence
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.stats.rate_evidence import GUESSES, TwoArms, harm_gains, log_evidence
from setpoint.stats.rate_sequence import Arm, rate_sequence


@dataclass(frozen=True)
class Risk:
    """Error probabilities that one guardrail may use at one step: of a false `fail`, and of a false `pass`."""

    alpha_fail: float
    alpha_pass: float


@dataclass(frozen=True)
class Harm:
    """Harmful events among requests, of both arms, since the step began.

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


def gather(before: HarmEvidence, now: Harm) -> HarmEvidence:
    """Return the evidence with what came in since the last look; the same counts again change nothing.

    Counts that went down are those of a log that was begun anew; so is the evidence.
    """
    fresh = _counts(now) - _counts(before)
    if (fresh < 0).any():
        before, fresh = HarmEvidence(), _counts(now)
    if not fresh[1] and not fresh[3]:
        return before
    gains = np.asarray(before.gains or (0.0,) * GUESSES)
    gains = gains + harm_gains(TwoArms(*fresh), TwoArms(*_counts(before)))
    return HarmEvidence(
        challenger=now.challenger,
        challenger_n=now.challenger_n,
        champion=now.champion,
        champion_n=now.champion_n,
        gains=tuple(float(gain) for gain in gains),
        highest=max(before.highest, float(log_evidence(gains))),
    )


def _counts(of: Harm | HarmEvidence) -> Ints:
    return np.array([of.challenger, of.challenger_n, of.champion, of.champion_n])


def judge_harm(
    subject: str, found: HarmEvidence, *, limit: float, risk: Risk, what: str
) -> Verdict:
    """Return the verdict over a rate of harm.

    Args:
        subject: The guardrail as the contract writes it.
        found: What was gathered since the step began.
        limit: Largest rate, above 0 and at most 1; 0 allows no event, and can then never be shown to be kept.
        risk: Error probabilities.
        what: The event in words, such as `requests without an answer`.
    """
    if found.challenger_n == 0 or found.champion_n == 0:
        arm = "challenger" if found.challenger_n == 0 else "champion"
        reason = f"the {arm} has had no request"
        return Verdict(subject=subject, verdict="inconclusive", limit=limit, n=0, reason=reason)
    low, high = _bounds(found.challenger, found.challenger_n, limit, risk.alpha_pass)
    over_limit = low > limit
    ruling, reason = _rule(
        within=high <= limit,
        worse=found.highest >= np.log(1 / risk.alpha_fail),
        over_limit=over_limit,
        what=what,
    )
    return Verdict(
        subject=subject,
        verdict=ruling,
        observed=found.challenger / found.challenger_n,
        limit=limit,
        interval=(low, high),
        n=found.challenger_n,
        reason=reason,
        evidence={
            "champion": found.champion / found.champion_n,
            "champion_n": found.champion_n,
            "p_not_worse": float(np.exp(-found.highest)),
            "over_limit": over_limit,
            "alpha_fail": risk.alpha_fail,
            "alpha_pass": risk.alpha_pass,
        },
    )


def judge_alone(
    subject: str, counts: tuple[int, int], *, limit: float, risk: Risk, what: str
) -> Verdict:
    """Return the verdict over a rate of harm where no other version answers beside the challenger.

    `fail` where it is surely over the limit: there is nobody to be worse than. Error rates: a challenger within the
    limit fails with probability `alpha_fail` at most, one over it passes with probability `alpha_pass` at most.

    Args:
        subject: The guardrail as the contract writes it.
        counts: Harmful events and requests of the challenger since the step began.
        limit: Largest rate, above 0 and at most 1.
        risk: Error probabilities.
        what: The event in words.
    """
    events, n = counts
    if n == 0:
        reason = "the challenger has had no request"
        return Verdict(subject=subject, verdict="inconclusive", limit=limit, n=0, reason=reason)
    low, high = _bounds(events, n, limit, risk.alpha_pass)
    surely_low, _ = _bounds(events, n, limit, risk.alpha_fail)
    ruling: Ruling = "inconclusive"
    reason = f"{what} are not yet shown to be within the limit, nor over it"
    if surely_low > limit:
        ruling, reason = "fail", f"{what} are surely over the limit"
    elif high <= limit:
        ruling, reason = "pass", f"{what} are surely within the limit"
    return Verdict(
        subject=subject,
        verdict=ruling,
        observed=events / n,
        limit=limit,
        interval=(low, high),
        n=n,
        reason=reason,
        evidence={
            "over_limit": low > limit,
            "alpha_fail": risk.alpha_fail,
            "alpha_pass": risk.alpha_pass,
        },
    )


def _bounds(events: int, n: int, limit: float, alpha: float) -> tuple[float, float]:
    """Bound the rate; tightest near a quarter of the limit, where a healthy challenger's rate lies."""
    prior = (0.5, max(0.5, 2.0 / limit)) if limit > 0 else (0.5, 0.5)
    low, high = rate_sequence(Arm(events, n, prior), alpha=alpha)
    return float(low), float(high)


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
