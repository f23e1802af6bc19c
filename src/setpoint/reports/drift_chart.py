"""The drift heat map: how far each column lies from its reference in each window, and which of it is drift."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import altair as alt
import numpy as np

from setpoint.clock import Axis
from setpoint.facts.replay import DriftCell
from setpoint.facts.verdict import Ruling
from setpoint.reports.drawing import WIDTH, tick_axis, tick_value
from setpoint.reports.palette import LIGHT

COLUMNS: Final = 30
"""Columns that are drawn; those that drifted most come first."""
WINDOWS: Final = 120
"""Windows that are drawn; more are joined, each showing the worst of those it joins."""
FULL: Final = 0.3
"""Distance from which on a cell has full strength."""

_ROW = 20  # pixels
_MARK = 5.0  # pixels of the narrowest mark that can be read
_WORST: Final[tuple[Ruling, ...]] = ("error", "inconclusive", "pass", "fail")  # drift is the news


def drift_chart(
    cells: Sequence[DriftCell], axis: Axis, ends: tuple[float, float] | None = None
) -> alt.TopLevelMixin | None:
    """Return the heat map, or None where there is no cell.

    Strength of colour is total variation distance; a cross is drift by the contract, a question mark a window that
    could not be judged, grey a stretch without a window.

    Args:
        cells: Columns in windows.
        axis: What ticks count.
        ends: First and last tick of the chart, so that it lines up with others; those of the cells unless given.
    """
    if not cells:
        return None
    columns = loudest(cells, COLUMNS)
    shown = merged([cell for cell in cells if cell.column in set(columns)], WINDOWS)
    low, high = min(cell.start for cell in shown), max(cell.end for cell in shown)
    low, high = (min(low, ends[0]), max(high, ends[1])) if ends else (low, high)
    x = tick_axis(axis, "start", domain=(low, high))
    y = alt.Y("column:N", sort=columns, axis=alt.Axis(title="column", domain=False, ticks=False))
    strength = alt.FillOpacity(
        "distance:Q", scale=alt.Scale(domain=[0, FULL], range=[0.04, 1], clamp=True), legend=None
    )
    heat = (
        alt.Chart(alt.Data(values=[_record(cell, axis) for cell in shown]))
        .mark_rect(fill=LIGHT["heat"], stroke=LIGHT["paper"], strokeWidth=0.5)
        .encode(x=x, x2="end", y=y, fillOpacity=strength)
    )
    gaps = [
        {"start": tick_value(start, axis), "end": tick_value(end, axis)}
        for start, end in gaps_between(shown, (low, high))
    ]
    empty = alt.Chart(alt.Data(values=gaps)).mark_rect(fill=LIGHT["faint"]).encode(x=x, x2="end")
    narrowest = min(cell.end - cell.start for cell in shown)
    pixels = WIDTH * narrowest / max(high - low, 1e-9)
    layers = [*([empty] if gaps else []), heat, *_marks(shown, axis, (low, high), y, pixels)]
    return alt.layer(*layers).properties(width=WIDTH, height=_ROW * len(columns))


def gaps_between(
    cells: Iterable[DriftCell], ends: tuple[float, float]
) -> list[tuple[float, float]]:
    """Return the stretches from one end to the other that lie in no window."""
    gaps, reached = [], ends[0]
    for start, end in sorted({(cell.start, cell.end) for cell in cells}):
        if start > reached:
            gaps.append((reached, start))
        reached = max(reached, end)
    return [*gaps, (reached, ends[1])] if reached < ends[1] else gaps


def loudest(cells: Iterable[DriftCell], most: int) -> list[str]:
    """Return at most `most` columns, those with most drift first, then by their largest distance, then by name."""
    count: dict[str, int] = {}
    largest: dict[str, float] = {}
    for cell in cells:
        count[cell.column] = count.get(cell.column, 0) + (cell.verdict == "fail")
        largest[cell.column] = max(largest.get(cell.column, 0.0), cell.distance or 0.0)
    return sorted(count, key=lambda name: (-count[name], -largest[name], name))[:most]


def merged(cells: Sequence[DriftCell], most: int) -> list[DriftCell]:
    """Join windows until there are at most `most`; the worst verdict and largest distance of each group stay."""
    starts = sorted({cell.start for cell in cells})
    if len(starts) <= most:
        return list(cells)
    cuts = np.linspace(0, len(starts), most + 1).round().astype(int)
    group = np.searchsorted(cuts, np.arange(len(starts)), side="right") - 1
    place = dict(zip(starts, group.tolist(), strict=True))
    groups: dict[tuple[str, int], list[DriftCell]] = {}
    for cell in cells:
        groups.setdefault((cell.column, place[cell.start]), []).append(cell)
    return [_worst(group) for group in groups.values()]


def _worst(cells: Sequence[DriftCell]) -> DriftCell:
    known = [cell.distance for cell in cells if cell.distance is not None]
    return DriftCell(
        column=cells[0].column,
        start=min(cell.start for cell in cells),
        end=max(cell.end for cell in cells),
        distance=max(known, default=None),
        verdict=max((cell.verdict for cell in cells), key=_WORST.index),
    )


def _record(cell: DriftCell, axis: Axis) -> dict[str, Any]:
    return {
        "column": cell.column,
        "start": tick_value(cell.start, axis),
        "end": tick_value(cell.end, axis),
        "distance": cell.distance,
    }


def _marks(
    cells: Sequence[DriftCell], axis: Axis, ends: tuple[float, float], y: alt.Y, pixels: float
) -> list[alt.Chart]:
    x = tick_axis(axis, "at", domain=ends)
    size = min(12.0, max(pixels, _MARK) + 3)
    marks = []
    for verdicts, symbol in ((("fail",), "✗"), (("inconclusive", "error"), "?")):
        at = [
            {"at": tick_value((cell.start + cell.end) / 2, axis), "column": cell.column}
            for cell in cells
            if cell.verdict in verdicts
        ]
        text = alt.Chart(alt.Data(values=at)).encode(x=x, y=y)
        # The first lies behind the second, so that the mark is read on light and on strong cells.
        halo = {
            "stroke": LIGHT["paper"],
            "strokeWidth": 3,
            "strokeJoin": "round",
            "color": LIGHT["paper"],
        }
        look: tuple[dict[str, Any], ...] = (halo, {"color": LIGHT["ink"]})
        marks += [
            text.mark_text(text=symbol, fontSize=size, fontWeight="bold", **one) for one in look
        ]
    return marks
