"""One look at a release: what its arms have shown by now, and what each guardrail says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from setpoint.facts.release import ArmCounts, HarmEvidence, Release
from setpoint.facts.verdict import Verdict, combine
from setpoint.release.error_rate import gather_errors, judge_error_rate, judge_error_rate_alone
from setpoint.release.harm import Risk
from setpoint.release.latency import gather_slow, judge_latency, judge_latency_alone
from setpoint.release.move import Step
from setpoint.release.outcome import judge_outcome
from setpoint.release.rules import (
    ErrorRateRule,
    GuardrailRule,
    LatencyRule,
    OutcomeRule,
    ReleaseRules,
)

COMPARING = ("ab", "bandit")
"""Strategies that compare the outcomes of both arms outright, and end by that."""


@dataclass(frozen=True)
class Seen:
    """What is known of a release from outside.

    Args:
        arms: Counts by version since the present step began; of a shadow, those of copied requests alone.
        now: The present tick.
        measured: Verdicts of guardrails that another room measures, by subject.
        unready: Why the challenger could not answer all requests yet, or empty.
    """

    arms: Mapping[int, ArmCounts]
    now: float
    measured: Sequence[Verdict] = ()
    unready: str = ""


@dataclass(frozen=True)
class Look:
    """One look at a release.

    Args:
        release: Where it stands.
        rules: The contract's rules.
        seen: What is known from outside.
        judged: Each guardrail with its verdict.
        evidence: What they have gathered.
        risk: Error probabilities of each.
    """

    release: Release
    rules: ReleaseRules
    seen: Seen
    judged: tuple[tuple[GuardrailRule, Verdict], ...]
    evidence: dict[str, HarmEvidence]
    risk: Risk

    @property
    def challenger(self) -> ArmCounts:
        """What the challenger has shown."""
        return arm_of(self.seen.arms, self.release.version)

    @property
    def champion(self) -> ArmCounts:
        """What the champion has shown beside it."""
        return arm_of(self.seen.arms, self.release.champion)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What each guardrail says."""
        return tuple(verdict for _, verdict in self.judged)

    @property
    def failed(self) -> list[Verdict]:
        """Guardrails that the challenger breaks."""
        return [verdict for verdict in self.verdicts if verdict.verdict == "fail"]

    @property
    def not_passed(self) -> list[Verdict]:
        """What keeps the challenger from moving on; one that is watched after promotion can only roll back."""
        deciding = [verdict for rule, verdict in self.judged if not is_watched_later(rule)]
        return [] if combine(deciding) == "pass" else [v for v in deciding if v.verdict != "pass"]


def look_at(release: Release, rules: ReleaseRules, seen: Seen) -> Look:
    """Return what guardrails say of a release by now."""
    challenger, champion = (
        arm_of(seen.arms, release.version),
        arm_of(seen.arms, release.champion),
    )
    rules_now = [
        rule
        for rule in rules.guardrails
        if not (isinstance(rule, OutcomeRule) and release.strategy in COMPARING)
    ]
    evidence = {}
    if release.strategy != "blue_green":  # its arms never answer at once
        evidence = {
            rule.subject: _gather(rule, release, challenger, champion)
            for rule in rules_now
            if isinstance(rule, ErrorRateRule | LatencyRule)
        }
    risk = risk_of(release, rules)
    told = {verdict.subject: verdict for verdict in seen.measured}
    judged = tuple(
        (
            rule,
            told.get(rule.subject)
            or _judge(rule, evidence.get(rule.subject), challenger, champion, risk=risk),
        )
        for rule in rules_now
    )
    return Look(release, rules, seen, judged, evidence, risk)


def risk_of(release: Release, rules: ReleaseRules) -> Risk:
    """Return the error probabilities of one guardrail at one step: those of the whole release, divided."""
    tests = max(1, len(rules.guardrails))
    match release.strategy:
        case "canary":
            tests *= max(1, sum(share < 1.0 for share in release.steps))
        case "shadow":
            tests *= len(release.steps)
        case "ab" | "bandit":
            tests += 1  # the comparison itself
    return Risk(alpha_fail=rules.alpha / tests, alpha_pass=rules.alpha)


def roll_back_if_broken(look: Look) -> Step | None:
    """Return the way back where a guardrail fails, at any look, whatever else holds."""
    if not look.failed:
        return None
    return Step(action="roll_back", verdicts=look.verdicts, reason=because(look.failed))


def too_early(look: Look) -> str:
    """Return what the present step must still see before it may end; empty where nothing."""
    release, rules, now = look.release, look.rules, look.seen.now
    hold = _hold(release, rules)
    if now - release.step_at < hold:
        return f"the step lasts {hold:g} ticks and has lasted {now - release.step_at:g}"
    least = rules.min_requests
    if release.strategy == "blue_green":
        had, who = look.challenger.requests, "the challenger"
    else:
        had, who = min(look.challenger.requests, look.champion.requests), "the smaller arm"
    what = "copied requests" if release.strategy == "shadow" else "requests"
    return f"{who} has had {had:,} of {least:,} {what}" if had < least else ""


def wait_or_end(look: Look, missing: str, verdicts: tuple[Verdict, ...] = ()) -> Step:
    """Return `wait`, or what the contract says of a release whose time is up."""
    verdicts = verdicts or look.verdicts
    if look.seen.now - look.release.started_at < look.rules.max_duration:
        return Step(action="wait", verdicts=verdicts, reason=missing)
    reason = f"max_duration is over, and {missing}"
    over = [verdict for verdict in verdicts if verdict.evidence.get("over_limit")]
    match look.rules.on_inconclusive:
        case "rollback":
            return Step(action="roll_back", verdicts=verdicts, reason=reason)
        case "promote" if over:
            return Step(action="roll_back", verdicts=verdicts, reason=f"{reason}; {because(over)}")
        case "promote":
            return Step(action="promote", verdicts=verdicts, reason=reason)
        case _:
            return Step(action="hold", verdicts=verdicts, reason=reason)


def because(verdicts: Sequence[Verdict]) -> str:
    """Return what verdicts say, as one sentence."""
    return "; ".join(f"{verdict.subject}: {verdict.reason}" for verdict in verdicts)


def is_watched_later(rule: GuardrailRule) -> bool:
    """Return whether a guardrail is judged after promotion, so that no step waits for it."""
    return isinstance(rule, OutcomeRule) and rule.after is not None


def arm_of(arms: Mapping[int, ArmCounts], version: int) -> ArmCounts:
    """Return the counts of a version; none where it answered nothing."""
    return arms.get(version, ArmCounts(version=version, requests=0, errors=0))


def _hold(release: Release, rules: ReleaseRules) -> float:
    """Return how long the present step lasts at least; 0 where the contract has no step of its share any more."""
    share = release.steps[release.step]
    return next((step.hold for step in rules.steps if step.share == share), 0.0)


def _gather(
    rule: ErrorRateRule | LatencyRule, release: Release, challenger: ArmCounts, champion: ArmCounts
) -> HarmEvidence:
    before = release.evidence.get(rule.subject, HarmEvidence())
    if isinstance(rule, ErrorRateRule):
        return gather_errors(before, challenger, champion)
    return gather_slow(rule, before, challenger, champion)


def _judge(
    rule: GuardrailRule,
    found: HarmEvidence | None,
    challenger: ArmCounts,
    champion: ArmCounts,
    *,
    risk: Risk,
) -> Verdict:
    """Return the verdict of a guardrail by counts; without evidence, the challenger is judged alone."""
    if isinstance(rule, ErrorRateRule):
        if found is None:
            return judge_error_rate_alone(rule, challenger, risk=risk)
        return judge_error_rate(rule, found, risk=risk)
    if isinstance(rule, LatencyRule):
        if found is None:
            return judge_latency_alone(rule, challenger, risk=risk)
        return judge_latency(rule, found, risk=risk)
    if isinstance(rule, OutcomeRule):
        return judge_outcome(rule, challenger, champion, risk=risk)
    return Verdict(subject=rule.subject, verdict="inconclusive", reason="was not measured")
