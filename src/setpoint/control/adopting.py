"""The model that production is on when the loop begins: fitted on all rows known then, and taken as it is.

A replay asks what a contract would have done with the model that was there. That model was not gated by this contract,
so it is adopted. What the gates would have said, and the value that a drop is measured from, come from a twin that is
fitted on the earlier rows and measured on the later ones.
"""

import msgspec

from setpoint.contract.contract import Contract
from setpoint.control import attempting, releasing
from setpoint.control.change import change, commit
from setpoint.control.reconcile import current
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.errors import TrainingError
from setpoint.facts.decision import Decision
from setpoint.facts.state import Attempt, LoopState
from setpoint.facts.verdict import combine

TRIGGER = "history"


def adopt_first(world: World, contract: Contract) -> Decision:
    """Fit, measure and adopt the first champion, and return the decision.

    Raises:
        TrainingError: The first model cannot be fitted; there is nothing to replay with.
    """
    state, revision = current(world, contract)
    rows = world.rows()
    twin = _fitted(world, contract, state, rows, whole=False)
    judged = attempting.judge_candidate(world, contract, state, twin)
    whole = _fitted(world, contract, state, rows, whole=True)
    verdicts = judged.decision.verdicts
    measured = judged.state.attempt or twin
    whole = msgspec.structs.replace(whole, verdicts=verdicts, intervals=measured.intervals)
    twin_result = world.jobs.finished(twin.job.key)
    registered = world.registry.record(
        attempting.registration_of(world, contract, whole, register=True),
        world.jobs.folder(whole.job.key),
    )
    number = registered.version or 0
    version = attempting.version_of(world, contract, whole, number=number, run=registered.run)
    version = msgspec.structs.replace(
        version, metrics={} if twin_result is None else twin_result.metrics
    )
    known = rows.known(world.clock.now())
    after = msgspec.structs.replace(
        state,
        champion=number,
        versions={str(number): version},
        promoted_at=world.clock.now(),
        watched=world.clock.now(),
        arrived=known,
        fitted_rows=known,
        attempts=1,
    )
    after = releasing.deploy(world, contract, after)
    adopted = change(
        after,
        "adopt",
        f"version {number}, fitted on all {version.trained_rows:,} rows known now, is what production is on; "
        f"a twin fitted on the earlier of them: {combine(verdicts)} by the gates on the later ones",
        at=world.clock.now(),
        version=number,
        verdicts=verdicts,
    )
    decision = commit(world, revision, adopted)
    releasing.project(world, adopted.state)
    return decision


def _fitted(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, *, whole: bool
) -> Attempt:
    wanted = attempting.Wanted(trigger=TRIGGER, reason="the first model", whole=whole)
    opened = attempting.open_attempt(world, contract, state, rows, wanted)
    if opened.state.attempt is None:
        raise TrainingError("nonsense", "the first attempt was not opened")
    done = attempting.fit(world, contract, opened.state, rows, opened.state.attempt)
    if done.state.attempt is None:
        raise TrainingError("raised", f"the first model cannot be fitted: {done.decision.reason}")
    return done.state.attempt
