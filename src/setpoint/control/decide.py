"""What to do next: a pure function of contract, state and what was seen. One step, the most urgent first.

Order: what protects production (go back), what is under way (a release, a candidate), what came in (rows), what is due
(a retrain), what people should know (a breach).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec

from setpoint.contract.contract import Contract
from setpoint.control.observe import Seen
from setpoint.facts.log_rule import KEEP
from setpoint.facts.release import Release
from setpoint.facts.signal import Signal
from setpoint.facts.state import Hold, LoopState
from setpoint.facts.verdict import Verdict
from setpoint.policy.retrain import Due, Held, History, due
from setpoint.policy.triggers import look

Step = Literal[
    "put_back",
    "renew",
    "roll_back",
    "move",
    "hold",
    "fit",
    "judge",
    "register",
    "begin",
    "check",
    "admit",
    "retrain",
    "block",
    "alert",
    "wait",
]


@dataclass(frozen=True)
class Intent:
    """The next step.

    Args:
        step: What to do.
        state: The state with what was seen noted in it, and nothing done yet.
        reason: Why, in one sentence.
        trigger: The trigger that is due, for `retrain`.
    """

    step: Step
    state: LoopState
    reason: str = ""
    trigger: str = ""


def decide(contract: Contract, state: LoopState, seen: Seen) -> Intent:
    """Return the next step.

    Raises:
        UsageError: A trigger of the contract is not acted on.
    """
    noted = _note(contract, state, seen)
    urgent = _under_way(contract, noted, seen)
    if urgent is not None:
        return urgent
    if seen.arrived > noted.arrived:
        return Intent("check", noted)
    if any(set(one.checks) <= set(noted.accepted) for one in noted.blocked):
        return Intent("admit", noted)
    return _due_now(contract, noted, seen, known=state.hold)


def decide_work(contract: Contract, state: LoopState, seen: Seen) -> Intent:
    """Return the next step of a candidate under way, and nothing else."""
    noted = msgspec.structs.replace(state, now=seen.now, pointed=_pointed(state, seen))
    return _under_way(contract, noted, seen) or Intent("wait", noted, reason="nothing is under way")


def _under_way(contract: Contract, noted: LoopState, seen: Seen) -> Intent | None:
    """Return the next step of what protects production or has begun; None where there is none."""
    back = _go_back(noted, seen)
    if back is not None:
        return back
    otherwise = _logs_otherwise(contract, noted)
    if otherwise:
        return Intent("renew", noted, reason=otherwise)
    moving = _moving(noted, seen)
    if moving is not None:
        return moving
    if noted.attempt is not None:
        stages: dict[str, Step] = {"opened": "fit", "fitted": "judge", "judged": "register"}
        return Intent(stages[noted.attempt.stage], noted)
    if noted.proposed and noted.release is None:
        return Intent("begin", noted)
    return None


def _moving(noted: LoopState, seen: Seen) -> Intent | None:
    """Return the step of the release under way; None where it waits, or where people were told to decide."""
    if seen.step is None or noted.release is None or seen.step.action == "wait":
        return None
    if seen.step.action != "hold":
        return Intent("move", noted, reason=seen.step.reason)
    return None if noted.release.held else Intent("hold", noted, reason=seen.step.reason)


def _logs_otherwise(contract: Contract, noted: LoopState) -> str:
    """Return what gateways must log otherwise than the deployment document says; empty where nothing.

    What must not be logged cannot wait for the next release, nor for a fit of hours.
    """
    if noted.deployment is None or contract.data is None:
        return ""
    kept, wanted = noted.deployment.kept or {}, contract.data.withheld
    words = [
        f"{name} {kept.get(name, KEEP)} → {wanted.get(name, KEEP)}"
        for name in sorted(kept.keys() | wanted.keys())
        if kept.get(name) != wanted.get(name)
    ]
    if noted.deployment.log != contract.serve.log:
        words.append(f"{noted.deployment.log} → {contract.serve.log}")
    return f"the contract has answers logged otherwise: {', '.join(words)}" if words else ""


def _go_back(noted: LoopState, seen: Seen) -> Intent | None:
    """Return the step that takes production back to what it was; None where it is as it should be."""
    was_right = noted.champion and noted.pointed == noted.champion
    if was_right and seen.alias not in (None, noted.champion):
        return Intent("put_back", noted)
    if seen.fallen is not None:
        return Intent("roll_back", noted, reason=seen.fallen.reason)
    if seen.look_back is not None and seen.look_back.action == "roll_back":
        return Intent("roll_back", noted, reason=seen.look_back.reason)
    return None


def _note(contract: Contract, state: LoopState, seen: Seen) -> LoopState:
    """Return the state with what was seen noted: what triggers remember, what is to be told, how far was watched.

    Whatever step is taken now, a window is looked at once: what it says must be in the state from then on.
    """
    wall = seen.now if contract.axis == "time" else seen.wall
    memory = look(
        contract.retrain.when, state.triggers, signals={}, counters=seen.counters, now=wall
    )
    breaches, untold = state.breaches, dict(state.untold)
    for window in seen.windows:
        memory = look(
            contract.retrain.when, memory, signals=window, counters=seen.counters, now=wall
        )
        recovered = {name for name, signal in window.items() if signal.verdict.verdict == "pass"}
        breaches = tuple(name for name in breaches if name not in recovered)
        new = {one.name: one.verdict for one in _breached(window) if one.name not in breaches}
        untold = {name: one for name, one in untold.items() if name not in recovered} | new
        breaches = (*breaches, *new)
    watch = state.watch
    if seen.look_back is not None and seen.look_back.action == "done":
        watch = None
    return msgspec.structs.replace(
        state,
        now=seen.now,
        triggers=memory,
        breaches=breaches,
        untold=_refusals_told(state, seen, untold),
        unserved=dict(seen.unserved),
        pointed=_pointed(state, seen),
        watched=max(state.watched, seen.watched),
        hold=seen.hold or state.hold,
        watch=watch,
        release=_gathered(state.release, seen),
    )


def _gathered(release: Release | None, seen: Seen) -> Release | None:
    """Return the release with what its guardrails have gathered by this look."""
    if release is None or seen.step is None:
        return release
    return msgspec.structs.replace(
        release, evidence=seen.step.evidence, comparison=seen.step.comparison
    )


def _refusals_told(
    state: LoopState, seen: Seen, untold: Mapping[str, Verdict]
) -> dict[str, Verdict]:
    """Return what is to be told with what gateways newly refuse, each once; a champion that gives way is told so."""
    over = state.unserved.keys() - seen.unserved.keys()
    if seen.fallen is not None:
        over |= {f"version {state.champion}"}
    new = {name: one for name, one in seen.unserved.items() if name not in state.unserved}
    return {name: one for name, one in {**untold, **new}.items() if name not in over}


def _due_now(contract: Contract, noted: LoopState, seen: Seen, *, known: Hold | None) -> Intent:
    """Return the step of what is due, where nothing is more urgent; what holds it back is told once."""
    found, memory = _due(contract, noted, seen)
    if isinstance(found, Due) and noted.champion:
        spent = msgspec.structs.replace(noted, triggers=memory)
        return Intent("retrain", spent, reason=found.reason, trigger=found.trigger)
    if isinstance(found, Held) and seen.hold and seen.hold != known and seen.hold.verdicts:
        return Intent("block", noted, reason=f"{found.trigger} is due; but {found.reason}")
    if noted.untold:
        return Intent("alert", noted)
    reason = found.reason if isinstance(found, Held) else "nothing is due"
    return Intent("wait", noted, reason=reason)


def _pointed(state: LoopState, seen: Seen) -> int:
    return state.champion if seen.alias == state.champion else state.pointed


def _due(
    contract: Contract, state: LoopState, seen: Seen
) -> tuple[Due | Held | None, Mapping[str, object]]:
    open_now = ""
    if state.release is not None:
        open_now = f"the release of version {state.release.version}"
    return due(
        contract.retrain,
        History(
            triggers=state.triggers,
            retrains=state.retrains,
            open=open_now,
            hold="" if seen.hold is None else seen.hold.reason,
            wall=seen.wall,
        ),
        signals=seen.windows[-1] if seen.windows else {},
        counters=seen.counters,
        now=seen.now,
        axis=contract.axis,
    )


def _breached(window: Mapping[str, Signal]) -> tuple[Signal, ...]:
    """Return the signals of a window that breach the contract; single columns only where nothing sums them up."""
    return tuple(
        signal
        for signal in window.values()
        if signal.verdict.verdict == "fail" and not signal.name.startswith("drift.")
    ) + tuple(
        signal
        for signal in window.values()
        if signal.verdict.verdict == "fail" and signal.name == "drift.share"
    )
