"""What holds of the prediction log in SQLite alone; the laws of all stores are in `tests/ports`."""

from concurrent.futures import ThreadPoolExecutor

import apsw
import pytest
from tests.adapters.predictions import prediction_of

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.sqlite_store import _LONG_FRAMES
from setpoint.errors import JournalError


def prediction(number, **changes):
    fields = {
        "id": f"p-{number:05d}",
        "at": float(number),
        "model": "churn",
        "version": 1,
        "contract": "c",
        "generation": 1,
        "variant": "champion",
        "propensity": 1.0,
        "features": {"tenure": number, "plan": "monthly"},
        "prediction": "Yes",
        "probability": 0.75,
        "latency_s": 0.001 * number,
    }
    return prediction_of(fields | changes)


def settle(log):
    """Wait for the copy that was asked for."""
    log._file._checkpoints._thread.submit(lambda: None).result(20)


@pytest.fixture
def log(tmp_path):
    with SqliteLog(tmp_path / "store" / "log.db") as opened:
        yield opened


def test_full_disk_is_an_error_writes_nothing_and_passes_by(log):
    log.append([prediction(1)])
    (pages,) = log._file._connection.execute("PRAGMA page_count").fetchone()
    log._file._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(JournalError, match=r"cannot write the prediction log .*full"):
        log.append([prediction(number) for number in range(2, 500)])
    assert log.span()[2] == 1
    log._file._connection.execute("PRAGMA max_page_count = 1000000")
    log.append([prediction(2)])
    assert log.span()[2] == 2


def test_nothing_is_appended_within_a_transaction_that_may_be_rolled_back(log):
    log.append([prediction(1)])
    with log._file.reading(), pytest.raises(JournalError, match="within another transaction"):
        log.append([prediction(2)])
    log.append([prediction(3)])
    assert log.span()[2] == 2


def test_what_was_appended_is_copied_into_the_file_once_it_is_much(log, tmp_path):
    file = tmp_path / "store" / "log.db"
    log.append([prediction(1)])
    settle(log)
    small = file.stat().st_size  # a few answers are left where they are
    log.append([prediction(number) for number in range(2, 3_000)])
    settle(log)
    assert file.stat().st_size > small + 128_000
    log.append([prediction(4_000)])
    assert log.span()[2] == 3_000


def test_write_ahead_log_that_is_long_is_begun_anew(log, tmp_path):
    ahead = tmp_path / "store" / "log.db-wal"
    log.append([prediction(number) for number in range(100)])
    long = ahead.stat().st_size
    log._file._checkpoints.frames = _LONG_FRAMES  # so many were copied while commits went on
    log._file.checkpoint()
    log.append([prediction(100)])
    assert ahead.stat().st_size == long
    assert log._file._checkpoints.frames == 0
    assert log.span()[2] == 101


def test_nobody_waits_for_a_checkpoint_that_another_writer_or_reader_holds_up(log, tmp_path):
    log.append([prediction(number) for number in range(3_000)])
    other = apsw.Connection(str(tmp_path / "store" / "log.db"))
    other.execute("BEGIN")
    other.execute("SELECT * FROM chunks").fetchone()
    while log._file._checkpoints.frames < _LONG_FRAMES:
        count = log.span()[2]
        log.append([prediction(number) for number in range(count, count + 3_000)])
        settle(log)
    before = other.execute("SELECT COUNT(*) FROM chunks").fetchone()
    log._file.checkpoint()  # the last step, which cannot be made
    count = log.span()[2]
    log.append([prediction(count)])
    assert other.execute("SELECT COUNT(*) FROM chunks").fetchone() == before
    other.execute("ROLLBACK; BEGIN IMMEDIATE")
    log._file.checkpoint()
    log._file._checkpoints.frames = _LONG_FRAMES
    log._file.checkpoint()
    other.close()
    assert log.span()[2] == count + 1


def test_two_writers_that_copy_beside_each_other_lose_nothing(tmp_path):
    def write(log, start):
        for first in range(start, start + 60_000, 300):
            log.append([prediction(number) for number in range(first, first + 300)])

    path = tmp_path / "log.db"
    with SqliteLog(path) as one, SqliteLog(path) as two, ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(write, one, 0), threads.submit(write, two, 60_000)]:
            done.result()
    with SqliteLog(path) as log:
        assert log.span()[2] == 120_000
        assert log._file._connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_closed_log_makes_no_checkpoint(tmp_path):
    log = SqliteLog(tmp_path / "log.db")
    log.append([prediction(number) for number in range(3_000)])
    log.close()
    log._file.checkpoint()


def test_newer_layout_is_refused(tmp_path):
    connection = apsw.Connection(str(tmp_path / "log.db"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(JournalError, match="has layout 99"):
        SqliteLog(tmp_path / "log.db")


def test_file_that_is_no_database_is_refused(tmp_path):
    (tmp_path / "log.db").write_text("hello, this is not a database at all" * 100)
    with pytest.raises(JournalError, match="cannot open the prediction log"):
        SqliteLog(tmp_path / "log.db")


def test_log_of_the_layout_before_goes_on(tmp_path):
    with SqliteLog(tmp_path / "log.db") as log:
        log.append([prediction(1)])
        before = log.window(0, 10).to_pylist()
    connection = apsw.Connection(str(tmp_path / "log.db"))
    for name in ("TABLE removed", "TABLE taken", "VIEW told"):
        connection.execute(f"DROP {name}")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with SqliteLog(tmp_path / "log.db") as log:
        assert log.window(0, 10).to_pylist() == before
        log.append([prediction(2)])
        assert log.span()[2] == 2
