"""What each trigger remembers, and how a look at the signals changes it.

Rules:
1. A condition is *firing* from the look at which it has held for its number of windows until a look at which it
   certainly does not hold. It starts one retrain in that time: a trigger fires on a change of state.
2. The same window never counts twice, however often the loop looks. A count is no window: it may come back to the same
   number, so it clears as soon as it does not hold, and leaves no evidence then.
3. Windows of another version start the memory anew; a window that was not measured neither counts nor clears.
4. A schedule fires once for each instant that passes; instants missed while nobody looked are one. The first look
   only notes the last instant, so that a new contract does not start with a retrain.
"""

from collections.abc import Mapping, Sequence

import msgspec

from setpoint.contract.conditions import Condition
from setpoint.contract.retrain import ForecastTrigger, ScheduleTrigger, Trigger
from setpoint.errors import UsageError
from setpoint.facts.signal import Signal
from setpoint.facts.state import TriggerState
from setpoint.policy.conditions import Reading, read_condition
from setpoint.policy.cron import last_until


def trigger_name(trigger: Trigger) -> str:
    """Return how a trigger is named in the state: as the contract's canonical form writes it."""
    if isinstance(trigger, Condition):
        return str(trigger)
    if isinstance(trigger, ScheduleTrigger):
        return f"schedule {trigger.schedule}"
    return f"forecast {trigger.forecast} within {trigger.within}"


def require_acted_on(triggers: Sequence[Trigger]) -> None:
    """Check that every trigger is one that the loop acts on.

    Raises:
        UsageError: There is a forecast, which the contract can say and the loop does not act on.
    """
    for trigger in triggers:
        if isinstance(trigger, ForecastTrigger):
            msg = (
                f"retrain.when names {trigger_name(trigger)!r}, and forecasts are not acted on; acted on are "
                f"conditions and schedules: write the condition itself, such as {str(trigger.forecast)!r}"
            )
            raise UsageError(msg)


def look(
    triggers: Sequence[Trigger],
    memory: Mapping[str, TriggerState],
    *,
    signals: Mapping[str, Signal],
    counters: Mapping[str, float],
    now: float | None,
) -> dict[str, TriggerState]:
    """Return what each trigger remembers after a look.

    Args:
        triggers: `retrain.when` of the contract.
        memory: What each remembered before; triggers that the contract no longer names are forgotten.
        signals: The latest signal of each name.
        counters: Counts and ages by name, such as `rows.new`.
        now: When the look is, in seconds since 1970-01-01 UTC; None where there is no such time, as in a replay of
            rows: no schedule is due there.

    Raises:
        UsageError: A trigger is a forecast.
    """
    require_acted_on(triggers)
    after = {}
    for trigger in triggers:
        name = trigger_name(trigger)
        before = memory.get(name)
        if isinstance(trigger, Condition):
            reading = read_condition(trigger, signals, counters)
            after[name] = _after_reading(before or TriggerState(), reading, trigger.windows)
        elif isinstance(trigger, ScheduleTrigger):
            instant = None if now is None else last_until(trigger.schedule, now)
            after[name] = _after_instant(before, instant)
    return after


def pending(state: TriggerState) -> bool:
    """Return whether a trigger is firing and has not started a retrain for it."""
    return state.firing and state.fired_at is None


def spend(memory: Mapping[str, TriggerState], now: float) -> dict[str, TriggerState]:
    """Return the memory after a retrain started at `now`: it answers every pending trigger at once."""
    return {
        name: msgspec.structs.replace(state, fired_at=now) if pending(state) else state
        for name, state in memory.items()
    }


def _after_reading(before: TriggerState, reading: Reading, windows: int) -> TriggerState:
    if not reading.windowed:
        return _after_count(before, reading)
    if reading.evidence == before.evidence:
        return before
    if _version_of(before.evidence) != reading.version and reading.evidence:
        before = TriggerState()
    if reading.holds is None:
        return msgspec.structs.replace(before, evidence=reading.evidence or before.evidence)
    if not reading.holds:
        return TriggerState(evidence=reading.evidence)
    held = before.windows + 1
    return TriggerState(
        windows=held,
        firing=before.firing or held >= windows,
        evidence=reading.evidence,
        reason=reading.reason,
        fired_at=before.fired_at,
    )


def _after_count(before: TriggerState, reading: Reading) -> TriggerState:
    """Return the memory after a look at a count; it changes only when the count crosses its limit."""
    if reading.holds is None or (reading.holds and before.firing):
        return before
    if not reading.holds:
        return TriggerState()
    return TriggerState(windows=1, firing=True, evidence=reading.evidence, reason=reading.reason)


def _version_of(evidence: str) -> int:
    _, at, tail = evidence.rpartition("@v")
    return int(tail.partition("[")[0]) if at else 0


def _after_instant(before: TriggerState | None, instant: float | None) -> TriggerState:
    evidence = "" if instant is None else f"{instant:.0f}"
    if before is None:
        return TriggerState(evidence=evidence)
    if evidence == before.evidence:
        return before
    return TriggerState(windows=1, firing=True, evidence=evidence)
