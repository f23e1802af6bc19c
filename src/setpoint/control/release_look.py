"""What a release under way shows: counts of its arms, and the guardrails that other rooms measure. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from setpoint.contract.contract import Contract
from setpoint.contract.release import SkewGuardrail
from setpoint.control.pairing import Pairs, loss_scale, pairs_since
from setpoint.control.releasing import rules_of
from setpoint.control.world import World
from setpoint.facts.answers import Scored
from setpoint.facts.gateway_report import GatewayReport
from setpoint.facts.release import ArmCounts, Release
from setpoint.facts.shadow import ShadowEvidence
from setpoint.facts.state import LoopState
from setpoint.facts.verdict import Verdict
from setpoint.monitor.serving_skew import judge_skew
from setpoint.release.look import is_watched_later, risk_of
from setpoint.release.machine import slow_limits, step
from setpoint.release.move import Step
from setpoint.release.rules import OutcomeRule, ReleaseRules
from setpoint.release.served import judge_refused, step_as_served, why_unready
from setpoint.release.watch import judge_pairs


@dataclass(frozen=True)
class _Found:
    """What was counted and measured.

    Args:
        arms: Counts by version.
        own: What the challenger answered since the release began.
        measured: Verdicts of guardrails that the counts do not give.
        numbers: Further numbers for people.
    """

    arms: Mapping[int, ArmCounts]
    own: Scored
    measured: Sequence[Verdict] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


def look_at_release(
    world: World, contract: Contract, state: LoopState, reports: Sequence[GatewayReport]
) -> Step | None:
    """Return what the rules say of the release under way; None where there is none.

    Args:
        world: The ports.
        contract: The contract.
        state: The state.
        reports: The reports of the gateways that live.
    """
    release = state.release
    if release is None or release.strategy == "direct":
        return None
    if judge_refused(release.version, reports) is not None:
        # It goes back whatever was counted; to count would open its bundle, which may be why it is refused.
        return step_as_served(Step(action="wait", reason=""), release, reports)
    rules = rules_of(contract, state, wall_clock=world.wall_clock)
    if release.strategy == "shadow":
        found = _shadowed(world, state, release, rules)
    else:
        found = _answered(world, state, release, rules)
    skew = _skew(world, contract, state, found.own, rules)
    said = step(
        release,
        found.arms,
        rules,
        now=world.clock.now(),
        measured=[*found.measured, *skew],
        unready=why_unready(release, reports),
        numbers=found.numbers,
    )
    return step_as_served(said, release, reports)


def _answered(world: World, state: LoopState, release: Release, rules: ReleaseRules) -> _Found:
    """Return what both arms answered; of a blue-green release, outcomes on the rows that the challenger alone had."""
    scale = loss_scale(state)
    arms = world.traffic.arms(release.generation, slow_limits(rules), scale=scale)
    (own,) = world.traffic.scored(release.version, [(release.started_at, world.clock.now())])
    outcomes = _outcome_rules(rules)
    if release.strategy != "blue_green" or release.step == 0 or not outcomes:
        return _Found(arms, own)
    pairs = pairs_since(world, state, release.step_at, (release.version, release.champion))
    return _Found(arms, own, _judge_pairs(outcomes, pairs, release, rules))


def _shadowed(world: World, state: LoopState, release: Release, rules: ReleaseRules) -> _Found:
    """Return what a shadow answered beside the live answers to the same rows.

    Outcomes are paired row by row, so that those of earlier steps are as good; rates are of this step alone.
    """
    scale, now = loss_scale(state), world.clock.now()
    found = world.traffic.shadowed(
        release.version,
        release.step_at,
        now,
        generation=release.generation,
        slow_s=slow_limits(rules),
        scale=scale,
    )
    arms = {release.version: found.shadow, release.champion: found.live}
    since = found
    if release.step > 0:
        since = world.traffic.shadowed(release.version, release.started_at, now, scale=scale)
    pairs = Pairs(since.losses, since.live_losses)
    measured = _judge_pairs(_outcome_rules(rules), pairs, release, rules)
    return _Found(arms, since.scored, measured, _agreement(found))


def _agreement(found: ShadowEvidence) -> dict[str, float]:
    """Return how far the answers of a shadow agree with the live ones."""
    if not found.compared:
        return {}
    numbers: dict[str, float] = {"compared": found.compared}
    if found.agreed is not None:
        numbers["agreement"] = found.agreed / found.compared
    if found.differences.size:
        numbers["mean_difference"] = float(found.differences.mean())
    return numbers


def _outcome_rules(rules: ReleaseRules) -> list[OutcomeRule]:
    """Return the guardrails over outcomes that are judged during the release."""
    return [
        rule
        for rule in rules.guardrails
        if isinstance(rule, OutcomeRule) and not is_watched_later(rule)
    ]


def _judge_pairs(
    outcomes: Sequence[OutcomeRule], pairs: Pairs, release: Release, rules: ReleaseRules
) -> list[Verdict]:
    if pairs.withheld:
        reason = (
            f"version {release.champion} cannot answer the same rows: by the contract the log does not "
            f"have {', '.join(pairs.withheld)} as they were"
        )
        return [
            Verdict(subject=rule.subject, verdict="inconclusive", n=pairs.known, reason=reason)
            for rule in outcomes
        ]
    alpha = risk_of(release, rules).alpha_fail
    return [judge_pairs(rule, pairs.losses, pairs.other, alpha=alpha) for rule in outcomes]


def _skew(
    world: World, contract: Contract, state: LoopState, own: Scored, rules: ReleaseRules
) -> list[Verdict]:
    """Return how far the challenger's live answers are from those on its own test rows, where the contract asks."""
    rails = [rail for rail in contract.release.guardrails if isinstance(rail, SkewGuardrail)]
    if not rails or state.release is None:
        return []
    profile = world.bundles.profile(state.versions[str(own.version)].artifact)
    alpha = risk_of(state.release, rules).alpha_fail
    return [
        judge_skew(rail.subject, profile, own, limit=float(rail.serving_skew), alpha=alpha)
        for rail in rails
    ]
