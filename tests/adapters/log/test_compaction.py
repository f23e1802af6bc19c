"""Tests of moving answers into Parquet files: nothing lost, nothing twice, wherever it is cut."""

import fcntl
import math
import subprocess
import sys
import textwrap
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.adapters.predictions import prediction_of

from setpoint.adapters.log.compaction import LATE_S, Compaction
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.errors import JournalError, OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Outcome

ROOT = Path(__file__).resolve().parents[2]
HOUR = 3600.0
DAY = 1_700_006_400.0  # 2023-11-15 00:00 UTC
STEPS = ("planned", "written", "named", "listed, not committed", "listed", "some deleted")


class CutError(Exception):
    """Stands for a kill."""


def prediction(number, **changes):
    fields = {
        "id": f"p-{number:05d}",
        "at": DAY + 60.0 * number,
        "model": "churn",
        "version": 1 + number % 2,
        "contract": "c",
        "generation": 1 + number // 100,
        "variant": "champion",
        "propensity": 0.5,
        "key": f"k{number % 7}",
        "request": f"r{number}",
        "features": {"tenure": number, "plan": "monthly"},
        "prediction": "Yes" if number % 3 else "No",
        "probability": 0.75,
        "latency_s": 0.001 * number,
    }
    return prediction_of(fields | changes)


def outcome(number, value="Yes"):
    return Outcome(prediction=f"p-{number:05d}", value=value, at=DAY + 1e6)


@pytest.fixture
def log(tmp_path):
    kept = SqliteLog(tmp_path / "log.db")
    yield kept
    kept.close()


def fill(log, count=300):
    """Give a log five hours of answers of two versions, one of them failing now and then, in groups of ten."""
    for start in range(0, count, 10):
        log.append(
            [
                prediction(n, **({"error": "boom", "prediction": None} if n % 50 == 7 else {}))
                for n in range(start, start + 10)
            ]
        )
    log.record([outcome(n, "No" if n % 4 else "Yes") for n in range(0, count, 3)])


def told(log):
    """Return all that readers are told."""
    _, _, count = log.span()
    keys = log.of_keys([f"k{n}" for n in range(9)])
    arms = {g: log.arms(generation=g, slow_s=(0.01, 0.1)) for g in (0, 1, 2, 3)}
    spans = [(-math.inf, math.inf), (DAY + HOUR, DAY + 2 * HOUR), (DAY + 50, DAY + 3 * HOUR + 7)]
    places = [(0, count), (5, 17), (count // 2, count), (count, count + 5)]
    return {
        "span": log.span(),
        "windows": [log.window(*one).to_pylist() for one in spans],
        "types": [str(log.window(*one).schema) for one in spans],
        "of version": [log.window(*one, version=2).to_pylist() for one in spans],
        "stretches": [log.stretch(*one).to_pylist() for one in places],
        "stretches of version": [log.stretch(*one, version=1).to_pylist() for one in places],
        "scored": [log.scored(*one, version=1).to_pylist() for one in spans],
        "scored stretches": [log.scored_stretch(*one, version=2).to_pylist() for one in places],
        "keys": keys,
        "arms": arms,
    }


def reopened(log):
    """Return what another process is told, which has seen nothing before."""
    other = SqliteLog(log._store.path)
    try:
        return told(other)
    finally:
        other.close()


def files(log):
    return sorted(
        str(path.relative_to(log._files.folder)) for path in log._files.folder.rglob("*.parquet")
    )


def chunks(log):
    with log._store.reading() as connection:
        return connection.execute("SELECT COUNT(*) FROM chunks").fetchone()[0]


def test_readers_are_told_the_same_after_every_hour_that_is_moved(log):
    fill(log)
    before = told(log)
    for hour in range(1, 6):
        done = log.compact(DAY + 24 * HOUR, most=1)
        assert (done.hours, done.files, done.answers) == (1, 1, 60)
        assert done.size > 0
        assert len(files(log)) == hour
        assert told(log) == before
        assert reopened(log) == before
    assert log.compact(DAY + 24 * HOUR).hours == 0
    assert chunks(log) == 0


def test_one_file_for_each_model_and_hour_in_order_of_time(log):
    fill(log)
    log.append([prediction(300, model="../odd name")])
    log.compact(DAY + 24 * HOUR)
    assert files(log) == [
        "%2E.%2Fodd%20name/date=2023-11-15/hour=05/part-000000000300.parquet",
        *[f"churn/date=2023-11-15/hour={n:02d}/part-{60 * n:012d}.parquet" for n in range(5)],
    ]
    table = pq.read_table(log._files.folder / files(log)[1], partitioning=None)
    assert table["at"].to_pylist() == sorted(table["at"].to_pylist())
    assert table["feature.tenure"].to_pylist() == [float(n) for n in range(60)]
    assert table["request"].to_pylist()[:2] == ["r0", "r1"]
    meta = pq.read_metadata(log._files.folder / files(log)[1])
    assert meta.row_group(0).column(0).compression == "ZSTD"


def test_an_hour_that_is_not_over_stays_until_it_is_asked_for(log):
    fill(log, 70)
    assert log.compact(DAY + HOUR).hours == 0  # its last answers may be on their way
    assert log.compact(DAY + HOUR + LATE_S).answers == 60
    assert log.compact(DAY + HOUR + LATE_S).hours == 0
    before = told(log)
    assert log.compact(DAY + HOUR + LATE_S, everything=True).answers == 10
    assert told(log) == before


def test_answers_keep_coming_after_their_hour_was_moved(log):
    fill(log, 120)
    log.compact(DAY + 24 * HOUR)
    log.append([prediction(200), prediction(201, at=DAY + 30.0)])
    before = told(log)
    assert log.span()[2] == 122
    assert log.stretch(120, 122)["id"].to_pylist() == ["p-00200", "p-00201"]
    log.compact(DAY + 24 * HOUR)
    assert told(log) == before
    assert files(log)[:2] == [
        "churn/date=2023-11-15/hour=00/part-000000000000.parquet",
        "churn/date=2023-11-15/hour=00/part-000000000121.parquet",
    ]


def test_groups_that_reach_over_the_hour_are_divided_and_keep_their_positions(log):
    log.append([prediction(n, version=1) for n in (58, 61, 59, 60, 200)])
    before = told(log)
    assert log.stretch(0, 9)["id"].to_pylist() == [f"p-{n:05d}" for n in (58, 61, 59, 60, 200)]
    log.compact(DAY + HOUR + LATE_S)
    assert told(log) == before
    assert len(files(log)) == 1


def test_kinds_that_contradict_each_other_get_files_of_their_own(log):
    log.append([prediction(1, features={"a": None, "b": True})])
    log.append([prediction(2, features={"a": 1, "c": "x"})])
    log.append([prediction(3, features={"a": 2.5, "c": 7})])
    log.append([prediction(4, features={"a": None, "b": None, "c": None}, prediction=None)])
    log.append([prediction(5, features={"a": "text", "b": False}, prediction=2.5)])
    log.append([prediction(6, features={}, key="")])
    before = told(log)
    alone = [log.stretch(n, n + 1).to_pylist() for n in range(6)]
    log.compact(DAY + 24 * HOUR)
    assert told(log) == before
    assert [log.stretch(n, n + 1).to_pylist() for n in range(6)] == alone
    assert len(files(log)) > 1


def test_features_may_be_called_like_columns_of_the_log(log):
    names = {"id": "x", "prediction": 3, "at": 1, "version": "v", "a.b": 1, "a": 2}
    log.append([prediction(1, features=names)])
    before = told(log)
    log.compact(DAY + 24 * HOUR)
    assert told(log) == before


@settings(max_examples=40, deadline=None)
@given(
    groups=st.lists(
        st.lists(
            st.tuples(
                st.integers(0, 4 * 3600),
                st.sampled_from([(1, None), (1, 1), (1, 2.5), (2, None), (2, True), (3, "x")]),
            ),
            min_size=1,
            max_size=6,
        ),
        min_size=1,
        max_size=8,
    ),
    cuts=st.lists(st.integers(0, 5 * 3600), max_size=3),
)
def test_no_order_of_arrival_and_no_time_of_compaction_changes_what_is_told(
    tmp_path_factory, groups, cuts
):
    folder = tmp_path_factory.mktemp("log")
    log, plain = SqliteLog(folder / "log.db"), SqliteLog(folder / "plain.db")
    number = 0
    for place, group in enumerate(groups):
        lines = []
        for second, (version, value) in group:
            number += 1
            lines.append(
                prediction(number, at=DAY + second, version=version, features={"a": value})
            )
        log.append(lines)
        plain.append(lines)
        if place < len(cuts):
            log.compact(DAY + cuts[place], everything=cuts[place] % 2 == 0)
    log.compact(DAY + 3 * HOUR)
    try:
        assert told(log) == told(plain)
    finally:
        log.close()
        plain.close()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_cut_between_any_two_steps_loses_nothing_and_doubles_nothing(log, step, times):
    fill(log)
    before = told(log)
    left = times

    def cut(reached):
        nonlocal left
        left -= reached == step
        if reached == step and left == 0:
            raise CutError

    with pytest.raises(CutError):
        Compaction(log._store, log._files, cut).compact(DAY + 24 * HOUR)
    assert told(log) == before
    assert reopened(log) == before
    log.append([prediction(400)])
    after = told(log)
    log.compact(DAY + 24 * HOUR)
    assert told(log) == after
    assert chunks(log) == 0
    assert len(files(log)) == 6


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from setpoint.adapters.log.compaction import Compaction
    from setpoint.adapters.log.sqlite_log import SqliteLog

    def cut(reached):
        if reached == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)

    log = SqliteLog(Path(sys.argv[1]))
    Compaction(log._store, log._files, cut).compact(2e9)
"""


@pytest.mark.parametrize("step", STEPS)
def test_killed_between_any_two_steps_loses_nothing_and_doubles_nothing(log, step):
    fill(log)
    before = told(log)
    ended = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(log._store.path), step],
        check=False,
        cwd=ROOT,
    )
    assert ended.returncode == -9
    assert told(log) == before
    log.compact(DAY + 24 * HOUR)
    assert told(log) == before
    assert chunks(log) == 0
    assert len(files(log)) == 5


def test_outcomes_find_answers_in_files(log):
    fill(log, 120)
    log.compact(DAY + 24 * HOUR)
    assert log.record([outcome(1), outcome(100), outcome(3, "No")]) == 2
    assert log.record([outcome(1)]) == 0
    with pytest.raises(OutcomeConflictError):
        log.record([outcome(2), outcome(1, "No")])
    with pytest.raises(UnknownPredictionError) as error:
        log.record([outcome(2), outcome(500)])
    assert error.value.predictions == ("p-00500",)
    assert log.window(DAY + 60, DAY + 180)["outcome"].to_pylist() == ["Yes", None]
    assert log.arms(generation=1)[1].outcomes == 21


def test_appending_again_what_lies_in_a_file_changes_nothing(log):
    fill(log, 120)
    log.compact(DAY + 24 * HOUR)
    before = told(log)
    log.append([prediction(n) for n in range(50, 70)])
    assert told(log) == before


def test_slow_answers_are_counted_once_wherever_they_lie(log):
    fill(log, 120)
    seen = log.arms(generation=1, slow_s=(0.01,))
    log.compact(DAY + 24 * HOUR)
    assert log.arms(generation=1, slow_s=(0.01,)) == seen
    log.append([prediction(130, generation=1)])
    assert log.arms(generation=1, slow_s=(0.01,))[1].slow[0.01] == seen[1].slow[0.01] + 1


def test_a_file_that_is_not_listed_does_not_count(log):
    fill(log, 120)
    log.compact(DAY + 24 * HOUR)
    before = told(log)
    first = log._files.folder / files(log)[0]
    first.with_name("part-000000999999.parquet").write_bytes(first.read_bytes())
    assert told(log) == before


@pytest.mark.parametrize("damage", ["gone", "cut off", "one byte"])
def test_a_file_that_is_gone_or_damaged_is_an_error_that_names_it(log, damage):
    fill(log, 120)
    log.compact(DAY + 24 * HOUR)
    path = log._files.folder / files(log)[0]
    data = bytearray(path.read_bytes())
    if damage == "gone":
        path.unlink()
    else:
        ids = pq.read_metadata(path).row_group(0).column(1)
        data[ids.data_page_offset + ids.total_compressed_size - 9] ^= 0xFF
        path.write_bytes(data[: 200 if damage == "cut off" else None])
    with pytest.raises(JournalError, match=r"hour=00/part-000000000000\.parquet.* put the file"):
        log.window(DAY, DAY + 50)
    assert log.window(DAY + HOUR, DAY + 2 * HOUR).num_rows == 60


def test_only_one_process_compacts(log):
    fill(log, 120)
    log._files.folder.mkdir()
    with (log._files.folder / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert log.compact(DAY + 24 * HOUR).hours == 0
    assert log.compact(DAY + 24 * HOUR).hours == 2


def test_disk_that_takes_no_file_is_an_error_and_passes_by(log):
    fill(log, 120)
    before = told(log)
    log._files.folder.mkdir()
    (log._files.folder / "churn").write_text("in the way")
    with pytest.raises(JournalError, match="cannot compact the prediction log"):
        log.compact(DAY + 24 * HOUR)
    assert told(log) == before
    (log._files.folder / "churn").unlink()
    assert log.compact(DAY + 24 * HOUR).answers == 120
    assert told(log) == before


def test_readers_of_a_moment_before_still_find_what_they_read(log):
    fill(log, 120)
    reading = SqliteLog(log._store.path)
    with reading._file.reading() as connection:
        assert connection.execute("SELECT COUNT(*) FROM fresh").fetchone()[0] > 0
        log.compact(DAY + 24 * HOUR)
        (count,) = connection.execute("SELECT SUM(rows) FROM fresh").fetchone()
    assert count == 120
    assert reading.span()[2] == 120
    reading.close()


def test_batches_that_overlap_in_time_come_out_in_order(log, monkeypatch):
    monkeypatch.setattr("setpoint.adapters.log.compaction._LOAD", 8)
    monkeypatch.setattr("setpoint.adapters.log.answer_file.GROUP", 5)
    for start in range(10):
        log.append([prediction(n, version=1) for n in range(start, 60, 10)])
    before = told(log)
    log.compact(DAY + 24 * HOUR)
    assert told(log) == before
    path = log._files.folder / files(log)[0]
    assert pq.read_table(path, partitioning=None)["at"].to_pylist() == [
        DAY + 60.0 * n for n in range(60)
    ]
    assert pq.read_metadata(path).num_row_groups == 12
