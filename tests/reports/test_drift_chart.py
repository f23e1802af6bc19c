import re

import pytest

from setpoint.facts.replay import DriftCell
from setpoint.reports.drawing import svg
from setpoint.reports.drift_chart import (
    COLUMNS,
    WINDOWS,
    drift_chart,
    gaps_between,
    loudest,
    merged,
)


def cell(column="a", start=0.0, distance=0.1, verdict="pass"):
    return DriftCell(column=column, start=start, end=start + 1, distance=distance, verdict=verdict)


def test_joined_windows_never_hide_a_drift():
    cells = [cell(start=float(i)) for i in range(1000)]
    cells[537] = cell(start=537.0, distance=0.9, verdict="fail")
    few = merged(cells, WINDOWS)
    assert len(few) == WINDOWS
    found = [c for c in few if c.verdict == "fail"]
    assert [c.distance for c in found] == [0.9]
    assert found[0].start <= 537.0 < found[0].end
    assert (min(c.start for c in few), max(c.end for c in few)) == (0.0, 1000.0)


def test_not_measured_is_not_a_distance_of_zero():
    (joined,) = merged(
        [cell(distance=None, verdict="error"), cell(start=1.0, distance=None, verdict="error")], 1
    )
    assert joined.distance is None
    assert joined.verdict == "error"


def test_columns_that_drifted_most_come_first_and_stay():
    cells = [cell(f"c{i:02d}", distance=0.01 * i) for i in range(COLUMNS + 5)]
    cells.append(cell("rare", verdict="fail"))
    kept = loudest(cells, COLUMNS)
    assert kept[0] == "rare"
    assert len(kept) == COLUMNS
    assert "c00" not in kept


def test_drift_and_doubt_have_marks_of_their_own():
    text = svg(
        drift_chart([cell(verdict="fail"), cell("b", distance=None, verdict="inconclusive")], "rows"),
        name="d", title="t",
    )  # fmt: skip
    assert ">✗<" in text
    assert ">?<" in text


def test_marks_are_read_on_strong_cells_too():
    text = svg(
        drift_chart([cell(distance=0.9, verdict="inconclusive")], "rows"), name="d", title="t"
    )
    halo, mark = re.findall(r"<text[^>]*>\?</text>", text)
    assert 'stroke="var(--paper)"' in halo
    assert 'fill="var(--ink)"' in mark
    assert "opacity" not in mark


def test_a_stretch_without_a_window_is_no_calm_one():
    cells = [cell(), cell("b"), cell(start=5.0)]
    assert gaps_between(cells, (-1.0, 6.0)) == [(-1.0, 0.0), (1.0, 5.0)]
    assert gaps_between(cells, (0.0, 9.0)) == [(1.0, 5.0), (6.0, 9.0)]
    assert 'fill="var(--faint)"' in svg(drift_chart(cells, "rows"), name="d", title="t")


def test_there_is_no_map_without_a_cell():
    assert drift_chart([], "time") is None


@pytest.mark.parametrize("column", ["a.b", "a[0]", "a'b", "<b>", "é ü"])
def test_any_column_name_is_drawn_as_it_is(column):
    text = svg(drift_chart([cell(column)], "rows"), name="d", title="t")
    assert column.replace("<", "&lt;").replace(">", "&gt;") in text
