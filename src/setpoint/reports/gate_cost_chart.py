"""What each judgement of the gates was worth on the rows that followed it, over time."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from setpoint.clock import Axis
from setpoint.facts.replay import GateCost
from setpoint.reports.drawing import WIDTH, tick_axis, tick_value
from setpoint.reports.gate_worth import WORTH, told, worth_interval
from setpoint.reports.palette import LIGHT
from setpoint.reports.performance_chart import EVENTS

JUDGEMENTS: Final = 400
"""Judgements that are drawn, those worth or costing most; more than this would lie on each other."""

_HEIGHT = 260  # pixels
_FEW = 60  # up to this many judgements, marks are as large as those of events
_COLOURS = alt.Scale(domain=list(WORTH), range=[LIGHT["good"], LIGHT["muted"], LIGHT["bad"]])
_SHAPES = alt.Scale(domain=["promote", "refuse"], range=[EVENTS["promote"][0], EVENTS["refuse"][0]])


def gate_cost_chart(
    costs: Sequence[GateCost], metric: str, axis: Axis, ends: tuple[float, float] | None = None
) -> alt.TopLevelMixin | None:
    """Return a mark with its interval for each judgement whose worth is known, or None where none is.

    Above zero the judgement was worth it against the opposite one; below it cost something. The mark's shape is what
    was judged, as in the chart of the lines; its colour repeats what the place of the interval says.

    Args:
        costs: The judgements.
        metric: Name of the metric they are measured in.
        axis: What ticks count.
        ends: First and last tick of the chart, so that it lines up with others; those of the judgements unless given.
    """
    drawn = drawn_of(costs)
    if not drawn:
        return None
    low, high = ends or (drawn[0].at, drawn[-1].at)
    x = tick_axis(axis, "at", domain=(min(low, drawn[0].at), max(high, drawn[-1].at)))
    title = f"worth in {metric}: cost ← 0 → gained or saved"
    y = alt.Y("worth:Q", scale=alt.Scale(padding=8), axis=alt.Axis(tickCount=7), title=title)
    data = alt.Data(values=[_record(cost, axis) for cost in drawn])
    colour = alt.Color("kind:N", scale=_COLOURS, legend=None)
    few = len(drawn) <= _FEW
    zero = alt.Chart(alt.Data(values=[{"worth": 0}])).mark_rule(color=LIGHT["muted"])
    rule = alt.Chart(data).mark_rule(strokeWidth=2 if few else 1, opacity=0.6)
    dot = alt.Chart(data).mark_point(filled=True, size=70 if few else 32, opacity=1)
    layers = [
        zero.encode(y=y),
        rule.encode(x=x, y=alt.Y("low:Q", title=title), y2="high:Q", color=colour),
        dot.encode(x=x, y=y, color=colour, shape=alt.Shape("action:N", scale=_SHAPES, legend=None)),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=_HEIGHT)


def drawn_of(costs: Sequence[GateCost]) -> list[GateCost]:
    """Return the judgements that are drawn, in order: those of known worth, or the largest `JUDGEMENTS` of them."""
    known = [cost for cost in costs if cost.worth is not None]
    loud = sorted(known, key=lambda cost: -abs(cost.worth or 0.0))[:JUDGEMENTS]
    return sorted(loud, key=lambda cost: cost.at)


def _record(cost: GateCost, axis: Axis) -> dict[str, Any]:
    low, high = worth_interval(cost) or (cost.worth, cost.worth)
    return {
        "at": tick_value(cost.at, axis),
        "worth": cost.worth,
        "low": low,
        "high": high,
        "kind": told(cost),
        "action": cost.action,
    }
