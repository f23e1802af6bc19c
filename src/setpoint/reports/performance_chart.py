"""The four lines of a replay over time, with what the loop did above them."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Final

import altair as alt
import numpy as np

from setpoint.facts.decision import Action
from setpoint.facts.replay import LINES, Batch, LineName, Replay
from setpoint.reports.drawing import DASH, WIDTH, tick_axis, tick_value
from setpoint.reports.palette import LIGHT
from setpoint.reports.wording import ACTIONS, say_number

_CROSS = "M-1,-.6L-.6,-1L0,-.4L.6,-1L1,-.6L.4,0L1,.6L.6,1L0,.4L-.6,1L-1,.6L-.4,0Z"

EVENTS: Final[dict[Action, tuple[str, str]]] = {
    "promote": ("triangle-up", "good"),
    "refuse": (_CROSS, "bad"),
    "roll_back": ("triangle-down", "bad"),
    "block": ("square", "ink"),
    "alert": ("diamond", "scheduled"),
    "retrain": ("circle", "muted"),
}
"""Actions that are drawn, with their shape and colour, from top to bottom."""

POINTS: Final = 400
"""Points of a line; more cannot be seen."""

_SMOOTH = 40  # stretches that a line may show without becoming a hedge
_HEIGHT, _LANE = 280, 20  # pixels
_LABEL = 15  # pixels between two labels at the ends of the lines
_AWAY = 1.5  # spans of the other lines: a `no_change` farther off than this would flatten them
_MARGIN = 0.06  # of the span, above and below the lines


def performance_chart(replay: Replay) -> alt.TopLevelMixin | None:
    """Return the chart, or None where no batch has a value.

    Lines are trailing means over about a fortieth of the batches, weighted by rows, so that four of them can be told
    apart; `smoothing` says over how many. History of more than `POINTS` batches is joined into that many first.
    """
    batches = joined(replay.batches, POINTS)
    lines = {line: trailing(batches, line, smoothing(len(batches))) for line in LINES}
    known = {line: values for line, values in lines.items() if np.isfinite(values).any()}
    if not known:
        return None
    low, high, kept = _domain(known)
    ends = (batches[0].start, batches[-1].end)
    records = _records(replay, batches, known, kept)
    x = tick_axis(replay.axis, "at", domain=ends)
    scale = alt.Scale(domain=[low, high], zero=False, nice=False)
    y = alt.Y("value:Q", scale=scale, title=y_title(replay))
    layers = [_rules(replay, ends), *(_line(records, line, x, y) for line in kept)]
    layers.append(_labels(replay, lines, kept, scale))
    main = alt.layer(*layers).properties(width=WIDTH, height=_HEIGHT)
    lanes = _lanes(replay, ends)
    return main if lanes is None else alt.vconcat(lanes, main, spacing=6)


def y_title(replay: Replay) -> str:
    """Return what the vertical axis shows."""
    return f"{replay.metric} ({replay.direction} is better)"


def smoothing(batches: int) -> int:
    """Return over how many of this many (joined) batches each point of a line is the mean."""
    return max(1, round(batches / _SMOOTH))


def joined(batches: Sequence[Batch], most: int) -> tuple[Batch, ...]:
    """Join neighbouring batches until there are at most `most`; values become means weighted by rows."""
    if len(batches) <= most:
        return tuple(batches)
    cuts = np.linspace(0, len(batches), most + 1).round().astype(int)
    return tuple(_join(batches[start:end]) for start, end in pairwise(cuts.tolist()))


def trailing(batches: Sequence[Batch], line: LineName, over: int) -> np.ndarray[Any, Any]:
    """Return the mean of the last `over` batches at each batch, weighted by rows, shape (batches,).

    Batches without a value do not count; NaN where none of the last `over` has one.
    """
    values = np.array([np.nan if (v := batch.of(line)) is None else v for batch in batches])
    is_known = np.isfinite(values)
    weight = np.where(is_known, [float(batch.n) for batch in batches], 0.0)
    sums = _window_sums(np.where(is_known, values, 0.0) * weight, over)
    weights = _window_sums(weight, over)
    means = np.full(len(values), np.nan)
    np.divide(sums, weights, out=means, where=weights > 0)
    return means


def _window_sums(values: np.ndarray[Any, Any], over: int) -> np.ndarray[Any, Any]:
    total = np.concatenate([[0.0], np.cumsum(values)])
    ends = np.arange(1, len(total))
    return np.asarray(total[ends] - total[np.maximum(ends - over, 0)])


def _join(batches: Sequence[Batch]) -> Batch:
    means = {line: float(trailing(batches, line, len(batches))[-1]) for line in LINES}
    return Batch(
        start=batches[0].start,
        end=batches[-1].end,
        n=sum(batch.n for batch in batches),
        **{line: value if np.isfinite(value) else None for line, value in means.items()},
    )


def _domain(lines: dict[LineName, np.ndarray[Any, Any]]) -> tuple[float, float, list[LineName]]:
    def reach(names: Sequence[LineName]) -> tuple[float, float]:
        values = np.concatenate([lines[name] for name in names])
        values = values[np.isfinite(values)]
        return float(values.min()), float(values.max())

    kept = list(lines)
    models: list[LineName] = [name for name in kept if name != "no_change"]
    if models and "no_change" in lines:
        low, high = reach(models)
        far = _AWAY * max(high - low, 1e-9)
        nearest, farthest = reach(["no_change"])
        if nearest < low - far or farthest > high + far:
            kept = models
    low, high = reach(kept)
    margin = _MARGIN * (high - low) or 0.01
    return low - margin, high + margin, kept


def _records(
    replay: Replay,
    batches: Sequence[Batch],
    lines: dict[LineName, np.ndarray[Any, Any]],
    kept: Sequence[LineName],
) -> dict[LineName, list[dict[str, Any]]]:
    # A batch is one point, at its middle; a gap stays a gap.
    middles = [tick_value((batch.start + batch.end) / 2, replay.axis) for batch in batches]
    return {
        line: [
            {"at": at, "value": float(value) if np.isfinite(value) else None}
            for at, value in zip(middles, lines[line], strict=True)
        ]
        for line in kept
    }


def _line(
    records: dict[LineName, list[dict[str, Any]]], line: LineName, x: alt.X, y: alt.Y
) -> alt.Chart:
    mark = {
        "color": LIGHT[line],
        "strokeDash": DASH[line],
        "strokeWidth": 2.6 if line == "loop" else 1.6,
        "clip": True,
    }
    return alt.Chart(alt.Data(values=records[line])).mark_line(**mark).encode(x=x, y=y)


def _labels(
    replay: Replay,
    lines: dict[LineName, np.ndarray[Any, Any]],
    kept: Sequence[LineName],
    scale: alt.Scale,
) -> alt.LayerChart:
    low, high = scale.domain
    title = y_title(replay)
    per_pixel = (high - low) / _HEIGHT
    ends = {line: lines[line][np.isfinite(lines[line])][-1] for line in kept}
    ordered = sorted(kept, key=lambda line: float(ends[line]))
    at = spread([float(ends[line]) for line in ordered], _LABEL * per_pixel, (low, high))
    texts = [
        alt.Chart(alt.Data(values=[{"value": y, "text": line}]))
        .mark_text(align="left", dx=8, color=LIGHT[line], fontWeight=_weight(line))
        .encode(x=alt.value(WIDTH), y=alt.Y("value:Q", scale=scale, title=title), text="text:N")
        for line, y in zip(ordered, at, strict=True)
    ]
    if "no_change" not in kept and replay.no_change is not None:
        words = {"value": low, "text": f"no_change {say_number(replay.no_change)} (off the chart)"}
        texts.append(
            alt.Chart(alt.Data(values=[words]))
            .mark_text(align="right", dx=-4, dy=-8, color=LIGHT["no_change"])
            .encode(x=alt.value(WIDTH), y=alt.Y("value:Q", scale=scale, title=title), text="text:N")
        )
    return alt.layer(*texts)


def _weight(line: LineName) -> str:
    return "bold" if line == "loop" else "normal"


def spread(values: Sequence[float], gap: float, bounds: tuple[float, float]) -> list[float]:
    """Move ascending values apart until they are `gap` from each other, as little as that takes.

    Args:
        values: Ascending.
        gap: Smallest distance of two neighbours.
        bounds: Where they may lie; the lower one gives way if they do not fit.
    """
    moved = list(values)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + gap)
    ceiling = bounds[1]
    for i in reversed(range(len(moved))):
        moved[i] = min(moved[i], ceiling)
        ceiling = moved[i] - gap
    return moved


def _rules(replay: Replay, ends: tuple[float, float]) -> alt.Chart:
    turns = [
        {"at": tick_value(decision.at, replay.axis)}
        for decision in replay.decisions
        if decision.action in ("promote", "roll_back")
    ]
    x = tick_axis(replay.axis, "at", domain=ends)
    return alt.Chart(alt.Data(values=turns)).mark_rule(color=LIGHT["faint"]).encode(x=x)


def _lanes(replay: Replay, ends: tuple[float, float]) -> alt.LayerChart | None:
    width = max((ends[1] - ends[0]) / POINTS, 1e-9)
    found: dict[Action, dict[int, float]] = {action: {} for action in EVENTS}
    for decision in replay.decisions:
        if decision.action in EVENTS and ends[0] <= decision.at <= ends[1]:
            found[decision.action].setdefault(int((decision.at - ends[0]) / width), decision.at)
    lanes = [action for action in EVENTS if found[action]]
    if not lanes:
        return None
    names = [ACTIONS[action][1] for action in lanes]
    x = tick_axis(replay.axis, "at", domain=ends, shown=False)
    axis = alt.Axis(title=None, domain=False, ticks=False, grid=True)
    y = alt.Y("lane:N", sort=names, axis=axis, scale=alt.Scale(domain=names))
    layers = [
        alt.Chart(
            alt.Data(
                values=[
                    {"at": tick_value(at, replay.axis), "lane": ACTIONS[action][1]}
                    for at in found[action].values()
                ]
            )
        )
        .mark_point(
            shape=EVENTS[action][0], size=60, filled=True, opacity=1, color=LIGHT[EVENTS[action][1]]
        )
        .encode(x=x, y=y)
        for action in lanes
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=_LANE * len(lanes))
