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
_MARK = 5.0  # pixels that a mark needs to be read
_WORST: Final[tuple[Ruling, ...]] = ("error", "inconclusive", "pass", "fail")  # drift is the news


def drift_chart(cells: Sequence[DriftCell], axis: Axis) -> alt.TopLevelMixin | None:
    """Return the heat map, or None where there is no cell.

    Strength of colour is total variation distance; a cross is drift by the contract, a question mark a window
    that could not be judged.
    """
    if not cells:
        return None
    columns = loudest(cells, COLUMNS)
    shown = merged([cell for cell in cells if cell.column in set(columns)], WINDOWS)
    ends = (min(cell.start for cell in shown), max(cell.end for cell in shown))
    x = tick_axis(axis, "start", domain=ends)
    y = alt.Y("column:N", sort=columns, axis=alt.Axis(title=None, domain=False, ticks=False))
    strength = alt.FillOpacity(
        "distance:Q", scale=alt.Scale(domain=[0, FULL], range=[0.04, 1], clamp=True), legend=None
    )
    heat = (
        alt.Chart(alt.Data(values=[_record(cell, axis) for cell in shown]))
        .mark_rect(fill=LIGHT["heat"], stroke=LIGHT["paper"], strokeWidth=0.5)
        .encode(x=x, x2="end", y=y, fillOpacity=strength)
    )
    pixels = WIDTH / max(len({cell.start for cell in shown}), 1)
    layers = [heat, *_marks(shown, axis, y, pixels)]
    return alt.layer(*layers).properties(width=WIDTH, height=_ROW * len(columns))


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


def _marks(cells: Sequence[DriftCell], axis: Axis, y: alt.Y, pixels: float) -> list[alt.Chart]:
    if pixels < _MARK:
        return []
    ends = (min(cell.start for cell in cells), max(cell.end for cell in cells))
    x = tick_axis(axis, "at", domain=ends)
    marks = []
    for verdicts, symbol in ((("fail",), "✗"), (("inconclusive", "error"), "?")):
        at = [
            {"at": tick_value((cell.start + cell.end) / 2, axis), "column": cell.column}
            for cell in cells
            if cell.verdict in verdicts
        ]
        strength = 1.0 if symbol == "✗" else 0.45
        chart = alt.Chart(alt.Data(values=at)).mark_text(
            text=symbol, color=LIGHT["ink"], opacity=strength, fontSize=min(12.0, pixels + 3)
        )
        marks.append(chart.encode(x=x, y=y))
    return marks
