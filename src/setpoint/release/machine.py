"""The state machine of a release: counts and rules in, one step out. Pure; time and counts are arguments.

Rules:
1. A guardrail that fails rolls back, at any look, whatever else holds.
2. A step moves on when it has lasted its time, the smaller arm has had `min_requests`, and every guardrail passes.
   Nothing moves on "not shown to be worse". The step to all traffic is the promotion.
3. When `max_duration` is over without that, `on_inconclusive` decides; a challenger that is surely over a limit is then
   rolled back rather than promoted.
4. Counts belong to one step: shares of traffic differ between steps, and rates may change with the hour.

Error rates, over all looks of one release: an equal challenger is rolled back with probability `alpha` at most (it is
divided by guardrails and steps); one that breaks a limit passes that guardrail at a step with probability `alpha` at
most, and must pass at every step to be promoted.

`direct` promotes at once. `blue_green`, `shadow`, `ab` and `bandit` can be written and are not acted on: `start`
refuses them.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from setpoint.errors import UsageError
from setpoint.facts.release import ArmCounts, HarmEvidence, Release
from setpoint.facts.verdict import Verdict, combine
from setpoint.release.error_rate import gather_errors, judge_error_rate
from setpoint.release.harm import Risk
from setpoint.release.latency import gather_slow, judge_latency
from setpoint.release.outcome import judge_outcome
from setpoint.release.rules import (
    ErrorRateRule,
    GuardrailRule,
    LatencyRule,
    OutcomeRule,
    ReleaseRules,
)

ACTED_ON = ("direct", "canary")

Move = Literal["wait", "advance", "promote", "roll_back", "hold"]


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What to do with a release now.

    Args:
        action: `wait` for more, `advance` to the next step, `promote`, `roll_back`, or `hold` for a person.
        verdicts: What each guardrail says.
        evidence: What guardrails have gathered in the present step; the release must remember it until the next look.
        reason: One sentence for people.
    """

    action: Move
    verdicts: tuple[Verdict, ...] = ()
    evidence: dict[str, HarmEvidence] = {}
    reason: str


def start(
    rules: ReleaseRules, *, name: str, version: int, champion: int, now: float, generation: int
) -> Release:
    """Return the release of `version` at its first step.

    Args:
        rules: The contract's rules.
        name: Names the release; salts its canary.
        version: The challenger.
        champion: The version it would replace; 0 where there is none, which makes the release direct.
        now: The present tick.
        generation: Generation of the deployment document of the first step.

    Raises:
        UsageError: The strategy is not acted on.
    """
    if rules.strategy not in ACTED_ON:
        msg = (
            f"release.strategy is {rules.strategy!r}, which is not acted on; "
            f"acted on are {' and '.join(ACTED_ON)}: write one of them"
        )
        raise UsageError(msg)
    direct = rules.strategy == "direct" or champion == 0
    return Release(
        id=name,
        version=version,
        champion=champion,
        strategy="direct" if direct else "canary",
        steps=(1.0,) if direct else tuple(step.share for step in rules.steps),
        started_at=now,
        step_at=now,
        generation=generation,
    )


def advance(release: Release, *, now: float, generation: int) -> Release:
    """Return the release at its next step; answers before `generation` no longer count."""
    return msgspec.structs.replace(
        release, step=release.step + 1, step_at=now, generation=generation, evidence={}
    )


def step(
    release: Release,
    arms: Mapping[int, ArmCounts],
    rules: ReleaseRules,
    *,
    now: float,
    measured: Sequence[Verdict] = (),
) -> Step:
    """Return what to do with `release` at `now`.

    Args:
        release: Where it stands.
        arms: Counts by version since the present step began.
        rules: The contract's rules.
        now: The present tick.
        measured: Verdicts of guardrails that another room measures, by subject.
    """
    if release.steps[release.step] >= 1.0:
        return Step(action="promote", reason="there is no step before all traffic")
    challenger, champion = _arm(arms, release.version), _arm(arms, release.champion)
    evidence = {
        rule.subject: _gather(rule, release, challenger, champion)
        for rule in rules.guardrails
        if isinstance(rule, ErrorRateRule | LatencyRule)
    }
    risk = _risk(release, rules)
    judged = [
        (rule, _judge(rule, evidence, challenger, champion, risk=risk, measured=measured))
        for rule in rules.guardrails
    ]
    missing = _missing(release, rules, challenger, champion, now)
    found = _next(release, judged, rules, missing=missing, now=now)
    return msgspec.structs.replace(found, evidence=evidence)


def slow_limits(rules: ReleaseRules) -> tuple[float, ...]:
    """Return the limits in seconds beyond which answers must be counted as slow."""
    return tuple(rule.limit_s for rule in rules.guardrails if isinstance(rule, LatencyRule))


def _next(
    release: Release,
    judged: Sequence[tuple[GuardrailRule, Verdict]],
    rules: ReleaseRules,
    *,
    missing: str,
    now: float,
) -> Step:
    verdicts = tuple(verdict for _, verdict in judged)
    if failed := [verdict for verdict in verdicts if verdict.verdict == "fail"]:
        return Step(action="roll_back", verdicts=verdicts, reason=_because(failed))
    if not missing:
        needed = [verdict for rule, verdict in judged if _decides(rule)]
        if not needed or combine(needed) == "pass":
            return _onward(release, verdicts)
        missing = _because([verdict for verdict in needed if verdict.verdict != "pass"])
    if now - release.started_at >= rules.max_duration:
        return _time_is_up(rules, verdicts, missing)
    return Step(action="wait", verdicts=verdicts, reason=missing)


def _arm(arms: Mapping[int, ArmCounts], version: int) -> ArmCounts:
    return arms.get(version, ArmCounts(version=version, requests=0, errors=0))


def _risk(release: Release, rules: ReleaseRules) -> Risk:
    tested = sum(share < 1.0 for share in release.steps) * max(1, len(rules.guardrails))
    return Risk(alpha_fail=rules.alpha / max(1, tested), alpha_pass=rules.alpha)


def _gather(
    rule: ErrorRateRule | LatencyRule, release: Release, challenger: ArmCounts, champion: ArmCounts
) -> HarmEvidence:
    before = release.evidence.get(rule.subject, HarmEvidence())
    if isinstance(rule, ErrorRateRule):
        return gather_errors(before, challenger, champion)
    return gather_slow(rule, before, challenger, champion)


def _judge(
    rule: GuardrailRule,
    evidence: Mapping[str, HarmEvidence],
    challenger: ArmCounts,
    champion: ArmCounts,
    *,
    risk: Risk,
    measured: Sequence[Verdict],
) -> Verdict:
    if isinstance(rule, ErrorRateRule):
        return judge_error_rate(rule, evidence[rule.subject], risk=risk)
    if isinstance(rule, LatencyRule):
        return judge_latency(rule, evidence[rule.subject], risk=risk)
    if isinstance(rule, OutcomeRule):
        return judge_outcome(rule, challenger, champion, risk=risk)
    for verdict in measured:
        if verdict.subject == rule.subject:
            return verdict
    return Verdict(subject=rule.subject, verdict="inconclusive", reason="was not measured")


def _decides(rule: GuardrailRule) -> bool:
    """Whether a step waits for this guardrail: one that is watched after promotion can only roll back."""
    return not (isinstance(rule, OutcomeRule) and rule.after is not None)


def _missing(
    release: Release,
    rules: ReleaseRules,
    challenger: ArmCounts,
    champion: ArmCounts,
    now: float,
) -> str:
    hold = _hold(release, rules)
    if now - release.step_at < hold:
        return f"the step lasts {hold:g} ticks and has lasted {now - release.step_at:g}"
    smaller = min(challenger.requests, champion.requests)
    if smaller < rules.min_requests:
        return f"the smaller arm has had {smaller:,} of {rules.min_requests:,} requests"
    return ""


def _hold(release: Release, rules: ReleaseRules) -> float:
    """Return how long the present step lasts at least; 0 where the contract has no step of its share any more."""
    share = release.steps[release.step]
    return next((step.hold for step in rules.steps if step.share == share), 0.0)


def _onward(release: Release, verdicts: tuple[Verdict, ...]) -> Step:
    following = release.steps[release.step + 1]
    why = "every guardrail passes" if verdicts else "no guardrail is set"
    if following >= 1.0:
        return Step(action="promote", verdicts=verdicts, reason=f"{why} at the last step")
    reason = f"{why} at {release.steps[release.step]:.0%} of traffic"
    return Step(action="advance", verdicts=verdicts, reason=f"{reason}; next is {following:.0%}")


def _time_is_up(rules: ReleaseRules, verdicts: tuple[Verdict, ...], missing: str) -> Step:
    reason = f"max_duration is over, and {missing}"
    over = [verdict for verdict in verdicts if verdict.evidence.get("over_limit")]
    match rules.on_inconclusive:
        case "rollback":
            return Step(action="roll_back", verdicts=verdicts, reason=reason)
        case "promote" if over:
            return Step(action="roll_back", verdicts=verdicts, reason=f"{reason}; {_because(over)}")
        case "promote":
            return Step(action="promote", verdicts=verdicts, reason=reason)
        case _:
            return Step(action="hold", verdicts=verdicts, reason=reason)


def _because(verdicts: Sequence[Verdict]) -> str:
    return "; ".join(f"{verdict.subject}: {verdict.reason}" for verdict in verdicts)
