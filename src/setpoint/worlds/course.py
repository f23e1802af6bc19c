"""Drives the loop through history, batch by batch: the clock moves, the loop settles, the rows are answered."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from setpoint.clock import ManualClock, say_tick
from setpoint.contract.contract import Contract
from setpoint.contract.spans import Span
from setpoint.control import admitting
from setpoint.control.adopting import adopt_first
from setpoint.control.reconcile import current, settle
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.errors import UsageError
from setpoint.facts.decision import Decision
from setpoint.facts.evidence import Scores
from setpoint.facts.state import LoopState
from setpoint.worlds.batches import cut_batches
from setpoint.worlds.history import History, Truth
from setpoint.worlds.lines import Refitting, Schedule


@dataclass(frozen=True)
class ReplayPlan:
    """What to replay.

    Args:
        rows: The whole history, unfolding.
        truth: What was true of each row.
        start: First row that is answered.
        batch: Rows answered between two passes of the loop.
        accept: Checks that a person accepts from the beginning.
        progress: Told the rows answered, the rows in all, and what was decided.
    """

    rows: LabelledRows
    truth: Truth
    start: int
    batch: Span
    accept: tuple[str, ...] = ()
    progress: Callable[[int, int, str], None] = lambda *_: None

    @property
    def contract(self) -> Contract:
        """The contract that is replayed."""
        return self.rows.contract


@dataclass(frozen=True)
class Judged:
    """A candidate that met the gates, and the champion it met.

    Args:
        decision: `promote` or `refuse`.
        candidate: Artifact digest of the candidate.
        champion: Artifact digest of the champion.
        row: First row that came after.
    """

    decision: Decision
    candidate: str
    champion: str
    row: int


@dataclass
class Course:
    """What happened on the way.

    Args:
        static: Answers of the model trained once, to every row.
        scheduled: Answers of the model refitted on a schedule, to every row.
        schedule: The schedule in words.
        batches: Row ranges that were answered.
        taken: Every decision of the loop.
        judged: Candidates that met the gates.
        refits: Fits of the line `scheduled`.
    """

    static: Scores
    scheduled: Scores
    schedule: str
    batches: list[tuple[int, int]]
    taken: list[Decision] = field(default_factory=list)
    judged: list[Judged] = field(default_factory=list)
    refits: int = 0


def drive(
    plan: ReplayPlan, world: World, clock: ManualClock, history: History, refitting: Refitting
) -> Course:
    """Drive the loop over the whole history.

    Raises:
        UsageError: There are no rows before the start, or none after it.
        TrainingError: The first model cannot be fitted.
    """
    contract, at, count = plan.contract, plan.rows.at, len(plan.rows.at)
    if not 0 < plan.start < count:
        msg = f"--start {plan.start}: the table has {count:,} rows; some must lie before the start and some after"
        raise UsageError(msg)
    batches = cut_batches(at, plan.start, plan.batch, contract.axis)
    plan.progress(plan.start, count, "fitting the first model")
    clock.put(float(at[plan.start]))
    known = plan.rows.known(clock.now())
    history.begin(plan.start)
    history.know(known)
    taken = _accept(plan, world)
    taken.append(adopt_first(world, contract))
    state, _ = current(world, contract)
    refitted = state.versions[str(state.champion)].artifact
    static = history.blank()
    history.put(static, plan.start, history.answers_of(refitted, plan.rows.rows.slice(plan.start)))
    schedule = Schedule(contract)
    schedule.begin(known, clock.now())
    course = Course(static, history.blank(), schedule.words, batches, taken)
    for start, end in batches:
        clock.put(max(clock.now(), float(at[start])))
        known = plan.rows.known(clock.now())
        history.know(known)
        before = state
        decisions = settle(world, contract)
        state, _ = current(world, contract)
        course.taken.extend(decisions)
        course.judged.extend(_judged(decisions, before, state, start))
        _answer(history, state, start, end)
        if schedule.is_due(known, clock.now()) and (artifact := refitting.fit(known)):
            course.refits += 1
            refitted = artifact
        table = plan.rows.rows.slice(start, end - start)
        history.put(course.scheduled, start, history.answers_of(refitted, table))
        last = decisions[-1].reason if decisions else ""
        plan.progress(end, count, f"{say_tick(clock.now(), contract.axis)}  {last}".strip())
    clock.put(max(clock.now(), _all_known(plan)))
    history.know(count)
    course.taken.extend(_receive_last(plan, world))
    return course


def _all_known(plan: ReplayPlan) -> float:
    """Return the tick at which every row is over and has its label."""
    last = float(plan.rows.at[-1])
    over = last + 1 if plan.contract.axis == "rows" else float(np.nextafter(last, np.inf))
    return max(over, last + plan.contract.label_delay.value)


def _receive_last(plan: ReplayPlan, world: World) -> list[Decision]:
    """Check the rows that came in after the last pass; nothing is fitted, as no request is left to answer."""
    state, revision = current(world, plan.contract)
    count = len(plan.rows.at)
    if state.arrived >= count:
        return []
    checked = admitting.check_arrived(world, plan.contract, state, plan.rows, count)
    if not checked.events:
        return []
    world.journal.commit(revision, checked.state, checked.events)
    return [checked.decision]


def _answer(history: History, state: LoopState, start: int, end: int) -> None:
    if state.deployment is None:
        raise UsageError("the loop has nothing in production")
    artifacts = {version.version: version.artifact for version in state.versions.values()}
    history.answer(start, end, state.deployment, artifacts)


def _accept(plan: ReplayPlan, world: World) -> list[Decision]:
    state, revision = current(world, plan.contract)
    accepted = admitting.accept(state, plan.accept, now=world.clock.now())
    if accepted is None:
        return []
    world.journal.commit(revision, accepted.state, accepted.events)
    return [accepted.decision]


def _judged(
    decisions: list[Decision], before: LoopState, after: LoopState, row: int
) -> list[Judged]:
    """Return the candidates that met the gates among some decisions, each with the champion it met."""
    found, champion = [], before.champion
    for decision in decisions:
        if decision.action == "refuse" and decision.numbers.get("artifact"):
            met = after.versions[str(champion)].artifact
            found.append(Judged(decision, str(decision.numbers["artifact"]), met, row))
        elif decision.action == "promote" and decision.version is not None:
            met = after.versions[str(champion)].artifact
            promoted = after.versions[str(decision.version)].artifact
            found.append(Judged(decision, promoted, met, row))
            champion = decision.version
        elif decision.action == "roll_back":
            champion = int(decision.numbers["back_to"])
    return found
