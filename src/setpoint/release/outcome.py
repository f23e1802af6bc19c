"""Guardrail: outcomes that turned out, judged by the mean loss of both arms.

The loss of an answer is 0 or 1 for classes (wrong or right), and the absolute error over a fixed scale, cut at 1, for
numbers. A metric over the whole window, such as F1, has no loss of one answer; its guardrail is judged by the
share of wrong answers, and the verdict says so.

Rules, for the line `slope * champion's loss + offset` of the rule:
- `fail`: the challenger's loss is surely above the line.
- `pass`: it is surely at or below the line.
- `inconclusive`: neither yet.

Each error has probability `alpha_fail` or `alpha_pass` at most, over all looks together. The bounds hold for any loss
in [0, 1]: a power of a likelihood ratio is convex in the loss, so that counts of 0 and 1 are the worst case.
"""

import numpy as np
import numpy.typing as npt

from setpoint.facts.release import ArmCounts
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.release.harm import Risk
from setpoint.release.rules import OutcomeRule
from setpoint.stats.rate_sequence import Arm, rate_sequence


def class_loss(truth: npt.ArrayLike, answered: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return 1 where the answered class is not the true one, else 0; shape (n,)."""
    return np.asarray(np.asarray(truth) != np.asarray(answered), dtype=np.float64)


def value_loss(
    truth: npt.ArrayLike, answered: npt.ArrayLike, *, scale: float
) -> npt.NDArray[np.float64]:
    """Return the absolute error over `scale`, cut at 1; shape (n,).

    Args:
        truth: True values, shape (n,).
        answered: Answered values, shape (n,).
        scale: Error that counts as a loss of 1, above 0: fixed before the release, such as the range of the target.
    """
    error = np.abs(np.asarray(answered, dtype=np.float64) - np.asarray(truth, dtype=np.float64))
    return np.minimum(error / scale, 1.0)


def judge_outcome(
    rule: OutcomeRule, challenger: ArmCounts, champion: ArmCounts, *, risk: Risk
) -> Verdict:
    """Return the verdict over known outcomes since the step began; `observed` is the challenger's mean loss."""
    if challenger.outcomes == 0 or champion.outcomes == 0:
        return Verdict(
            subject=rule.subject, verdict="inconclusive", n=0, reason="no outcome is known yet"
        )
    loss = challenger.outcome_sum / challenger.outcomes
    base = champion.outcome_sum / champion.outcomes
    fail_low, _ = _bounds(challenger, risk.alpha_fail / 2)
    _, fail_line = _line(rule, champion, risk.alpha_fail / 2)
    low, high = _bounds(challenger, risk.alpha_pass / 2)
    pass_line, _ = _line(rule, champion, risk.alpha_pass / 2)
    ruling: Ruling
    if fail_low > fail_line:
        ruling, reason = "fail", "outcomes are surely worse than allowed"
    elif high <= pass_line:
        ruling, reason = "pass", "outcomes are surely not worse than allowed"
    else:
        ruling, reason = (
            "inconclusive",
            "outcomes are not yet shown to be worse than allowed, nor not worse",
        )
    return Verdict(
        subject=rule.subject,
        verdict=ruling,
        observed=loss,
        limit=rule.slope * base + rule.offset,
        interval=(low, high),
        n=challenger.outcomes,
        reason=f"{reason} (mean loss of single answers)",
        evidence={
            "champion": base,
            "champion_n": champion.outcomes,
            "line_interval": [pass_line, fail_line],
            "alpha_fail": risk.alpha_fail,
            "alpha_pass": risk.alpha_pass,
        },
    )


def _bounds(arm: ArmCounts, alpha: float) -> tuple[float, float]:
    total = min(max(arm.outcome_sum, 0.0), float(arm.outcomes))  # a sum of losses may round past n
    low, high = rate_sequence(Arm(total, arm.outcomes), alpha=alpha)
    return float(low), float(high)


def _line(rule: OutcomeRule, champion: ArmCounts, alpha: float) -> tuple[float, float]:
    low, high = _bounds(champion, alpha)
    return rule.slope * low + rule.offset, rule.slope * high + rule.offset
