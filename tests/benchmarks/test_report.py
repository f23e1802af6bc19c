"""The table, the page and the JSON of a measurement."""

import json

from benchmarks.serving.disk import Disk, measure_disk
from benchmarks.serving.goals import BUFFERED, goals
from benchmarks.serving.report import Measured, goal_lines, table, write_json, write_page
from benchmarks.serving.rounds import Figure

FIGURES = [
    Figure("floor", 1, 200.0, 190.0, 210.0, 0.1, 0.2, 30.0, 0, 5, 0.0),
    Figure(BUFFERED, 1, 150.0, 140.0, 160.0, 0.1, 0.2, 40.0, 0, 5, 0.0),
    Figure("peer", 1, 10.0, 9.0, 11.0, 1.0, 2.0, 400.0, 7, 5, 0.0),
]
GOALS = goals("logistic", FIGURES, floor="floor", peers=["peer"], fsync_p99_ms=1.0)
MEASURED = Measured("logistic", FIGURES, Disk(0.1, 0.2), GOALS)


def test_ratios_are_to_the_floor_and_to_the_best_peer():
    (line,) = [
        one
        for one in table(MEASURED, floor="floor", peers=["peer"]).splitlines()
        if BUFFERED in one
    ]
    assert "75%" in line
    assert "15.0" in line


def test_without_floor_and_peers_there_are_no_ratios():
    text = table(Measured("logistic", FIGURES[1:2], Disk(0.1, 0.2), []), floor="floor", peers=[])
    (line,) = [one for one in text.splitlines() if BUFFERED in one]
    assert line.split()[5:7] == ["-", "-"]


def test_a_goal_that_was_not_measured_says_so():
    assert "not measured" in goal_lines(GOALS)


def test_ratios_are_told_by_processor_time_too():
    assert "15.00 (>= 3.50); by processor time 10.00" in goal_lines(GOALS)


def test_page_needs_nothing_from_outside(tmp_path):
    write_page([MEASURED], "<here>", "text", tmp_path / "serving.html")
    text = (tmp_path / "serving.html").read_text()
    assert "<svg" in text
    assert "&lt;here&gt;" in text
    assert "<script" not in text


def test_json_has_figures_and_verdicts(tmp_path):
    write_json([MEASURED], "here", tmp_path / "serving.json")
    (model,) = json.loads((tmp_path / "serving.json").read_text())["models"]
    assert [one["server"] for one in model["figures"]] == ["floor", BUFFERED, "peer"]
    assert {goal["verdict"] for goal in model["goals"]} == {"pass", "not measured"}


def test_disk_is_measured_and_left_clean(tmp_path):
    found = measure_disk(tmp_path)
    assert 0 < found.p50_ms <= found.p99_ms
    assert list(tmp_path.iterdir()) == []
