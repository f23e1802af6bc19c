"""The SQL journal against what can happen to a file: two writers, a full disk, damage, a kill at any step."""

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading

import pytest
from sqlalchemy import event as sqlalchemy_event

from setpoint.adapters.sql_journal import SCHEMA_VERSION, SqlJournal
from setpoint.errors import JournalError, LedgerBrokenError, StaleStateError
from setpoint.facts.ledger import Event
from setpoint.facts.state import LoopState
from setpoint.ledger.verify import verify


def state(now=0.0, model="churn"):
    return LoopState(model=model, now=now)


def events(count, start=0):
    return [Event(kind="ticked", at=float(n), body={"n": n}) for n in range(start, start + count)]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "state.db"


def execute(file, *statements):
    connection = sqlite3.connect(file)
    try:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


def test_reading_creates_nothing(file):
    journal = SqlJournal(file, "churn")
    assert journal.load() == (None, 0)
    assert list(journal.entries()) == []
    assert not file.exists()


def test_models_share_a_store_but_nothing_else(file):
    churn, fraud = SqlJournal(file, "churn"), SqlJournal(file, "fraud")
    churn.commit(0, state(1.0), events(2))
    assert fraud.load() == (None, 0)
    fraud.commit(0, state(2.0, "fraud"), events(1))
    assert churn.load()[0].now == 1.0
    assert [len(list(journal.entries())) for journal in (churn, fraud)] == [2, 1]
    assert verify(fraud.entries(), fraud.head()).ruling == "pass"


def test_any_file_name_will_do(tmp_path):
    journal = SqlJournal(tmp_path / "a b?c#d%20é" / "state.db", "churn")
    journal.commit(0, state(), events(1))
    assert (tmp_path / "a b?c#d%20é" / "state.db").exists()


def test_two_controllers_of_which_one_read_too_early(file):
    first, second = SqlJournal(file, "churn"), SqlJournal(file, "churn")
    _, seen = second.load()
    first.commit(0, state(1.0), events(1))
    with pytest.raises(StaleStateError):
        second.commit(seen, state(2.0), events(1))
    assert first.load()[0].now == 1.0


def test_many_controllers_at_once_lose_nothing(file):
    done = []

    def control(number):
        journal = SqlJournal(file, "churn", busy_s=60)
        for _ in range(10):
            while True:
                _, revision = journal.load()
                try:
                    journal.commit(revision, state(float(number)), events(1, number))
                except StaleStateError:
                    continue
                done.append(number)
                break

    threads = [threading.Thread(target=control, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal = SqlJournal(file, "churn")
    assert journal.load()[1] == len(done) == 40
    assert sorted(int(entry.event.at) for entry in journal.entries()) == sorted(done)
    assert verify(journal.entries(), journal.head()).ruling == "pass"


def test_locked_store_says_that_another_process_holds_it(file):
    SqlJournal(file, "churn").commit(0, state(), [])
    holder = sqlite3.connect(file)
    try:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match="another process holds it") as caught:
            SqlJournal(file, "churn", busy_s=0.05).commit(1, state(), [])
        assert str(file) in str(caught.value)
    finally:
        holder.close()


def test_full_disk_writes_nothing_and_says_so(file):
    journal = SqlJournal(file, "churn")
    journal.commit(0, state(1.0), events(1))

    @sqlalchemy_event.listens_for(journal._engine, "connect")
    def leave_no_room(connection, _record):
        connection.execute("PRAGMA max_page_count = 1")  # SQLite raises it to the present size

    before = (journal.load(), list(journal.entries()))
    with pytest.raises(JournalError, match="free some space"):
        journal.commit(1, state(2.0), [Event(kind="k", at=0.0, body={"x": "x" * 100_000})])
    assert (journal.load(), list(journal.entries())) == before


def test_damaged_file_says_to_restore_it(file):
    file.write_bytes(b"no database at all" * 100)
    journal = SqlJournal(file, "churn")
    for use in (journal.load, journal.head, lambda: list(journal.entries())):
        with pytest.raises(JournalError, match="restore it from a backup"):
            use()
    with pytest.raises(JournalError, match="restore it from a backup"):
        journal.commit(0, state(), [])
    assert file.read_bytes().startswith(b"no database")


def test_truncated_file_is_an_error_not_a_fresh_start(file):
    journal = SqlJournal(file, "churn")
    journal.commit(0, state(), events(200))
    file.write_bytes(file.read_bytes()[:5000])
    with pytest.raises(JournalError):
        SqlJournal(file, "churn").load()


def test_folder_in_the_place_of_the_file(tmp_path):
    with pytest.raises(JournalError, match="cannot be opened"):
        SqlJournal(tmp_path, "churn").load()


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(JournalError, match="cannot write"):
        SqlJournal(tmp_path / "file" / "state.db", "churn").commit(0, state(), [])


def test_newer_schema_is_refused_for_reading_and_writing(file):
    SqlJournal(file, "churn").commit(0, state(), [])
    execute(file, f"UPDATE setpoint_schema SET schema_version = {SCHEMA_VERSION + 1}")
    journal = SqlJournal(file, "churn")
    with pytest.raises(JournalError, match=f"schema version {SCHEMA_VERSION + 1}"):
        journal.load()
    with pytest.raises(JournalError, match=f"schema version {SCHEMA_VERSION + 1}"):
        journal.commit(1, state(), [])


@pytest.mark.parametrize(
    "verb", ["UPDATE setpoint_ledger SET event = ''", "DELETE FROM setpoint_ledger"]
)
def test_ledger_rows_are_not_changed_by_a_slip(file, verb):
    SqlJournal(file, "churn").commit(0, state(), events(2))
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        execute(file, verb)


DROP = ("DROP TRIGGER setpoint_ledger_no_update", "DROP TRIGGER setpoint_ledger_no_delete")


@pytest.mark.parametrize(
    ("tampering", "broken"),
    [
        (
            "UPDATE setpoint_ledger SET event = replace(event, '\"n\":1', '\"n\":7') WHERE sequence = 2",
            2,
        ),
        ("DELETE FROM setpoint_ledger WHERE sequence = 1", 1),
        ("DELETE FROM setpoint_ledger WHERE sequence = 3", 3),
        ("DELETE FROM setpoint_ledger", 1),
        ("UPDATE setpoint_ledger SET sequence = 9 WHERE sequence = 2", 2),
    ],
)
def test_tampering_is_found_and_named(file, tampering, broken):
    journal = SqlJournal(file, "churn")
    journal.commit(0, state(), events(3))
    execute(file, *DROP, tampering)
    found = verify(journal.entries(), journal.head())
    assert (found.ruling, found.broken) == ("fail", broken)


def test_no_commit_goes_onto_a_cut_off_ledger(file):
    journal = SqlJournal(file, "churn")
    journal.commit(0, state(), events(3))
    execute(file, *DROP, "DELETE FROM setpoint_ledger WHERE sequence = 3")
    with pytest.raises(LedgerBrokenError) as caught:
        journal.commit(1, state(), events(1))
    assert caught.value.sequence == 2
    execute(file, "DELETE FROM setpoint_ledger")
    with pytest.raises(LedgerBrokenError):
        journal.commit(1, state(), events(1))


def test_damaged_state_and_entry_texts_are_journal_errors(file):
    journal = SqlJournal(file, "churn")
    journal.commit(0, state(), events(1))
    execute(
        file,
        *DROP,
        "UPDATE setpoint_ledger SET event = '[]'",
        "UPDATE setpoint_state SET state = '{'",
    )
    with pytest.raises(JournalError, match="stored state cannot be read"):
        journal.load()
    with pytest.raises(JournalError, match="ledger entry cannot be read"):
        list(journal.entries())


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "nonsense", "nosuchdb://x/y"])
def test_impossible_urls_are_refused(url):
    with pytest.raises(JournalError):
        SqlJournal(url, "churn")


def test_password_is_not_in_errors():
    with pytest.raises(JournalError) as caught:
        SqlJournal("nosuchdb://user:hunter2@host/name", "churn")
    assert "hunter2" not in str(caught.value)


def _commit_and_die(file, statement):
    """Commit in this process, and kill it just before the statement with this number, or right after the commit."""
    journal = SqlJournal(file, "churn")
    count = 0

    def step(*_arguments):
        nonlocal count
        count += 1
        if count == statement:
            os.kill(os.getpid(), signal.SIGKILL)

    sqlalchemy_event.listen(journal._engine, "before_cursor_execute", step)
    sqlalchemy_event.listen(journal._engine, "commit", step)
    _, revision = journal.load()
    journal.commit(revision, state(float(revision + 1)), events(3, revision * 3))
    os._exit(0)


FORK = textwrap.dedent(
    """
    import importlib.util, os, random, signal, sys, time
    from pathlib import Path
    spec = importlib.util.spec_from_file_location("dangers", sys.argv[1])
    dangers = importlib.util.module_from_spec(spec); spec.loader.exec_module(dangers)
    file, mode = Path(sys.argv[2]), sys.argv[3]
    if mode == "steps":
        for fresh in (True, False):
            for statement in range(1, 40):
                if fresh: file.unlink(missing_ok=True)
                child = os.fork()
                if child == 0: dangers._commit_and_die(file, statement)
                _, status = os.waitpid(child, 0)
                dangers._require_whole(file)
                if not os.WIFSIGNALED(status): break
            print("steps", statement)
    else:
        chance = random.Random(7)
        kills = revision = 0
        while kills < 60 or revision <= 10 and kills < 1000:  # a slow machine commits little in 40 ms
            kills += 1
            child = os.fork()
            if child == 0: dangers._commit_for_ever(file)
            time.sleep(chance.uniform(0.0, 0.04)); os.kill(child, signal.SIGKILL); os.waitpid(child, 0)
            revision = dangers._require_whole(file)
        print("revision", dangers._require_whole(file))
    """
)


def _commit_for_ever(file):
    journal = SqlJournal(file, "churn")
    while True:
        _, revision = journal.load()
        journal.commit(revision, state(float(revision + 1)), events(3, revision * 3))


def _require_whole(file):
    """Return the revision, after checking that state and ledger are of the same commit."""
    journal = SqlJournal(file, "churn")
    stored, revision = journal.load()
    assert (stored.now if stored else 0.0) == revision
    assert [entry.event.body["n"] for entry in journal.entries()] == list(range(revision * 3))
    assert verify(journal.entries(), journal.head()).ruling == "pass"
    return revision


def _fork(file, mode):
    done = subprocess.run(
        [sys.executable, "-c", FORK, __file__, str(file), mode],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_kill_before_any_statement_leaves_a_whole_state(file):
    _, first, _, later = _fork(file, "steps")
    assert 10 < int(first) < 40, "the first commit was not killed at each of its statements"
    assert 5 < int(later) < 40


def test_kill_at_random_leaves_whole_states_only(file):
    _, revision = _fork(file, "random")
    assert int(revision) > 10, "too few commits to have been killed in the middle of one"


def test_opening_is_cheap(file):
    SqlJournal(file, "churn").commit(0, state(), events(10))
    code = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        import setpoint.adapters.sql_journal as room
        start = time.process_time()
        room.SqlJournal(Path(sys.argv[1]), "churn").load()
        print(time.process_time() - start)
        print(*[name for name in ("pandas", "numpy", "sqlalchemy.orm", "alembic", "mlflow") if name in sys.modules])
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    seconds, *loaded = done.stdout.split()
    assert float(seconds) < 0.5, (
        "opening does something that it should not"
    )  # about 0.03 on an idle machine
    assert loaded == []
