"""The state machine of a release: counts and rules in, one step out. Pure; time and counts are arguments.

Rules of every strategy:
1. A guardrail that fails rolls back, at any look, whatever else holds.
2. A step moves on when it has lasted its time, each arm has had `min_requests`, and every guardrail passes.
   Nothing moves on "not shown to be worse".
3. When `max_duration` is over without that, `on_inconclusive` decides; a challenger that is surely over a limit is then
   rolled back rather than promoted.
4. Counts belong to one step: shares of traffic differ between steps, and rates may change with the hour.

The strategies:
- `direct` promotes at once.
- `canary` gives the challenger growing shares of traffic; the step to all traffic is the promotion.
- `shadow` gives it copies of growing shares of requests; nobody is given its answers. The last step is judged too.
- `blue_green` prepares it everywhere, gives it all traffic in one switch, and then judges it alone.
- `ab` keeps one split until outcomes tell which version is better.
- `bandit` does so too, and meanwhile gives more traffic to the version that seems better.

Error rates, over all looks of one release: an equal challenger is rolled back with probability `alpha` at most (it is
divided by guardrails and steps); one that breaks a limit passes that guardrail at a step with probability `alpha` at
most, and must pass at every step to be promoted. One that is not better is promoted by `ab` or `bandit` with
probability `alpha` at most.
"""

from collections.abc import Mapping, Sequence

import msgspec

from setpoint.facts.deployment import Strategy
from setpoint.facts.release import ArmCounts, Release
from setpoint.facts.verdict import Verdict
from setpoint.release.contest import next_of_ab, next_of_bandit
from setpoint.release.look import (
    Look,
    Seen,
    because,
    look_at,
    roll_back_if_broken,
    too_early,
    wait_or_end,
)
from setpoint.release.move import Step
from setpoint.release.rules import LatencyRule, ReleaseRules

EVEN = 0.5
"""Share of traffic that a bandit begins with."""


def start(
    rules: ReleaseRules, *, name: str, version: int, champion: int, now: float, generation: int
) -> Release:
    """Return the release of `version` at its first step.

    Args:
        rules: The contract's rules.
        name: Names the release; salts its draws.
        version: The challenger.
        champion: The version it would replace; 0 where there is none, which makes the release direct.
        now: The present tick.
        generation: Generation of the deployment document of the first step.
    """
    strategy: Strategy = "direct" if champion == 0 else rules.strategy
    return Release(
        id=name,
        version=version,
        champion=champion,
        strategy=strategy,
        steps=_steps(strategy, rules),
        started_at=now,
        step_at=now,
        generation=generation,
        weights={str(generation): EVEN} if strategy == "bandit" else {},
    )


def advance(release: Release, *, now: float, generation: int) -> Release:
    """Return the release at its next step; answers before `generation` no longer count."""
    return msgspec.structs.replace(
        release, step=release.step + 1, step_at=now, generation=generation, evidence={}, held=False
    )


def weigh(release: Release, found: Step, *, generation: int) -> Release:
    """Return the release of a bandit with new shares; what was gathered goes on."""
    weights = {**release.weights, str(generation): found.share}
    return msgspec.structs.replace(release, weights=weights, weighed=found.weighed)


def step(
    release: Release,
    arms: Mapping[int, ArmCounts],
    rules: ReleaseRules,
    *,
    now: float,
    measured: Sequence[Verdict] = (),
    unready: str = "",
    numbers: Mapping[str, float] | None = None,
) -> Step:
    """Return what to do with `release` at `now`.

    Args:
        release: Where it stands.
        arms: Counts by version since the present step began; of a shadow, those of copied requests alone.
        rules: The contract's rules.
        now: The present tick.
        measured: Verdicts of guardrails that another room measures, by subject.
        unready: Why the challenger could not answer all requests yet, or empty.
        numbers: Further numbers that people should see beside the verdicts.
    """
    if release.strategy in ("direct", "canary") and release.share >= 1.0:
        return Step(action="promote", reason="there is no step before all traffic")
    seen = Seen(arms, now, measured, unready)
    look = look_at(release, rules, seen)
    match release.strategy:
        case "blue_green":
            found = _next_of_blue_green(look)
        case "ab":
            found = next_of_ab(look)
        case "bandit":
            found = next_of_bandit(look)
        case _:
            found = _next_of_steps(look)
    told = {**(numbers or {}), **found.numbers}
    return msgspec.structs.replace(found, evidence=look.evidence, numbers=told)


def slow_limits(rules: ReleaseRules) -> tuple[float, ...]:
    """Return the limits in seconds beyond which answers must be counted as slow."""
    return tuple(rule.limit_s for rule in rules.guardrails if isinstance(rule, LatencyRule))


def _steps(strategy: Strategy, rules: ReleaseRules) -> tuple[float, ...]:
    shares = tuple(step.share for step in rules.steps)
    match strategy:
        case "direct":
            return (1.0,)
        case "blue_green":
            return (0.0, 1.0)
        case "ab" | "bandit":
            return shares[:1]
        case _:
            return shares


def _next_of_steps(look: Look) -> Step:
    """Return what to do with a canary or a shadow."""
    broken = roll_back_if_broken(look)
    if broken is not None:
        return broken
    missing = too_early(look) or because(look.not_passed)
    return wait_or_end(look, missing) if missing else _onward(look)


def _next_of_blue_green(look: Look) -> Step:
    """Return what to do with a challenger that is prepared beside the champion, or has all traffic in its place."""
    broken = roll_back_if_broken(look)
    if broken is not None:
        return broken
    if look.release.step == 0:
        if look.seen.unready:
            found = wait_or_end(look, look.seen.unready)
            # What gateways cannot answer with is not promoted, whatever the contract says of time.
            is_promoted = found.action == "promote"
            return msgspec.structs.replace(found, action="hold") if is_promoted else found
        reason = "every gateway is ready; all traffic goes there in one switch"
        return Step(action="advance", reason=reason)
    missing = too_early(look) or because(look.not_passed)
    if missing:
        return wait_or_end(look, missing)
    reason = f"{_passes(look)} with all traffic"
    return Step(action="promote", verdicts=look.verdicts, reason=reason)


def _onward(look: Look) -> Step:
    release, verdicts = look.release, look.verdicts
    following = release.steps[release.step + 1 :]
    is_shadow = release.strategy == "shadow"
    if not following or (following[0] >= 1.0 and not is_shadow):
        return Step(action="promote", verdicts=verdicts, reason=f"{_passes(look)} at the last step")
    of = "requests copied" if is_shadow else "traffic"
    reason = (
        f"{_passes(look)} at {release.steps[release.step]:.0%} of {of}; next is {following[0]:.0%}"
    )
    return Step(action="advance", verdicts=verdicts, reason=reason)


def _passes(look: Look) -> str:
    return "every guardrail passes" if look.verdicts else "no guardrail is set"
