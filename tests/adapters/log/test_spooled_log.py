"""Answers on their way through an object store: each taken in once, none removed before it is safe."""

import pytest
from tests.adapters.log import test_compaction as hours
from tests.ports.test_prediction_log_laws import Hasty, outcome, prediction

from setpoint.adapters.log.answer_spool import AnswerSpool
from setpoint.adapters.log.compaction import Compaction
from setpoint.adapters.log.lines import LogLines
from setpoint.adapters.log.spooled_log import AnswersOnly, SpooledLog
from setpoint.adapters.log.sql_query import query
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.sqlite_store import LogFile
from setpoint.adapters.object_files import ObjectFiles
from setpoint.adapters.object_folder import ObjectFolder
from setpoint.clock import ManualClock
from setpoint.errors import JournalError, UsageError


@pytest.fixture
def folder(object_store):
    return ObjectFolder(object_store.folder())


@pytest.fixture
def opened(folder, tmp_path):
    """Give what opens the log, with tables of one's own where a name is given."""
    logs = []

    def another(name="log.db", clock=None, **how):
        spool, files = AnswerSpool(folder), ObjectFiles(folder)
        logs.append(SpooledLog(LogFile(tmp_path / name), files, spool, clock or Hasty(), **how))
        return logs[-1]

    yield another
    for one in logs:
        one.close()


def waiting(folder):
    return [name for name in folder.names() if name.startswith("fresh/")]


def filed(folder):
    return [name for name in folder.names() if name.endswith(".parquet")]


def test_objects_stay_until_their_answers_are_in_files(opened, folder):
    log = opened()
    hours.fill(log, 120)  # two hours, in groups of ten
    assert len(waiting(folder)) == 12
    log.span()
    assert len(waiting(folder)) == 12
    log.compact(hours.DAY + 1.5 * hours.HOUR)
    assert (len(waiting(folder)), len(filed(folder))) == (6, 1)
    log.compact(hours.DAY + 24 * hours.HOUR)
    assert (len(waiting(folder)), len(filed(folder))) == (0, 2)


def test_tables_as_safe_as_the_store_take_answers_over_at_once(opened, folder):
    log = opened(safe=True)
    log.append([prediction(1)])
    assert log.span()[2] == 1
    assert waiting(folder) == []


def test_lost_tables_lose_no_answer_that_is_not_in_files_yet(opened):
    log = opened()
    log.append([prediction(1), prediction(2)])
    assert log.span()[2] == 2
    assert opened("others.db").window(0, 9)["id"].to_pylist() == ["p-00001", "p-00002"]


def test_same_group_again_is_the_same_object(opened, folder):
    log = opened()
    for _ in range(3):
        log.append([prediction(1), prediction(2)])
    assert len(waiting(folder)) == 1
    log.append([prediction(2), prediction(3)])  # another group, with an answer that is there
    assert log.window(0, 9)["id"].to_pylist() == ["p-00001", "p-00002", "p-00003"]
    log.append([prediction(1), prediction(4, version=2), prediction(2)])
    found = log.stretch(0, 9)
    assert found["id"].to_pylist() == ["p-00001", "p-00002", "p-00003", "p-00004"]
    assert log.arms(generation=1)[2].requests == 1


def test_many_readers_take_every_answer_in_once(opened):
    import threading

    logs = [opened() for _ in range(4)]
    for number in range(0, 100, 5):
        logs[0].append([prediction(n) for n in range(number, number + 5)])
    threads = [threading.Thread(target=one.span) for one in logs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert logs[0].stretch(0, 1000)["id"].to_pylist() == [f"p-{n:05d}" for n in range(100)]


def test_cut_between_taking_in_and_removing_takes_nothing_in_twice(opened, folder, monkeypatch):
    log = opened(safe=True)
    log.append([prediction(1)])
    monkeypatch.setattr(AnswerSpool, "remove", lambda *_: (_ for _ in ()).throw(hours.CutError))
    with pytest.raises(hours.CutError):
        log.span()
    monkeypatch.undo()
    assert len(waiting(folder)) == 1
    assert opened(safe=True).span()[2] == 1
    log.append([prediction(2)])
    assert opened(safe=True).span()[2] == 2
    assert waiting(folder) == []


def test_answer_that_comes_late_is_seen_when_all_is_looked_at(opened):
    class Watch(ManualClock):
        def stopwatch(self):
            return self.now()

    clock = Watch(10_000.0)
    log = opened(clock=clock)
    log.append([prediction(9_990)])
    assert log.span()[2] == 1
    log.append([prediction(5)])  # of a gateway that was cut off for hours
    clock.put(10_001.0)
    assert log.span()[2] == 1
    clock.put(10_061.0)
    assert log.span()[2] == 2


def test_outcome_finds_an_answer_that_nobody_has_looked_at(opened):
    clock = ManualClock(0.0)
    log = opened(clock=clock)
    log.span()
    log.append([prediction(1, key="a")])
    assert log.record([outcome(1)]) == 1
    log.append([prediction(2, key="a")])
    assert log.of_keys(["a"]) == {"a": ["p-00001", "p-00002"]}


def test_damaged_object_is_named_and_not_passed_over(opened, folder):
    log = opened()
    log.append([prediction(1)])
    (name,) = waiting(folder)
    folder.put(name, folder.get(name)[:-40])
    with pytest.raises(JournalError, match=rf"{name} is damaged"):
        log.span()


def test_who_has_no_tables_adds_answers_alone(opened, folder):
    lone = AnswersOnly(AnswerSpool(folder))
    lone.append([prediction(1)])
    assert lone.record(()) == 0
    for refused in (lambda: lone.record([outcome(1)]), lambda: lone.of_keys(["a"])):
        with pytest.raises(JournalError, match="only adds answers to s3://"):
            refused()
    assert opened().span()[2] == 1


def test_two_who_move_the_same_hour_write_nothing_over(opened, folder, tmp_path):
    log, other = (
        opened(),
        opened("others.db"),
    )  # of other tables, so that no lock holds between them
    hours.fill(log, 60)
    other.span()
    log.append([hours.prediction(3, id="p-late")])
    log.compact(hours.DAY + 24 * hours.HOUR)
    before = hours.told(log)
    Compaction(other._store, other._files).compact(hours.DAY + 24 * hours.HOUR)
    assert len(filed(folder)) == 2
    assert hours.told(log) == before


def test_sql_reads_files_where_they_lie(opened, tmp_path):
    plain = SqliteLog(tmp_path / "plain.db")
    log = opened()
    for one in (log, plain):
        hours.fill(one)
        one.compact(hours.DAY + 2.5 * hours.HOUR)
    everything = 'SELECT * EXCLUDE ("time") FROM log ORDER BY position'
    found, expected = (
        query(everything, LogLines(one._store, one._files).snapshot()).to_pylist()
        for one in (log, plain)
    )
    assert found == expected
    assert len(found) == 300
    plain.close()


@pytest.mark.parametrize("url", ["s3://", "s3:///x", "nonsense://a/b", "s3://a b/c"])
def test_address_that_is_none_is_refused(url):
    with pytest.raises(UsageError, match="cannot be used"):
        ObjectFolder(url)


def test_bucket_that_is_not_there_is_an_error(object_store, tmp_path):
    folder = ObjectFolder("s3://nobodys-bucket/log")
    files, spool = ObjectFiles(folder), AnswerSpool(folder)
    log = SpooledLog(LogFile(tmp_path / "log.db"), files, spool, Hasty())
    with pytest.raises(JournalError, match="cannot write the prediction log s3://nobodys-bucket"):
        log.append([prediction(1)])
    with pytest.raises(JournalError, match="cannot read the prediction log s3://nobodys-bucket"):
        log.span()
    log.close()
