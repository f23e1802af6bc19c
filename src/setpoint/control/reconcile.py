"""The loop on one screen: observe, decide, act, record. Every pass takes one step and may die between any two lines.

What is recorded is the state and the ledger, in one transaction, only if nobody else was there first. Everything
outside (the deployment document, the registry's aliases) is a projection that each pass makes equal to the state.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from setpoint.contract.contract import Contract
from setpoint.control import admitting, attempting, releasing
from setpoint.control.change import Change, change, commit
from setpoint.control.decide import Intent, Step, decide, decide_work
from setpoint.control.observe import Seen, observe, observe_due, observe_work
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.errors import JournalError
from setpoint.facts.decision import Decision
from setpoint.facts.release import Release
from setpoint.facts.state import Attempt, LoopState

_T = TypeVar("_T")

_MOST_STEPS = (
    100  # of one settling; a loop that does not settle is a defect, not a reason to go on for ever
)


def reconcile(world: World, contract: Contract) -> Decision:
    """Take one step and return the decision; `wait` when nothing was due.

    Raises:
        StaleStateError: Somebody else committed meanwhile; nothing of this pass counts, call again.
    """
    return _pass(world, contract, watching=True)


def work(world: World, contract: Contract) -> Decision:
    """Take one step of a candidate under way, without watching production; `wait` when there is none."""
    return _pass(world, contract, watching=False)


def _pass(world: World, contract: Contract, *, watching: bool) -> Decision:
    state, revision = current(world, contract)
    rows = world.rows()
    seen = observe(world, contract, state, rows) if watching else observe_work(world, state, rows)
    intent = decide(contract, state, seen) if watching else decide_work(contract, state, seen)
    if intent.step == "retrain":
        seen = observe_due(world, contract, state, rows, seen)
        intent = decide(contract, state, seen)
    changed = ACTS[intent.step](Task(world, contract, intent, seen, rows))
    decision = changed.decision
    if changed.events or _is_news(state, changed.state):
        decision = commit(world, revision, changed)
    if intent.step == "fit":  # aliases were not looked at before it; the next pass does, and tells
        releasing.publish(world, changed.state)
    else:
        releasing.project(world, changed.state)
    if changed.events:
        world.notice(changed.decision.reason)
    return decision


def settle(world: World, contract: Contract) -> list[Decision]:
    """Take steps until nothing is due, and return what was decided, without the waiting."""
    taken: list[Decision] = []
    for _ in range(_MOST_STEPS):
        decision = reconcile(world, contract)
        if decision.action == "wait":
            return taken
        if decision.action != "check":
            taken.append(decision)
    msg = f"the loop did not settle in {_MOST_STEPS} steps; the last was {taken[-1].action}"
    raise JournalError(msg)


def current(world: World, contract: Contract) -> tuple[LoopState, int]:
    """Return the state and its revision; a new state before the first pass. A changed contract is in force at once."""
    state, revision = world.journal.load()
    if state is None:
        state = LoopState(model=contract.model.name)
    if state.contract != contract.digest:
        state = msgspec.structs.replace(
            state, contract=contract.digest, contract_text=contract.text
        )
    return state, revision


@dataclass(frozen=True)
class Task:
    """One step with all that carrying it out may need.

    Args:
        world: The ports.
        contract: The contract.
        intent: What to do.
        seen: What this pass saw.
        rows: The labelled rows.
    """

    world: World
    contract: Contract
    intent: Intent
    seen: Seen
    rows: LabelledRows

    @property
    def state(self) -> LoopState:
        """The state with what was seen noted in it."""
        return self.intent.state

    @property
    def attempt(self) -> Attempt:
        """The attempt under way."""
        return _there(self.state.attempt, "an attempt")

    @property
    def release(self) -> Release:
        """The release under way."""
        return _there(self.state.release, "a release")


def _roll_back(task: Task) -> Change:
    verdict = task.seen.fallen or _there(task.seen.look_back, "a watch").verdict
    state, reason = task.state, task.intent.reason
    return releasing.roll_back(
        task.world, task.contract, state, state.champion, reason=reason, verdicts=(verdict,)
    )


def _put_back(task: Task) -> Change:
    """Tell that somebody moved the alias; the projection of this pass puts it back: only the gates move it."""
    state, found = task.state, task.seen.alias
    where = f"moved to version {found}" if found else "removed"
    reason = (
        f"the alias champion was {where} from outside; it is put back to version {state.champion}"
    )
    numbers = {"found": found, "champion": state.champion}
    return change(
        state, "put_back", reason, at=task.seen.now, version=found or None, numbers=numbers
    )


def _renew(task: Task) -> Change:
    return releasing.renew(task.world, task.contract, task.state, reason=task.intent.reason)


def _begin(task: Task) -> Change:
    version = task.state.versions[str(task.state.proposed)]
    return releasing.begin(task.world, task.contract, task.state, version)


def _wait(task: Task) -> Change:
    number = f"d-{task.state.decisions}"
    decision = Decision(id=number, at=task.seen.now, action="wait", reason=task.intent.reason)
    return Change(state=task.state, decision=decision)


def _retrain(task: Task) -> Change:
    """Open an attempt for the trigger that is due."""
    wanted = attempting.Wanted(trigger=task.intent.trigger, reason=task.intent.reason)
    return attempting.open_attempt(task.world, task.contract, task.state, task.rows, wanted)


def _block(task: Task) -> Change:
    """Tell that a retrain is due and its table fails its checks; the trigger stays due."""
    verdicts = _there(task.state.hold, "what holds a retrain back").verdicts
    return change(task.state, "block", task.intent.reason, at=task.seen.now, verdicts=verdicts)


def _alert(task: Task) -> Change:
    untold = task.state.untold
    state = msgspec.structs.replace(task.state, untold={})
    words = "; ".join(f"{name}: {verdict.reason}" for name, verdict in untold.items())
    return change(
        state,
        "alert",
        words,
        at=task.seen.now,
        verdicts=tuple(untold.values()),
        numbers={"signals": list(untold)},
    )


ACTS: dict[Step, Callable[[Task], Change]] = {
    "put_back": _put_back,
    "renew": _renew,
    "roll_back": _roll_back,
    "move": lambda t: releasing.move(
        t.world, t.contract, t.state, t.release, _there(t.seen.step, "a step")
    ),
    "hold": lambda t: releasing.hold(t.world, t.state, t.release, _there(t.seen.step, "a step")),
    "fit": lambda t: attempting.fit(t.world, t.contract, t.state, t.rows, t.attempt),
    "judge": lambda t: attempting.judge_candidate(t.world, t.contract, t.state, t.attempt),
    "register": lambda t: attempting.register(t.world, t.contract, t.state, t.attempt),
    "begin": _begin,
    "check": lambda t: admitting.check_arrived(
        t.world, t.contract, t.state, t.rows, t.seen.arrived
    ),
    "admit": lambda t: admitting.admit(t.state, now=t.seen.now),
    "retrain": _retrain,
    "block": _block,
    "alert": _alert,
    "wait": _wait,
}
"""What carries out each step. Nothing is recorded here."""


def _there(found: _T | None, what: str) -> _T:
    if found is None:
        msg = f"the step needs {what}, and the state has none"
        raise JournalError(msg)
    return found


def _is_news(before: LoopState, after: LoopState) -> bool:
    """Whether a pass without a decision learnt something worth keeping; the time alone is not."""
    return msgspec.structs.replace(after, now=before.now) != before
