"""Tests of what the loop leaves for dashboards: the last window in few numbers, and nothing that could stop a pass."""

import pytest

from setpoint.adapters.watched_file import WATCHED, WatchedReader, WatchedWriter
from setpoint.clock import ManualClock
from setpoint.facts.signal import Signal, Window
from setpoint.facts.verdict import Verdict
from setpoint.facts.watched import Watched

WINDOW = Window(start=0.0, end=100.0, version=3, rows=100)


def signal(name, value, ruling="pass", **numbers):
    verdict = Verdict(subject=name, verdict=ruling)
    return Signal(name=name, window=WINDOW, value=value, verdict=verdict, numbers=numbers)


SIGNALS = {
    one.name: one
    for one in (
        signal("drift.share", 0.5),
        signal("drift.tenure", 0.3, "fail", tenure={"psi": 0.41, "ks": 0.2}),
        signal("drift.plan", None, "inconclusive"),
        signal("ranges.tenure", 0.0, tenure={"below": 1.0}),
        signal("performance.accuracy", 0.81),
    )
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / WATCHED


def test_what_was_measured_is_written_and_what_was_not_is_not(path):
    WatchedWriter(path, "churn", ManualClock(50.0))(SIGNALS)
    assert WatchedReader(path)() == Watched(
        model="churn",
        version=3,
        at=50.0,
        values={
            "drift.share": 0.5,
            "drift.tenure": 0.3,
            "ranges.tenure": 0.0,
            "performance.accuracy": 0.81,
        },
        failing=("drift.tenure",),
        psi={"tenure": 0.41},
    )
    assert [one.name for one in path.parent.iterdir()] == [WATCHED]


def test_the_newest_window_is_read_and_a_window_without_signals_changes_nothing(path):
    write, read = WatchedWriter(path, "churn", ManualClock(50.0)), WatchedReader(path)
    assert read() is None
    write(SIGNALS)
    write({"drift.share": signal("drift.share", 0.1)})
    write({})
    assert read().values == {"drift.share": 0.1}
    path.unlink()
    assert read() is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"model": 1}'])
def test_a_file_that_is_none_shows_nothing(path, content):
    path.write_bytes(content)
    assert WatchedReader(path)() is None


def test_a_disk_that_cannot_be_written_stops_no_pass(tmp_path):
    WatchedWriter(tmp_path / "gone" / WATCHED, "churn", ManualClock())(SIGNALS)
