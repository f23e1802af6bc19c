"""Removing answers: what is gone is gone everywhere, what is left is as it was, wherever it is cut."""

import math

import pyarrow.parquet as pq
import pytest
from tests.adapters.log.test_compaction import DAY, HOUR, CutError, fill, outcome, prediction, told
from tests.ports.test_prediction_log_laws import LOGS

from setpoint.adapters.log.forgetting import Forgetting
from setpoint.adapters.log.pruning import Pruning
from setpoint.adapters.log.removal import Log
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.store import Stretch
from setpoint.errors import JournalError, UnknownPredictionError

ALL = Stretch("at", -math.inf, math.inf)
NOW = DAY + 100 * HOUR
WHOM = "k3"


@pytest.fixture(params=LOGS)
def opened(request, tmp_path):
    open_one = LOGS[request.param](request, tmp_path)
    logs = []

    def another():
        logs.append(open_one())
        return logs[-1]

    yield another
    for one in logs:
        one.close()


@pytest.fixture
def log(opened, request):
    """Give a log of five hours, of which two lie in files, or as many as a test asks for."""
    kept = opened()
    fill(kept)
    kept.compact(DAY + getattr(request, "param", 2.5) * HOUR)
    return kept


wherever = pytest.mark.parametrize(
    "log", [0, 2.5, 100], ids=["chunks", "both", "files"], indirect=True
)


def rows(log):
    return {line["id"]: line for line in log.window(-math.inf, math.inf).to_pylist()}


def positions(log):
    table = log.stretch(0, 10_000)
    return dict(zip(table["id"].to_pylist(), table["position"].to_pylist(), strict=True))


@wherever
def test_pruned_hours_are_gone_and_the_others_as_they_were(opened, log):
    before, places, arms = rows(log), positions(log), log.arms(generation=3)
    pruning = log.pruning()
    assert pruning.older(DAY + 2 * HOUR) == 120
    done = pruning.prune(DAY + 2 * HOUR, at=NOW)
    assert (done.answers, done.outcomes) == (120, 40)
    left = {one: line for one, line in before.items() if line["at"] >= DAY + 2 * HOUR}
    for reader in (log, opened()):
        assert rows(reader) == left
        assert positions(reader) == {one: places[one] for one in left}
        assert reader.arms(generation=3) == arms
        assert reader.span() == (DAY + 2 * HOUR, DAY + 299 * 60, 300)
    with pytest.raises(UnknownPredictionError):
        log.record([outcome(0)])
    assert pruning.prune(DAY + 2 * HOUR, at=NOW).answers == 0
    log.append([prediction(300)])
    assert positions(opened())["p-00300"] == 300
    assert told(opened()) == told(log)


def test_hour_that_is_not_old_throughout_stays_whole(log):
    done = log.pruning().prune(DAY + 2 * HOUR - 1, at=NOW)
    kept = 300 - done.answers
    assert done.answers >= 60
    assert len(rows(log)) == kept
    assert all(line["at"] >= DAY + HOUR for line in rows(log).values())


def test_log_that_is_pruned_to_nothing_goes_on_behind(opened, log):
    log.pruning().prune(math.inf, at=NOW)
    assert rows(log) == {}
    assert log.span() == (DAY + 299 * 60, DAY + 299 * 60, 300)
    log.append([prediction(300)])
    assert positions(opened()) == {"p-00300": 300}
    log.compact(NOW)
    assert positions(opened()) == {"p-00300": 300}


@pytest.mark.parametrize("step", ["unlisted", "outcomes deleted", "chunks deleted"])
def test_pruning_that_is_cut_goes_on_where_it_was(opened, log, step):
    before = rows(log)

    def cut(reached):
        if reached == step:
            raise CutError

    try:
        Pruning(Log(log._store, log._files, log._reader, cut)).prune(DAY + 2 * HOUR, at=NOW)
    except CutError:
        some = rows(opened())
        assert some.items() <= before.items()  # none of those that are left has lost its outcome
    log.pruning().prune(DAY + 2 * HOUR, at=NOW)
    left = {one: line for one, line in before.items() if line["at"] >= DAY + 2 * HOUR}
    assert rows(opened()) == left
    with log._store.reading() as connection:
        (outcomes,) = connection.execute("SELECT COUNT(*) FROM told").fetchone()
    assert outcomes == sum(line["outcome"] is not None for line in left.values())
    assert sorted(log._files.names()) == sorted(listed(log))


def listed(log):
    with log._store.reading() as connection:
        return [name for (name,) in connection.execute("SELECT name FROM files")]


@wherever
def test_whoever_is_forgotten_is_gone_and_the_others_as_they_were(opened, log):
    before, places = rows(log), positions(log)
    about = {f"p-{n:05d}" for n in range(300) if n % 7 == 3}
    assert set(log.of_keys([WHOM])[WHOM]) <= about
    forgetting = log.forgetting([WHOM, "nobody"])
    assert forgetting.count() == len(about)
    done = forgetting.forget(at=NOW)
    assert done.answers == len(about)
    assert done.outcomes == sum(before[one]["outcome"] is not None for one in about)
    left = {one: line for one, line in before.items() if one not in about}
    for reader in (log, opened()):
        assert rows(reader) == left
        assert positions(reader) == {one: places[one] for one in left}
        assert reader.of_keys([WHOM]) == {}
        drawn = {v: one.requests for v, one in reader.arms(generation=0).items()}
        assert drawn == {v: sum(one["version"] == v for one in left.values()) for v in (1, 2)}
        assert reader.arms(generation=0)[2].errors == sum(bool(o["error"]) for o in left.values())
        assert reader.span()[2] == 300
    assert log.forgetting([WHOM]).forget(at=NOW).answers == 0
    log.append([prediction(300)])
    log.compact(NOW, everything=True)
    assert positions(opened()) == {**{one: places[one] for one in left}, "p-00300": 300}


def test_last_answer_that_is_forgotten_leaves_its_position_to_nobody(opened):
    log = opened()
    log.append([prediction(1, key="a"), prediction(3, key=WHOM)])
    log.forgetting([WHOM]).forget(at=NOW)
    log.append([prediction(5, key="a")])
    assert positions(opened()) == {"p-00001": 0, "p-00005": 2}


def test_file_of_nobody_else_is_gone(opened):
    log = opened()
    log.append([prediction(1, key=WHOM), prediction(3, key=WHOM)])
    log.compact(NOW)
    done = log.forgetting([WHOM]).forget(at=NOW)
    assert (done.answers, done.files) == (2, 1)
    assert log._files.names() == listed(log) == []
    log.append([prediction(5)])
    assert positions(opened()) == {"p-00005": 2}


def test_forgetting_again_and_again_gives_files_names_of_their_own(log):
    log.compact(NOW, everything=True)
    names = set(log._files.names())
    for key in ("k1", "k2", "k4"):
        log.forgetting([key]).forget(at=NOW)
        assert not names & set(log._files.names())
        names |= set(log._files.names())
    assert {line["id"] for line in rows(log).values()} == {
        f"p-{n:05d}" for n in range(300) if n % 7 not in (1, 2, 4)
    }


@pytest.mark.parametrize("step", ["written", "named", "listed anew", "chunk rewritten"])
def test_forgetting_that_is_cut_goes_on_where_it_was(opened, log, step):
    before = rows(log)

    def cut(reached):
        if reached == step:
            raise CutError

    log.forgetting(["nobody"])  # moves what waits in an object store, as the real one does
    try:
        Forgetting(Log(log._store, log._files, log._reader, cut), [WHOM]).forget(at=NOW)
    except CutError:
        assert rows(opened()).items() <= before.items()
    log.forgetting([WHOM]).forget(at=NOW)
    about = {f"p-{n:05d}" for n in range(300) if n % 7 == 3}
    assert rows(opened()) == {one: line for one, line in before.items() if one not in about}
    holding = [name for name in log._files.names() if holds(log, name)]
    assert holding == []


def holds(log, name):
    with pq.ParquetFile(log._files.file(name).source()) as file:
        return WHOM in file.read(["key"])["key"].to_pylist()


def test_one_process_at_a_time_removes(opened, log):
    other = opened()
    with log._store.alone() as alone:
        assert alone
        for refused in (
            lambda: other.pruning().prune(NOW, at=NOW),
            lambda: other.forgetting([WHOM]).forget(at=NOW),
        ):
            with pytest.raises(JournalError, match="just now; try again"):
                refused()
    assert len(rows(other)) == 300


def test_reader_whose_file_is_removed_meanwhile_is_told_to_ask_again(log):
    log.compact(NOW, everything=True)
    asked = log._reader.pieces(ALL, ("id",), inputs=False)
    next(asked)
    log.pruning().prune(NOW, at=NOW)
    with pytest.raises(JournalError, match="were removed meanwhile; ask again"):
        list(asked)


def test_no_byte_of_somebody_is_left_on_this_machine(tmp_path):
    log = SqliteLog(tmp_path / "log.db")
    name = "jane.doe@example.com"
    features = {"tenure": 1, "mail": name}
    for number in range(0, 200, 2):
        log.append(
            [
                prediction(number, key=name, features=features, request=f"of {name}"),
                prediction(number + 1, features={"tenure": 2, "mail": "somebody else"}),
            ]
        )
    log.record([outcome(0)])
    log.compact(DAY + 1.5 * HOUR)  # chunks of the first hour are deleted, and lie in free pages
    assert found_in(tmp_path, name)
    log.forgetting([name]).forget(at=NOW)
    assert log.scrub() == ""
    assert not found_in(tmp_path, name)
    assert log.span()[2] == 200
    assert len(rows(log)) == 100
    log.close()
    assert not found_in(tmp_path, name)
    files = list((tmp_path / "log").rglob("*.parquet"))
    assert files
    assert not [one for one in files if name in str(pq.read_table(one).to_pylist())]


def test_somebody_who_reads_meanwhile_is_said(tmp_path):
    log, other = SqliteLog(tmp_path / "log.db"), SqliteLog(tmp_path / "log.db")
    log.append([prediction(1)])
    log._store._connection.execute("PRAGMA busy_timeout = 100")
    with other._store.reading() as connection:
        connection.execute("SELECT COUNT(*) FROM chunks").fetchone()
        log.forgetting(["k1"]).forget(at=NOW)
        assert "may hold some still" in log.scrub()
    assert log.scrub() == ""
    log.close()
    other.close()


def found_in(folder, text):
    return [
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms(text))
    ]


def forms(text):
    return (text.encode(), text.encode("utf-16-le"))
