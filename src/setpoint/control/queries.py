"""Queries: where a model stands, and why a decision was taken. They read the journal and change nothing.

Light on purpose: a look at the state loads no table, no model and no registry.
"""

import difflib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from setpoint.clock import Axis
from setpoint.contract.contract import Contract
from setpoint.contract.parse import restore
from setpoint.contract.retrain import ForecastTrigger
from setpoint.errors import UsageError
from setpoint.facts.decision import Decision
from setpoint.facts.ledger import Event
from setpoint.facts.state import Blocked, LoopState, TriggerState
from setpoint.ledger.plain import from_plain
from setpoint.policy.budget import waiting
from setpoint.policy.triggers import pending, trigger_name
from setpoint.ports.journal import Journal

LAST = 10
"""Decisions that a status shows."""

_OF_A_DECISION = frozenset({"id", "at", "action", "reason"})


class ReleaseStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A release under way.

    Args:
        id: Names it.
        version: The challenger.
        champion: The version it would replace.
        strategy: How it goes.
        share: The challenger's share of traffic.
        copied: Share of requests that it is given copies of.
        step: Step that is in force, counted from 1.
        steps: Steps in all.
        since: Tick at which the step began.
        held: Whether its time is up without a verdict, so that a person must decide.
    """

    id: str
    version: int
    champion: int
    strategy: str
    share: float
    copied: float
    step: int
    steps: int
    since: float
    held: bool


class AttemptStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The way of a candidate that is under way, and the last stage that is done."""

    id: str
    stage: str
    trigger: str
    reason: str
    opened_at: float


class BlockedStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that are kept out of training, and how to go on.

    Args:
        start: First row.
        end: Row after the last.
        checks: Checks that they fail.
        reason: What they fail, in words.
        hint: How to go on.
    """

    start: int
    end: int
    checks: tuple[str, ...]
    reason: str
    hint: str


class TriggerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What one trigger of the contract remembers.

    Args:
        trigger: The trigger, as the contract writes it.
        windows: Windows in a row for which it held.
        firing: Whether it has held for long enough.
        pending: Whether it waits for a retrain that has not started.
        held: Why that retrain may not start now; empty where nothing holds it back.
        until: First tick at which it may; None where that is not a matter of time.
        fired_at: Tick of the retrain that it started last in this firing.
    """

    trigger: str
    windows: int
    firing: bool
    pending: bool
    held: str = ""
    until: float | None = None
    fired_at: float | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Where one model stands. Ticks are seconds since 1970 on the axis `time`, rows on the axis `rows`.

    Args:
        model: Name of the model.
        axis: What ticks count.
        contract: Digest of the contract in force.
        contract_changed: Whether the contract asked with says something else; None where none was given.
        now: Tick of the last pass.
        champion: Version that production is on; 0 before the first.
        previous: Version that a rollback goes to; 0 where there is none.
        promoted_at: Tick of the last promotion.
        promoted: When that was recorded, in seconds since 1970-01-01 UTC; None where it is not known.
        metrics: Metrics of the champion on its gates' rows.
        versions: Numbers of the registered versions.
        proposed: Registered version that awaits its release; 0 for none.
        release: The release under way.
        attempt: The attempt under way.
        watched_until: Tick until which outcomes of the champion are still watched to roll it back.
        weights: Share of traffic by version, as gateways are told.
        generation: Generation of the deployment document in force.
        blocked: Rows that are kept out.
        triggers: Triggers of the contract, in its order.
        breaches: Signals that are in breach.
        unserved: Why some gateway cannot serve a version of production, or follow the document, by what it is.
        last: The last decisions, oldest first.
    """

    model: str
    axis: Axis
    contract: str
    contract_changed: bool | None
    now: float
    champion: int
    previous: int
    promoted_at: float | None
    promoted: float | None
    metrics: dict[str, float]
    versions: tuple[int, ...]
    proposed: int
    release: ReleaseStatus | None
    attempt: AttemptStatus | None
    watched_until: float | None
    weights: dict[str, float]
    generation: int
    blocked: tuple[BlockedStatus, ...]
    triggers: tuple[TriggerStatus, ...]
    breaches: tuple[str, ...]
    unserved: dict[str, str]
    last: tuple[Decision, ...]


def require_state(journal: Journal) -> LoopState:
    """Return the state.

    Raises:
        UsageError: Nothing has run yet.
        JournalError: The store cannot be read.
    """
    state, _ = journal.load()
    if state is None:
        msg = "nothing has run here yet, so there is nothing to show; begin with: setpoint run"
        raise UsageError(msg)
    return state


def axis_of(state: LoopState) -> Axis:
    """Return what the ticks of a state count: as the contract in force says."""
    plain = json.loads(state.contract_text) if state.contract_text else {}
    data = plain.get("data")
    return "rows" if data is not None and not data.get("time") else "time"


def status(journal: Journal, contract: Contract | None = None) -> Status:
    """Return where a model stands.

    Args:
        journal: The model's journal.
        contract: The contract as it is written now, to tell whether it is the one in force.

    Raises:
        UsageError: Nothing has run yet.
        JournalError: The store cannot be read.
    """
    state = require_state(journal)
    told = list(decisions(journal))
    in_force = restore(state.contract_text) if state.contract_text else contract
    champion = state.versions.get(str(state.champion))
    return Status(
        model=state.model,
        axis=axis_of(state),
        contract=state.contract,
        contract_changed=None if contract is None else contract.digest != state.contract,
        now=state.now,
        champion=state.champion,
        previous=state.previous,
        promoted_at=state.promoted_at,
        promoted=_promoted(state, told),
        metrics={} if champion is None else champion.metrics,
        versions=tuple(sorted(int(number) for number in state.versions)),
        proposed=state.proposed,
        release=_release(state),
        attempt=_attempt(state),
        watched_until=None if state.watch is None else state.watch.until,
        weights={} if state.deployment is None else state.deployment.weights,
        generation=state.generation,
        blocked=tuple(_blocked(one, told) for one in state.blocked),
        triggers=() if in_force is None else _triggers(in_force, state),
        breaches=state.breaches,
        unserved={name: verdict.reason for name, verdict in state.unserved.items()},
        last=tuple(told[-LAST:]),
    )


def explain(journal: Journal, name: str | None = None) -> tuple[Decision, ...]:
    """Return the decisions that a name stands for, in order.

    Args:
        journal: The model's journal.
        name: A decision (`d-12`), an attempt (`a-3-0f…`, or its beginning) or a version (`v3` or `3`): everything that
            was decided about it. Without one, the last decision that is not a fit.

    Raises:
        UsageError: Nothing was decided yet, or there is no such decision, attempt or version.
        JournalError: The store cannot be read.
    """
    told = list(decisions(journal))
    if not told:
        msg = "nothing was decided yet; begin with: setpoint run"
        raise UsageError(msg)
    if name is None:
        return (next((one for one in reversed(told) if one.action != "fit"), told[-1]),)
    wanted = name.strip()
    if found := tuple(one for one in told if one.id == wanted):
        return found
    if wanted.startswith("a-"):
        found = _of_attempt(told, wanted)
    elif wanted.removeprefix("v").isdecimal():
        found = _of_version(told, int(wanted.removeprefix("v")))
    if found:
        return found
    msg = f"there is no decision, attempt or version {wanted!r}{_nearest(told, wanted)}"
    raise UsageError(msg)


def decisions(journal: Journal, after: int = 0) -> Iterator[Decision]:
    """Yield the decisions of the ledger, in order.

    Args:
        journal: The model's journal.
        after: Number of a ledger entry; only later ones are read.

    Raises:
        JournalError: The store cannot be read.
    """
    for entry in journal.entries(after):
        decision = decision_of(entry.event)
        if decision is not None:
            yield decision


def decision_of(event: Event) -> Decision | None:
    """Return the decision that an event of the ledger carries; None where it carries none."""
    if not event.body.keys() >= _OF_A_DECISION:
        return None
    return msgspec.convert(from_plain(event.body), Decision)


def _release(state: LoopState) -> ReleaseStatus | None:
    release = state.release
    if release is None:
        return None
    return ReleaseStatus(
        id=release.id,
        version=release.version,
        champion=release.champion,
        strategy=release.strategy,
        share=release.share,
        copied=release.copied,
        step=release.step + 1,
        steps=len(release.steps),
        since=release.step_at,
        held=release.held,
    )


def _promoted(state: LoopState, told: Sequence[Decision]) -> float | None:
    """Return when the champion was last put in production, by the clock on the wall."""
    moves = ("promote", "adopt", "roll_back")
    last = next((one for one in reversed(told) if one.action in moves), None)
    return last.recorded if last is not None and last.at == state.promoted_at else None


def _attempt(state: LoopState) -> AttemptStatus | None:
    attempt = state.attempt
    if attempt is None:
        return None
    return AttemptStatus(
        id=attempt.id,
        stage=attempt.stage,
        trigger=attempt.trigger,
        reason=attempt.reason,
        opened_at=attempt.opened_at,
    )


def _blocked(blocked: Blocked, told: Sequence[Decision]) -> BlockedStatus:
    return BlockedStatus(
        start=blocked.start,
        end=blocked.end,
        checks=blocked.checks,
        reason=blocked.reason,
        hint=_way_on(blocked, told),
    )


def _way_on(blocked: Blocked, told: Sequence[Decision]) -> str:
    """Return how to go on with blocked rows: accept the checks, if a person may accept every one of them."""
    ways: Sequence[str] = next(
        (
            one.numbers.get("accept", ())
            for one in reversed(told)
            if one.action == "block"
            and (one.numbers.get("start"), one.numbers.get("end")) == (blocked.start, blocked.end)
        ),
        (),
    )
    if firm := [name for name in blocked.checks if name not in ways]:
        return f"correct the rows in the source: {', '.join(firm)} cannot be accepted"
    names = " --accept ".join(blocked.checks)
    return f"correct the rows, or go on all the same: setpoint run --accept {names}"


def _triggers(contract: Contract, state: LoopState) -> tuple[TriggerStatus, ...]:
    found = []
    for trigger in contract.retrain.when:
        if isinstance(trigger, ForecastTrigger):
            continue
        memory = state.triggers.get(trigger_name(trigger), TriggerState())
        held, until = _held(contract, state) if pending(memory) else ("", None)
        found.append(
            TriggerStatus(
                trigger=trigger_name(trigger),
                windows=memory.windows,
                firing=memory.firing,
                pending=pending(memory),
                held=held,
                until=until,
                fired_at=memory.fired_at,
            )
        )
    return tuple(found)


def _held(contract: Contract, state: LoopState) -> tuple[str, float | None]:
    """Return what keeps a pending trigger from starting a retrain at the last pass, and until when."""
    if state.attempt is not None:
        return f"attempt {state.attempt.id} is under way", None
    if state.release is not None:
        return f"the release of version {state.release.version} is under way", None
    wait = waiting(contract.retrain, retrains=state.retrains, now=state.now, axis=contract.axis)
    if wait is not None:
        return wait.reason, wait.until
    return ("" if state.hold is None else state.hold.reason), None


def _of_attempt(told: Sequence[Decision], name: str) -> tuple[Decision, ...]:
    """Return the decisions about an attempt, named whole, by its number, or by its beginning.

    Raises:
        UsageError: The beginning fits several attempts.
    """
    attempts = dict.fromkeys(one.attempt for one in told if one.attempt)
    fitting = [one for one in attempts if one == name or one.startswith(f"{name}-")]
    fitting = fitting or [one for one in attempts if one.startswith(name)]
    if len(fitting) > 1:
        msg = f"{name!r} is the beginning of several attempts: {', '.join(fitting[:5])}"
        raise UsageError(msg)
    return tuple(one for one in told if one.attempt in fitting)


def _of_version(told: Sequence[Decision], number: int) -> tuple[Decision, ...]:
    """Return the decisions about a version, and about the attempt that it came from."""
    attempts = {one.attempt for one in told if one.version == number and one.attempt}
    return tuple(one for one in told if one.version == number or one.attempt in attempts)


def _nearest(told: Sequence[Decision], name: str) -> str:
    """Return a sentence with the known name that is most like `name`, or with what there is."""
    versions = sorted({one.version for one in told if one.version})
    known: dict[str, Any] = dict.fromkeys(one.id for one in told)
    known |= dict.fromkeys(one.attempt for one in told if one.attempt)
    known |= dict.fromkeys(f"v{number}" for number in versions)
    number = name.removeprefix("d-").removeprefix("v")
    if name[:1] == "d" and number.isdecimal():
        by_number = [one for one in known if one.startswith("d-") and one[2:].isdecimal()]
        nearest = [min(by_number, key=lambda one: abs(int(one[2:]) - int(number)), default="")]
    elif versions and number.isdecimal():
        nearest = [f"v{min(versions, key=lambda one: abs(one - int(number)))}"]
    else:
        nearest = difflib.get_close_matches(name, list(known), n=1, cutoff=0.3)
    last = f"the last decision is {told[-1].id}"
    return f"; the nearest is {nearest[0]}, {last}" if nearest and nearest[0] else f"; {last}"
