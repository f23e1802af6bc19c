"""The loop on one screen: observe, decide, act, record. Every pass takes one step and may die between any two lines.

What is recorded is the state and the ledger, in one transaction, only if nobody else was there first. Everything outside
(the deployment document, the registry's aliases) is a projection that each pass makes equal to the state.
"""

import msgspec

from setpoint.contract.contract import Contract
from setpoint.control import admitting, attempting, releasing
from setpoint.control.change import Change, change
from setpoint.control.decide import Intent, decide, decide_work
from setpoint.control.observe import Seen, observe, observe_work
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.errors import JournalError
from setpoint.facts.decision import Decision
from setpoint.facts.state import LoopState

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
    seen = observe(world, contract, state, rows) if watching else observe_work(world, rows)
    intent = decide(contract, state, seen) if watching else decide_work(state, seen)
    changed = act(world, contract, intent, seen, rows)
    if changed.events or _is_news(state, changed.state):
        world.journal.commit(revision, changed.state, changed.events)
    releasing.project(world, changed.state)
    if changed.events:
        world.notice(changed.decision.reason)
    return changed.decision


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


def act(world: World, contract: Contract, intent: Intent, seen: Seen, rows: LabelledRows) -> Change:
    """Carry out one step and return what it changes; nothing is recorded here."""
    state, now = intent.state, seen.now
    match intent.step:
        case "roll_back" if seen.look_back is not None:
            verdicts = (seen.look_back.verdict,)
            return releasing.roll_back(
                world, contract, state, state.champion, reason=intent.reason, verdicts=verdicts
            )
        case "move" if seen.step is not None and state.release is not None:
            return releasing.move(world, contract, state, state.release, seen.step)
        case "fit" if state.attempt is not None:
            return attempting.fit(world, contract, state, rows, state.attempt)
        case "judge" if state.attempt is not None:
            return attempting.judge_candidate(world, contract, state, state.attempt)
        case "register" if state.attempt is not None:
            return attempting.register(world, contract, state, state.attempt)
        case "begin":
            version = state.versions[str(state.proposed)]
            return releasing.begin(world, contract, state, version)
        case "check":
            return admitting.check_arrived(world, contract, state, rows, seen.arrived)
        case "admit":
            return admitting.admit(state, now=now)
        case "retrain":
            return _retrain(world, contract, intent, rows)
        case "alert":
            return _alert(intent, now)
        case _:
            return Change(state=state, decision=_waiting(state, intent.reason, now))


def _retrain(world: World, contract: Contract, intent: Intent, rows: LabelledRows) -> Change:
    """Open an attempt; a table that was read as a whole is checked first, as batches are when they come in."""
    if not rows.unfolding:
        report = admitting.check_table(contract, intent.state, rows)
        if report.blocking:
            reason = f"{intent.reason}; but {admitting.why_blocked(report)}"
            verdicts = tuple(check.verdict for check in report.blocking)
            return change(intent.state, "block", reason, at=world.clock.now(), verdicts=verdicts)
    wanted = attempting.Wanted(trigger=intent.trigger, reason=intent.reason)
    return attempting.open_attempt(world, contract, intent.state, rows, wanted)


def _alert(intent: Intent, now: float) -> Change:
    untold = intent.state.untold
    state = msgspec.structs.replace(intent.state, untold={})
    words = "; ".join(f"{name}: {verdict.reason}" for name, verdict in untold.items())
    numbers = {"signals": list(untold)}
    return change(state, "alert", words, at=now, verdicts=tuple(untold.values()), numbers=numbers)


def _waiting(state: LoopState, reason: str, now: float) -> Decision:
    return Decision(id=f"d-{state.decisions}", at=now, action="wait", reason=reason)


def _is_news(before: LoopState, after: LoopState) -> bool:
    """Whether a pass without a decision learnt something worth keeping; the time alone is not."""
    return msgspec.structs.replace(after, now=before.now) != before
