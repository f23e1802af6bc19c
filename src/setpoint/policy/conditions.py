"""Whether a condition of the contract holds, on what is known now: yes, no, or not known.

Rules:
1. A signal with an interval is judged by it: the condition holds when the whole interval lies beyond the limit, does
   not hold when none of it does, and is not known in between.
2. A signal without an interval is judged by its value, unless its own verdict is `inconclusive` or `error`.
3. What was not measured is not known, which neither fires a trigger nor clears one.
4. A relative change, as in `performance.drop > 5%`, is relative to the `reference` in the evidence of the signal's
   verdict; the signal's value is in the metric's own unit.
"""

from collections.abc import Mapping

import msgspec

from setpoint.contract.conditions import Condition
from setpoint.contract.shares import Change
from setpoint.contract.spans import Span
from setpoint.facts.signal import Signal


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition says now.

    Args:
        holds: True, False, or None where that is not known.
        value: The value that was compared, where there is one.
        evidence: Names what it was read from; the same evidence never counts twice.
        version: The version that the evidence is about; 0 where it is about none.
        windowed: Whether the value belongs to a window, so that windows in a row are counted.
        reason: What was compared, for people.
    """

    holds: bool | None
    value: float | None = None
    evidence: str = ""
    version: int = 0
    windowed: bool = True
    reason: str = ""


def read_condition(
    condition: Condition, signals: Mapping[str, Signal], counters: Mapping[str, float]
) -> Reading:
    """Return what `condition` says of the current signals and counters.

    Args:
        condition: A parsed condition; its `for N windows` is the trigger's business, not judged here.
        signals: The latest signal of each name.
        counters: Plain counts and ages by name, such as `rows.new` and `model.age`, in the unit of the condition.
    """
    if condition.name in counters:
        value = float(counters[condition.name])
        limit = _limit(condition, None)
        return Reading(
            holds=None if limit is None else _beyond(value, condition.op, limit),
            value=value,
            evidence=f"{condition.name}={value:g}",
            windowed=False,
            reason=f"{condition.name} is {value:g}",
        )
    signal = signals.get(condition.name)
    if signal is None:
        return Reading(holds=None, reason=f"{condition.name} was not measured")
    window = signal.window
    holds, reason = _judge(condition, signal)
    return Reading(
        holds=holds,
        value=signal.value,
        evidence=f"{condition.name}@v{window.version}[{window.start!r},{window.end!r})",
        version=window.version,
        reason=reason,
    )


def _judge(condition: Condition, signal: Signal) -> tuple[bool | None, str]:
    name = condition.name
    verdict = signal.verdict
    if signal.value is None or verdict.verdict == "error":
        return None, f"{name} could not be measured: {verdict.reason}"
    reference = verdict.evidence.get("reference")
    limit = _limit(condition, reference)
    if limit is None:
        return None, f"{name} has no value at release that {condition.value} could be relative to"
    if verdict.interval is None:
        if verdict.verdict == "inconclusive":
            return (
                None,
                f"{name} is {_said(condition, signal.value, reference)}, inconclusive: {verdict.reason}",
            )
        reason = f"{name} is {_said(condition, signal.value, reference)}"
        return _beyond(signal.value, condition.op, limit), reason
    low, high = verdict.interval
    value, least, most = (_said(condition, one, reference) for one in (signal.value, low, high))
    reason = f"{name} is {value}, within {least} to {most}"
    if _is_relative(condition, reference):
        reason += f" of {reference:.4g}"
    ends = {_beyond(low, condition.op, limit), _beyond(high, condition.op, limit)}
    return (ends.pop() if len(ends) == 1 else None), reason


def _said(condition: Condition, value: float, reference: float | None) -> str:
    """Return a value as the limit is written: a relative change as a share of what it changed from."""
    if reference is not None and _is_relative(condition, reference):
        return f"{value / abs(reference):.1%}"
    return f"{value:.4g}"


def _is_relative(condition: Condition, reference: float | None) -> bool:
    return isinstance(condition.value, Change) and condition.value.relative and bool(reference)


def _beyond(value: float, op: str, limit: float) -> bool:
    match op:
        case ">":
            return value > limit
        case ">=":
            return value >= limit
        case "<":
            return value < limit
        case _:
            return value <= limit


def _limit(condition: Condition, reference: float | None) -> float | None:
    value = condition.value
    if isinstance(value, Change):
        if not value.relative:
            return value.value
        return None if reference is None else value.of(float(reference))
    if isinstance(value, Span):
        return value.value
    return float(value)
