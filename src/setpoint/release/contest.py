"""The end of an A/B test and of a bandit: by outcomes, once they surely tell which version is better.

A posterior that is looked at again and again promises too much: of challengers that are as good as the champion, 28 %
are "the better one with a probability of 95 %" at some time within 20,000 outcomes, 39 % within 100,000 (simulated,
looks every 100 outcomes). So both end by the comparison that holds at every look; a bandit's probabilities move its
shares alone.
"""

from collections.abc import Mapping

import msgspec

from setpoint.facts.release import Comparison
from setpoint.facts.verdict import Verdict
from setpoint.release.bandit import (
    Chances,
    chances,
    is_search_over,
    is_worth_publishing,
    share_for,
)
from setpoint.release.comparison import compare, judge_comparison
from setpoint.release.look import Look, because, too_early, wait_or_end
from setpoint.release.move import Step
from setpoint.release.rules import OutcomeRule


def next_of_ab(look: Look) -> Step:
    """Return what to do with an A/B test."""
    compared, verdict = _compare(look, {"0": look.release.steps[0]})
    return msgspec.structs.replace(_next(look, verdict), comparison=compared)


def next_of_bandit(look: Look) -> Step:
    """Return what to do with a bandit: what an A/B test would, or an end of the search, or new shares."""
    release = look.release
    compared, verdict = _compare(look, release.weights)
    margin = next((one for one in look.rules.guardrails if isinstance(one, OutcomeRule)), None)
    found = chances(look.challenger, look.champion, margin)
    step = _next(look, verdict)
    if step.action in ("wait", "hold") and found.fewest >= look.rules.min_requests:
        step = _search(look, step, found)
    return msgspec.structs.replace(
        step,
        comparison=compared,
        weighed=found.outcomes,
        numbers={
            "p_best": found.best,
            "p_worth": found.remaining,
            "worth": found.worth,
            "outcomes": found.outcomes,
        },
    )


def _search(look: Look, step: Step, found: Chances) -> Step:
    """Return the step of a bandit that its comparison does not end: over, new shares, or as before."""
    release = look.release
    if is_search_over(found, look.challenger, look.champion, alpha=look.risk.alpha_pass):
        reason = (
            f"nothing worth having is left to be found: outcomes are surely not better by {found.worth:.2g}, "
            f"and version {release.champion} is in place"
        )
        return msgspec.structs.replace(step, action="roll_back", reason=reason)
    share = share_for(found, floor=release.steps[0])
    if is_worth_publishing(share, release.share, found, release.weighed):
        reason = _say(found, share, release.version)
        return msgspec.structs.replace(step, action="weigh", share=share, reason=reason)
    return step


def _compare(look: Look, shares: Mapping[str, float]) -> tuple[Comparison, Verdict]:
    arms = look.challenger, look.champion
    compared = compare(look.release.comparison, *arms)
    metric = look.rules.primary
    return compared, judge_comparison(metric, compared, arms, risk=look.risk, shares=shares)


def _next(look: Look, verdict: Verdict) -> Step:
    verdicts = (*look.verdicts, verdict)
    if failed := [one for one in verdicts if one.verdict == "fail"]:
        return Step(action="roll_back", verdicts=verdicts, reason=because(failed))
    open_still = [*look.not_passed, *([] if verdict.verdict == "pass" else [verdict])]
    if missing := too_early(look) or because(open_still):
        return wait_or_end(look, missing, verdicts)
    return Step(action="promote", verdicts=verdicts, reason=verdict.reason)


def _say(found: Chances, share: float, version: int) -> str:
    return (
        f"version {version} is the better one with a probability of {found.best:.0%}, by {found.outcomes:,} outcomes; "
        f"it gets {share:.0%} of the traffic"
    )
