"""How often a retrain may start: the cool-down and the budget, on the contract's axis (time or rows)."""

from collections.abc import Sequence

import msgspec

from setpoint.clock import Axis, say_tick
from setpoint.contract.retrain import Retrain
from setpoint.contract.spans import Span
from setpoint.errors import UsageError


class Wait(msgspec.Struct, frozen=True, kw_only=True):
    """Why no retrain may start now, and the first tick at which one may."""

    reason: str
    until: float


def ticks(span: Span, axis: Axis) -> float:
    """Return a span's length on `axis`.

    Raises:
        UsageError: The span is a time and the axis is rows, or the other way round.
    """
    if (span.unit == "rows") != (axis == "rows"):
        want = "1000 rows" if axis == "rows" else "24h"
        msg = f"{span} is not a length on the axis {axis} of this contract; write it as {want!r}"
        raise UsageError(msg)
    return span.value


def waiting(retrain: Retrain, *, retrains: Sequence[float], now: float, axis: Axis) -> Wait | None:
    """Return why no retrain may start at `now`, or None where one may.

    Args:
        retrain: The section of the contract.
        retrains: Ticks at which retrains started, in order.
        now: The present tick.
        axis: The contract's axis.

    Raises:
        UsageError: Cool-down or period is not a length on `axis`.
    """
    waits = []
    cooldown = ticks(retrain.cooldown, axis)
    if retrains and now < (free := retrains[-1] + cooldown):
        waits.append(
            Wait(
                reason=f"the last retrain was at {say_tick(retrains[-1], axis)}, the cool-down is {retrain.cooldown}",
                until=free,
            )
        )
    runs, per = retrain.budget.runs, ticks(retrain.budget.per, axis)
    if len(retrains) >= runs and now < (free := retrains[-runs] + per):
        waits.append(
            Wait(
                reason=f"the budget of {runs} retrains per {retrain.budget.per} is spent",
                until=free,
            )
        )
    return max(waits, key=lambda wait: wait.until, default=None)
