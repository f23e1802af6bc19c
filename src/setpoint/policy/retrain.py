"""Whether a retrain is due: pending triggers, held back while something is open, cooling down, or over budget."""

from collections.abc import Mapping, Sequence

import msgspec

from setpoint.clock import Axis, say_tick
from setpoint.contract.conditions import Condition
from setpoint.contract.retrain import Retrain, Trigger
from setpoint.facts.signal import Signal
from setpoint.facts.state import TriggerState
from setpoint.policy.budget import waiting
from setpoint.policy.conditions import read_condition
from setpoint.policy.triggers import look, pending, spend, trigger_name


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """A retrain should start now.

    Args:
        trigger: The first pending trigger, in the contract's order.
        reason: Every pending trigger in words.
        evidence: What each pending trigger fired on, by trigger.
    """

    trigger: str
    reason: str
    evidence: dict[str, str]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A retrain is due and may not start; it stays due as long as its trigger fires.

    Args:
        trigger: The first pending trigger, in the contract's order.
        reason: Why it may not start.
        until: First tick at which it may; None where that is not a matter of time.
    """

    trigger: str
    reason: str
    until: float | None = None


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What the loop remembers that bears on a retrain.

    Args:
        triggers: Memory of each trigger.
        retrains: Ticks at which retrains started, in order.
        open: What is under way, in words, such as `attempt a-7` or `release of version 3`; empty for nothing.
        hold: Why a retrain would be no use on the rows of now; empty for no reason.
        wall: Seconds since 1970-01-01 UTC, for schedules on the axis `rows`; None where there is no such time.
    """

    triggers: Mapping[str, TriggerState] = {}
    retrains: Sequence[float] = ()
    open: str = ""
    hold: str = ""
    wall: float | None = None


def due(
    retrain: Retrain,
    history: History,
    *,
    signals: Mapping[str, Signal],
    counters: Mapping[str, float],
    now: float,
    axis: Axis,
) -> tuple[Due | Held | None, dict[str, TriggerState]]:
    """Return whether a retrain is due, and what the triggers remember from now on.

    The memory must be committed together with the attempt that a `Due` opens: it says that its evidence is spent.

    Args:
        retrain: The section of the contract.
        history: What the loop remembers.
        signals: The latest signal of each name.
        counters: Counts and ages by name: `rows.new`, `rows.labelled`, `model.age`.
        now: The present tick.
        axis: The contract's axis.

    Raises:
        UsageError: A trigger is a forecast, or a span is not a length on `axis`.
    """
    wall = now if axis == "time" else history.wall
    memory = look(retrain.when, history.triggers, signals=signals, counters=counters, now=wall)
    firing = [trigger for trigger in retrain.when if pending(memory[trigger_name(trigger)])]
    if not firing:
        return None, memory
    first = trigger_name(firing[0])
    if history.open:
        return Held(trigger=first, reason=f"{history.open} is under way"), memory
    if wait := waiting(retrain, retrains=history.retrains, now=now, axis=axis):
        return Held(trigger=first, reason=wait.reason, until=wait.until), memory
    if history.hold:
        return Held(trigger=first, reason=history.hold), memory
    evidence = {trigger_name(trigger): memory[trigger_name(trigger)].evidence for trigger in firing}
    words = [_words(trigger, memory, signals, counters) for trigger in firing]
    found = Due(trigger=first, reason="; ".join(words), evidence=evidence)
    return found, spend(memory, now)


def _words(
    trigger: Trigger,
    memory: Mapping[str, TriggerState],
    signals: Mapping[str, Signal],
    counters: Mapping[str, float],
) -> str:
    name = trigger_name(trigger)
    if isinstance(trigger, Condition):
        reading = read_condition(trigger, signals, counters)
        return f"{name}: {reading.reason if reading.evidence else memory[name].reason}"
    instant = memory[name].evidence
    return f"{name}: {say_tick(float(instant), 'time')} has passed" if instant else name
