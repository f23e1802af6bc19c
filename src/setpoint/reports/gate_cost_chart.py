"""What each judgement of the gates was worth on the rows that followed it."""

from collections.abc import Sequence
from typing import Any, Final

import altair as alt

from setpoint.clock import Axis
from setpoint.facts.replay import GateCost
from setpoint.reports.drawing import WIDTH
from setpoint.reports.gate_worth import WORTH, told, worth_interval
from setpoint.reports.palette import LIGHT
from setpoint.reports.wording import ACTIONS, say_when

JUDGEMENTS: Final = 40
"""Judgements that are drawn; those worth or costing most."""

_ROW = 22  # pixels
_DIGITS = 8  # of an attempt id; enough to find it


def gate_cost_chart(costs: Sequence[GateCost], metric: str, axis: Axis) -> alt.TopLevelMixin | None:
    """Return a dot with its interval for each judgement whose worth is known, or None where none is.

    To the right of zero the judgement was worth it against the opposite one; to the left it cost something.
    """
    records = _records(costs, axis)
    if not records:
        return None
    names = [record["name"] for record in records]
    y = alt.Y(
        "name:N",
        sort=names,
        axis=alt.Axis(title=None, domain=False, ticks=False, labelLimit=260, minExtent=190),
    )
    x = alt.X(
        "worth:Q",
        scale=alt.Scale(padding=12),
        axis=alt.Axis(tickCount=8),
        title=f"{metric}: cost ← 0 → gained or saved",
    )
    data = alt.Data(values=records)
    colour = alt.Color("kind:N", scale=_COLOURS, legend=None)
    shape = alt.Shape("kind:N", scale=_SHAPES, legend=None)
    rule = alt.Chart(data).mark_rule(strokeWidth=2, opacity=0.7)
    dot = alt.Chart(data).mark_point(filled=True, size=80, opacity=1)
    zero = alt.Chart(alt.Data(values=[{"worth": 0}])).mark_rule(color=LIGHT["muted"])
    layers = [
        zero.encode(x=x),
        rule.encode(x=alt.X("low:Q"), x2="high:Q", y=y, color=colour),
        dot.encode(x=x, y=y, color=colour, shape=shape),
    ]
    return alt.layer(*layers).properties(width=WIDTH - 140, height=_ROW * len(records) + _ROW)


_SHAPES = alt.Scale(domain=list(WORTH), range=["circle", "diamond", "square"])
_COLOURS = alt.Scale(domain=list(WORTH), range=[LIGHT["good"], LIGHT["muted"], LIGHT["bad"]])


def _records(costs: Sequence[GateCost], axis: Axis) -> list[dict[str, Any]]:
    known = [cost for cost in costs if cost.worth is not None]
    loud = sorted(known, key=lambda cost: -abs(cost.worth or 0.0))[:JUDGEMENTS]
    records = []
    for cost in sorted(loud, key=lambda cost: cost.at):
        low, high = worth_interval(cost) or (cost.worth, cost.worth)
        who = f"version {cost.version}" if cost.version else cost.attempt[:_DIGITS]
        when = say_when(cost.at, axis)
        day = when[: len("2024-01-31")] if axis == "time" else when
        name = f"{day}  {ACTIONS[cost.action][1]} {who}"
        records.append(
            {"name": name, "worth": cost.worth, "low": low, "high": high, "kind": told(cost)}
        )
    return records
