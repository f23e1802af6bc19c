"""The way of a version to production: start a release, take a step, promote, roll back, watch what was promoted."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec
import numpy as np

from setpoint.contract.contract import Contract
from setpoint.control.change import Change, change
from setpoint.control.pairing import Pairs, loss_scale, pairs_since
from setpoint.control.world import World
from setpoint.errors import UsageError
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.release import Release, Watch
from setpoint.facts.state import LoopState
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import ModelVersion
from setpoint.release.deployment import Serving, deployment_of
from setpoint.release.machine import advance, start, weigh
from setpoint.release.move import Step
from setpoint.release.rules import OutcomeRule, ReleaseRules, release_rules
from setpoint.release.watch import WatchStep, watch

_NO_NUMBERS: Mapping[str, Any] = MappingProxyType({})


def rules_of(contract: Contract, state: LoopState, *, wall_clock: bool = True) -> ReleaseRules:
    """Return the contract's rules of a release; errors of a regression are scaled by the champion's own spread.

    Without a wall clock (a replay) the rules over the time to answer are left out: nobody measures it there.
    """
    return release_rules(
        contract.release,
        axis=contract.axis,
        loss_scale=loss_scale(state),
        wall_clock=wall_clock,
        primary=contract.primary_metric,
    )


def begin(world: World, contract: Contract, state: LoopState, version: ModelVersion) -> Change:
    """Start the release of a registered version; without a champion, or when direct, it is promoted at once."""
    now = world.clock.now()
    release = start(
        rules_of(contract, state),
        name=f"{contract.model.name}-r{version.version}",
        version=version.version,
        champion=state.champion,
        now=now,
        generation=state.generation + 1,
    )
    if release.strategy == "direct":
        reason = "there is no champion yet" if state.champion == 0 else "the release is direct"
        return promote(world, contract, state, version.version, reason=reason)
    after = deploy(world, contract, msgspec.structs.replace(state, release=release, proposed=0))
    return change(
        after,
        "release",
        f"version {version.version} gets {release.lot}",
        at=now,
        version=version.version,
        numbers=_lot(after),
    )


def move(
    world: World, contract: Contract, state: LoopState, release: Release, step: Step
) -> Change:
    """Carry out one step of a release: the next share, shares weighed anew, promotion, or back."""
    if step.action == "roll_back":
        return roll_back(
            world,
            contract,
            state,
            release.version,
            reason=step.reason,
            verdicts=step.verdicts,
            numbers=step.numbers,
        )
    if step.action == "promote":
        return promote(
            world,
            contract,
            state,
            release.version,
            reason=step.reason,
            verdicts=step.verdicts,
            numbers=step.numbers,
        )
    now, generation = world.clock.now(), state.generation + 1
    if step.action == "weigh":
        onward = weigh(release, step, generation=generation)
    else:
        onward = advance(release, now=now, generation=generation)
    after = deploy(world, contract, msgspec.structs.replace(state, release=onward))
    return change(
        after,
        "weigh" if step.action == "weigh" else "advance",
        step.reason,
        at=now,
        version=release.version,
        verdicts=step.verdicts,
        numbers={**_lot(after), **step.numbers},
    )


def hold(world: World, state: LoopState, release: Release, step: Step) -> Change:
    """Tell, once, that a release had its time without a verdict: the contract wants a person to decide."""
    held = msgspec.structs.replace(release, held=True)
    reason = (
        f"{step.reason}; decide by release.on_inconclusive: promote or rollback, or give it time by max_duration, "
        "in the contract that setpoint up is started with"
    )
    return change(
        msgspec.structs.replace(state, release=held),
        "hold",
        reason,
        at=world.clock.now(),
        version=release.version,
        verdicts=step.verdicts,
        numbers=step.numbers,
    )


def _lot(state: LoopState) -> dict[str, float]:
    """Return what a challenger has from now on, as plain numbers."""
    release = state.release
    if release is None:
        return {}
    copied = {"copied": release.copied} if release.copied else {}
    return {"share": release.share, **copied, "generation": state.generation}


def promote(
    world: World,
    contract: Contract,
    state: LoopState,
    version: int,
    *,
    reason: str,
    verdicts: tuple[Verdict, ...] = (),
    numbers: Mapping[str, Any] = _NO_NUMBERS,
) -> Change:
    """Make a version the champion; a new promotion starts the count of candidates anew."""
    now = world.clock.now()
    replaced = state.champion
    after = msgspec.structs.replace(
        state,
        champion=version,
        previous=replaced,
        release=None,
        proposed=0,
        candidates=0,
        promoted_at=now,
        watched=now,
        breaches=(),
        watch=_watch(contract, state, version, now) if replaced else None,
    )
    after = deploy(world, contract, after)
    words = f"version {version} is the champion: {reason}"
    told = {"replaced": replaced, "generation": after.generation, **numbers}
    return change(after, "promote", words, at=now, version=version, verdicts=verdicts, numbers=told)


def roll_back(
    world: World,
    contract: Contract,
    state: LoopState,
    version: int,
    *,
    reason: str,
    verdicts: tuple[Verdict, ...] = (),
    numbers: Mapping[str, Any] = _NO_NUMBERS,
) -> Change:
    """Take all traffic from a version: a challenger's release ends, or the champion's place goes to the one before.

    Raises:
        UsageError: There is no earlier version to go back to.
    """
    now = world.clock.now()
    back_to = state.champion
    if version == state.champion:
        back_to = state.previous
        if not back_to:
            msg = f"version {version} is the first champion; there is no earlier version to go back to"
            raise UsageError(msg)
    rejected = state.versions[str(version)].artifact
    after = msgspec.structs.replace(
        state, release=None, rejected=tuple(dict.fromkeys((*state.rejected, rejected)))
    )
    if version == state.champion:  # what is watched changes only with the champion
        after = msgspec.structs.replace(
            after, champion=back_to, previous=0, watch=None, watched=now, breaches=()
        )
    after = deploy(world, contract, after)
    return change(
        after,
        "roll_back",
        f"version {version} is taken back, version {back_to} has all traffic: {reason}",
        at=now,
        version=version,
        verdicts=verdicts,
        numbers={"back_to": back_to, "generation": after.generation, **numbers},
    )


def renew(world: World, contract: Contract, state: LoopState, *, reason: str) -> Change:
    """Make the deployment document anew with the same versions and shares, since gateways must log otherwise."""
    after = deploy(world, contract, state)
    numbers = {"generation": after.generation}
    return change(after, "renew", reason, at=world.clock.now(), numbers=numbers)


def deploy(world: World, contract: Contract, state: LoopState) -> LoopState:
    """Return the state with the next deployment document, which follows from the rest of it."""
    generation = state.generation + 1
    document = deployment_of(
        Serving(
            model=contract.model.name,
            contract=contract.digest,
            sticky=contract.require_data().key or "",
            log=contract.serve.log,
            kept=contract.require_data().withheld,
        ),
        {
            version.version: Deployed(
                version=version.version,
                bundle=str(world.bundles.find(version.artifact)),
                artifact=version.artifact,
                runtime=version.runtime,
            )
            for version in _served(state)
        },
        champion=state.champion,
        generation=generation,
        release=state.release,
        previous=state.previous,
    )
    return msgspec.structs.replace(state, generation=generation, deployment=document)


def project(world: World, state: LoopState) -> None:
    """Make the deployment document and the registry's aliases equal to the state. Repeating it is harmless."""
    publish(world, state)
    challenger = state.release.version if state.release is not None else None
    wanted = {"champion": state.champion or None, "challenger": challenger}
    named = world.registry.aliases(state.model)
    for alias, version in wanted.items():
        if named.get(alias) != version:
            world.registry.point(state.model, alias, version)


def publish(world: World, state: LoopState) -> None:
    """Make the deployment document equal to the state, without a look at the registry. Repeating it is harmless."""
    if state.deployment is not None and _differs(world.deployments.current(), state.deployment):
        world.deployments.publish(state.deployment)


def look_back(
    world: World, contract: Contract, state: LoopState, watched: Watch
) -> WatchStep | None:
    """Return what outcome guardrails say of a promoted version against the one it replaced, on the same rows."""
    rules = rules_of(contract, state)
    watching = [
        rule
        for rule in rules.guardrails
        if isinstance(rule, OutcomeRule) and rule.after is not None
    ]
    if not watching:
        return None
    now = world.clock.now()
    pairs = pairs_since(world, state, watched.since, (watched.version, watched.previous))
    if pairs.withheld:
        return _not_comparable(watched, watching[0], pairs, now)
    steps = [watch(watched, rule, pairs.losses, pairs.other, now=now) for rule in watching]
    for action in ("roll_back", "wait"):
        for step in steps:
            if step.action == action:
                return step
    return steps[0]


def _not_comparable(watched: Watch, rule: OutcomeRule, pairs: Pairs, now: float) -> WatchStep:
    """Return what to do where the log has not the rows that the version before would have to answer."""
    none = np.empty(0)
    step = watch(watched, rule, none, none, now=now)
    columns = ", ".join(pairs.withheld)
    reason = (
        f"version {watched.previous} cannot answer the same rows: by the contract the log does not "
        f"have {columns} as they were"
    )
    verdict = msgspec.structs.replace(step.verdict, reason=reason, n=pairs.known)
    return msgspec.structs.replace(step, verdict=verdict, reason=reason)


def _watch(contract: Contract, state: LoopState, version: int, now: float) -> Watch | None:
    spans = [
        rule.after
        for rule in rules_of(contract, state).guardrails
        if isinstance(rule, OutcomeRule) and rule.after is not None
    ]
    if not spans:
        return None
    return Watch(version=version, previous=state.champion, since=now, until=now + max(spans))


def _served(state: LoopState) -> tuple[ModelVersion, ...]:
    wanted = {state.champion, state.previous}
    if state.release is not None:
        wanted.add(state.release.version)
    return tuple(state.versions[str(number)] for number in sorted(wanted) if number)


def _differs(current: Deployment | None, wanted: Deployment) -> bool:
    return current is None or current.generation != wanted.generation or current != wanted
