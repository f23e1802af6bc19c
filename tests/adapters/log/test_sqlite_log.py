"""What holds of the prediction log in SQLite alone; the laws of all stores are in `tests/ports`."""

import sqlite3

import pytest
from tests.adapters.predictions import prediction_of

from setpoint.adapters.log.sqlite_log import SqliteLog
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


def test_checkpoint_moves_what_was_appended_once_it_is_much(log, tmp_path):
    file = tmp_path / "store" / "log.db"
    log.append([prediction(1)])
    log.checkpoint()
    small = file.stat().st_size  # a few answers are left where they are
    log.append([prediction(number) for number in range(2, 3_000)])
    log.checkpoint()
    assert file.stat().st_size > small + 128_000
    log.append([prediction(4_000)])
    assert log.span()[2] == 3_000


def test_checkpoint_is_not_held_up_by_another_writer_or_reader(log, tmp_path):
    log.append([prediction(number) for number in range(3_000)])
    other = sqlite3.connect(tmp_path / "store" / "log.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    log.checkpoint()  # it would wait for 15 s as a commit does
    other.execute("ROLLBACK")
    other.execute("BEGIN")
    other.execute("SELECT * FROM chunks").fetchone()
    log.append([prediction(number) for number in range(3_000, 6_000)])
    log.checkpoint()
    other.close()
    assert log._file._connection.execute("PRAGMA busy_timeout").fetchone() == (15_000,)
    assert log.span()[2] == 6_000


def test_closed_log_makes_no_checkpoint(tmp_path):
    log = SqliteLog(tmp_path / "log.db")
    log.append([prediction(number) for number in range(3_000)])
    log.close()
    log.checkpoint()


def test_newer_layout_is_refused(tmp_path):
    connection = sqlite3.connect(tmp_path / "log.db")
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
    connection = sqlite3.connect(tmp_path / "log.db")
    for name in ("TABLE removed", "TABLE taken", "VIEW told"):
        connection.execute(f"DROP {name}")
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with SqliteLog(tmp_path / "log.db") as log:
        assert log.window(0, 10).to_pylist() == before
        log.append([prediction(2)])
        assert log.span()[2] == 2
