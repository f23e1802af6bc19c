"""The page of a replay: what it says in words, four lines over time, what the gates were worth, drift, decisions."""

from typing import Final

import altair as alt
from markupsafe import Markup

from setpoint.facts.replay import Replay
from setpoint.reports.decision_groups import stories
from setpoint.reports.drawing import svg
from setpoint.reports.drift_chart import COLUMNS, FULL, drift_chart
from setpoint.reports.gate_cost_chart import drawn_of, gate_cost_chart
from setpoint.reports.gate_worth import worth_interval
from setpoint.reports.page import page
from setpoint.reports.performance_chart import POINTS, performance_chart, smoothing
from setpoint.reports.replay_summary import (
    comparison_note,
    gates_summary,
    line_rows,
    replay_summary,
    settings_words,
)
from setpoint.reports.wording import say_count, say_when

DECISIONS: Final = 400
"""Attempts and single decisions that the page holds; a page must open on a phone."""


def replay_page(replay: Replay, title: str = "") -> str:
    """Return the report of a replay as one self-contained HTML page.

    Args:
        replay: The replay.
        title: Title of the page; the model's name unless given.
    """
    told = stories(replay.decisions)
    ends = (replay.batches[0].start, replay.batches[-1].end) if replay.batches else None
    cells = len({cell.column for cell in replay.drift})
    return page(
        "replay.html",
        title=title or f"Replay of {replay.name or 'a contract'}",
        axis=replay.axis,
        replay=replay,
        summary=replay_summary(replay),
        facts=_facts(replay),
        settings=settings_words(replay),
        comparison=comparison_note(replay),
        worth_interval=worth_interval,
        lines=line_rows(replay),
        performance=_drawn(
            performance_chart(replay), "performance", "Performance of the four lines"
        ),
        smoothed=smoothing(min(len(replay.batches), POINTS)),
        worth=gates_summary(replay.gate_costs, replay.metric),
        gate_costs=_drawn(
            gate_cost_chart(replay.gate_costs, replay.metric, replay.axis, ends),
            "gates",
            "What each judgement of the gates was worth",
        ),
        judgements_drawn=len(drawn_of(replay.gate_costs)),
        drift=_drawn(
            drift_chart(replay.drift, replay.axis, ends), "drift", "Drift by column and window"
        ),
        full=FULL,
        columns_left_out=max(0, cells - COLUMNS),
        stories=told[:DECISIONS],
        left_out=max(0, len(told) - DECISIONS),
    )


def _facts(replay: Replay) -> str:
    parts = [f"{replay.rows:,} rows"]
    if replay.batches:
        first, last = replay.batches[0].start, replay.batches[-1].end
        parts.append(f"{say_when(first, replay.axis)} to {say_when(last, replay.axis)}")
        judged = sum(batch.n for batch in replay.batches)
        parts.append(
            f"{judged:,} of them judged in {say_count(len(replay.batches), 'batch', 'batches')}"
        )
    parts.append(f"{replay.metric}, {replay.direction} is better")
    return " · ".join(parts)


def _drawn(chart: alt.TopLevelMixin | None, name: str, title: str) -> Markup | None:
    return None if chart is None else svg(chart, name=name, title=title)
