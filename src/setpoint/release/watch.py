"""After promotion: the replaced champion goes on answering the same rows, and labels that arrive judge both.

Pairs are the strongest evidence there is: the same rows, so that a hard week is hard for both. Each new pair is a bet
against "the promoted version keeps the rule"; the loss beyond the rule's line (see `OutcomeRule`) is a number within
fixed bounds, so that the wealth of the bets is exact evidence at every look, in any order of the loop's passes.

Error rates: a promoted version that keeps the rule is ever rolled back with probability `alpha` at most; `pass` for one
that breaks it likewise. Rows need not be alike: it is enough that each one's expected loss, given the past, is.
"""

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from setpoint.facts.release import Watch
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.release.rules import OutcomeRule
from setpoint.stats.betting import betting_evidence


class WatchStep(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a watched version now: `roll_back`, `wait` for more outcomes, or be `done`."""

    action: Literal["roll_back", "wait", "done"]
    verdict: Verdict
    reason: str


def watch(
    watched: Watch,
    rule: OutcomeRule,
    promoted: npt.ArrayLike,
    replaced: npt.ArrayLike,
    *,
    now: float,
    alpha: float = 0.05,
) -> WatchStep:
    """Return what to do with a promoted version, on the outcomes that are known.

    Args:
        watched: Which versions, from when until when.
        rule: The outcome guardrail.
        promoted: Losses of the promoted version in [0, 1], in the order in which labels arrived, shape (n,).
        replaced: Losses of the version it replaced on the same rows, shape (n,).
        now: The present tick.
        alpha: Probability of a false rollback, at most.

    Raises:
        ValueError: The losses are not pairs, or not in [0, 1].
    """
    verdict = judge_pairs(rule, promoted, replaced, alpha=alpha)
    if verdict.verdict == "fail":
        return WatchStep(action="roll_back", verdict=verdict, reason=verdict.reason)
    if now >= watched.until:
        return WatchStep(
            action="done",
            verdict=verdict,
            reason=f"the watch since promotion is over: {verdict.reason}",
        )
    return WatchStep(action="wait", verdict=verdict, reason=verdict.reason)


def judge_pairs(
    rule: OutcomeRule, promoted: npt.ArrayLike, replaced: npt.ArrayLike, *, alpha: float
) -> Verdict:
    """Return the verdict over pairs of losses; `observed` is the mean loss beyond the rule's line."""
    new = np.asarray(promoted, dtype=np.float64)
    old = np.asarray(replaced, dtype=np.float64)
    if new.shape != old.shape or new.ndim != 1:
        msg = f"losses must be pairs, got shapes {new.shape} and {old.shape}"
        raise ValueError(msg)
    if new.size == 0:
        return Verdict(
            subject=rule.subject, verdict="inconclusive", n=0, reason="no outcome is known yet"
        )
    beyond = new - rule.slope * old - rule.offset  # in [-slope - offset, 1 - offset]
    scaled = np.clip((beyond + rule.slope + rule.offset) / (1.0 + rule.slope), 0.0, 1.0)
    limit = (rule.slope + rule.offset) / (1.0 + rule.slope)
    worse = _highest(scaled, limit)
    kept = _highest(1.0 - scaled, 1.0 - limit)
    needed = float(np.log(1.0 / alpha))
    ruling: Ruling = "inconclusive"
    reason = "outcomes are not yet shown to be worse than allowed, nor not worse"
    if worse >= needed:
        ruling, reason = "fail", "outcomes on the same rows are surely worse than allowed"
    elif kept >= needed:
        ruling, reason = "pass", "outcomes on the same rows are surely not worse than allowed"
    return Verdict(
        subject=rule.subject,
        verdict=ruling,
        observed=float(beyond.mean()),
        limit=0.0,
        n=int(new.size),
        reason=reason,
        evidence={
            "promoted": float(new.mean()),
            "replaced": float(old.mean()),
            "p_kept": float(np.exp(-worse)),
            "p_broken": float(np.exp(-kept)),
            "alpha": alpha,
        },
    )


def _highest(values: npt.NDArray[np.float64], limit: float) -> float:
    """The highest log evidence so far: once shown, always shown, at whatever row the loop looks."""
    if not 0.0 < limit < 1.0:  # a margin of everything: nothing can be beyond it
        return 0.0
    return max(0.0, float(betting_evidence(values, limit).max()))
