"""The table, the page and the JSON of a measurement."""

import json

from benchmarks.serving.disk import Disk, measure_disk
from benchmarks.serving.goals import BUFFERED, goals
from benchmarks.serving.load import Load
from benchmarks.serving.report import Measured, goal_lines, table, write_json, write_page
from benchmarks.serving.turns import Run


def runs(server, rate, p99_ms, cpu_us, errors=0):
    load = Load(round(rate * 10), 10.0, p99_ms / 2, p99_ms, errors)
    return [Run(server, turn, 1, load, cpu_us, others=0.0) for turn in range(5)]


OURS = runs(BUFFERED, 150.0, 0.2, 40.0)
RUNS = [*runs("floor", 200.0, 0.2, 30.0), *OURS, *runs("peer", 10.0, 2.0, 400.0, errors=7)]
DISKS = [Disk(0.1, 0.2)] * 5
GOALS = goals("logistic", RUNS, [], floor="floor", peers=["peer"], fsync_p99_ms=0.2)
MEASURED = Measured("logistic", RUNS, RUNS[:5], DISKS, GOALS)


def test_ratios_are_to_the_floor_and_to_the_best_peer():
    (line,) = [
        one
        for one in table(MEASURED, floor="floor", peers=["peer"]).splitlines()
        if BUFFERED in one
    ]
    assert "75%" in line
    assert "15.0" in line


def test_without_floor_and_peers_there_are_no_ratios():
    text = table(Measured("logistic", OURS, [], DISKS, []), floor="floor", peers=[])
    (line,) = [one for one in text.splitlines() if BUFFERED in one]
    assert line.split()[5:7] == ["-", "-"]


def test_a_goal_that_was_not_measured_says_so():
    assert "not measured" in goal_lines(GOALS)


def test_ratios_are_told_by_processor_time_too():
    assert "15.00 (>= 3.50), in 5 turns 15.00 to 15.00; by processor time 10.00" in goal_lines(
        GOALS
    )


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
    assert len(model["runs"]) == len(RUNS)


def test_disk_is_measured_and_left_clean(tmp_path):
    found = measure_disk(tmp_path)
    assert 0 < found.p50_ms <= found.p99_ms
    assert list(tmp_path.iterdir()) == []
