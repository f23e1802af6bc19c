"""What holds of the prediction log in PostgreSQL alone; the laws of all stores are in `tests/ports`."""

import threading
import time

import psycopg
import pytest
from tests.ports.test_prediction_log_laws import outcome, prediction
from tests.real_parts import started_postgres

from setpoint.adapters.log.postgres_log import PostgresLog
from setpoint.adapters.log.secret import LogSecret
from setpoint.adapters.postgres_address import beside, read_address
from setpoint.clock import ManualClock, SystemClock
from setpoint.errors import JournalError, UsageError


@pytest.fixture
def url(postgres):
    return postgres.database()


@pytest.fixture
def log(url):
    with PostgresLog(read_address(url), SystemClock()) as opened:
        yield opened


@pytest.fixture(scope="module")
def mortal():
    """Give a server that tests may stop."""
    with started_postgres() as server:
        yield server


class Watch(ManualClock):
    """A clock whose stopwatch is put, too."""

    def stopwatch(self):
        return self.now()


@pytest.mark.parametrize("kill", [True, False])
def test_what_was_acknowledged_outlives_the_server(mortal, kill):
    address = read_address(mortal.database())
    with PostgresLog(address, SystemClock()) as log:
        log.append([prediction(1)])
        log.record([outcome(1)])
        mortal.stop(kill=kill)
        with pytest.raises(JournalError, match=r"cannot (write|reach) the prediction log"):
            log.append([prediction(2)])
        mortal.start()
        append_at_last(log, [prediction(2)])
        assert log.window(0, 9)["outcome"].to_pylist() == ["Yes", None]


def append_at_last(log, predictions):
    """Append, trying again as a gateway does."""
    end = time.monotonic() + 20
    while True:
        try:
            return log.append(predictions)
        except JournalError:
            assert time.monotonic() < end
            time.sleep(0.05)


def test_server_that_is_down_fails_at_once_and_is_not_hammered(mortal):
    clock = Watch()
    log = PostgresLog(read_address(mortal.database()), clock)
    log.append([prediction(1)])
    mortal.stop()
    try:
        with pytest.raises(JournalError):
            log.append([prediction(2)])  # the connection breaks
        pauses = []
        for _ in range(8):
            with pytest.raises(JournalError, match="cannot reach the prediction log"):
                log.append([prediction(2)])
            asked = clock.stopwatch()
            while not reaches_out(log):
                clock.put(clock.now() + 0.05)
            pauses.append(round(clock.stopwatch() - asked, 2))
        assert pauses == sorted(pauses)
        assert pauses[0] <= 0.2
        assert pauses[-1] == pytest.approx(5.0, abs=0.06)
    finally:
        mortal.start()
    clock.put(clock.now() + 5.0)
    log.append([prediction(2)])
    assert log.span()[2] == 2
    log.close()


def reaches_out(log):
    """Whether the next attempt to write would try the server."""
    link = log._store._writer
    return link._clock.stopwatch() >= link._not_before


def test_a_server_that_takes_connections_and_says_nothing_is_given_up(url):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as deaf:
        port = deaf.getsockname()[1]
        address = read_address(f"postgresql://owner@127.0.0.1:{port}/d?connect_timeout=2")
        log = PostgresLog(address, SystemClock())
        began = time.monotonic()
        with pytest.raises(JournalError, match="timeout"):
            log.append([prediction(1)])
        assert time.monotonic() - began < 10


def test_commit_of_unknown_fate_is_written_once(log, url):
    log.append([prediction(1), prediction(2)])
    with PostgresLog(read_address(url), SystemClock()) as again:  # a writer that never heard of it
        again.append([prediction(1), prediction(2), prediction(3)])
    assert log.window(0, 9)["id"].to_pylist() == ["p-00001", "p-00002", "p-00003"]


def test_positions_of_many_writers_follow_their_commits(url, log):
    seen, missed = [0], []

    def read():
        with PostgresLog(read_address(url), SystemClock()) as reader:
            while seen[-1] < 200:
                end = reader.span()[2]
                found = reader.stretch(seen[-1], end)["position"].to_pylist()
                if found != list(range(seen[-1], end)):
                    missed.append((seen[-1], end, found))
                seen.append(end)

    def write(start):
        with PostgresLog(read_address(url), SystemClock()) as one:
            for number in range(25):
                one.append([prediction(start + 2 * number), prediction(start + 2 * number + 1)])

    log.span()
    threads = [threading.Thread(target=write, args=(100 * one,)) for one in range(4)]
    threads.append(threading.Thread(target=read))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen[-1] == 200
    assert not missed


def test_turn_that_does_not_come_is_an_error(log, url, monkeypatch):
    log.append([prediction(1)])
    store = log._store
    short = tuple(one.replace("'15s'", "'200ms'") for one in store._begin_writing)
    monkeypatch.setattr(store, "_begin_writing", short)
    with psycopg.connect(url) as other:
        other.execute(f"SELECT pg_advisory_xact_lock({store._turn})")
        with pytest.raises(JournalError, match="statement timeout"):
            log.append([prediction(2)])
    log.append([prediction(2)])
    assert log.span()[2] == 2


def test_server_that_would_acknowledge_before_the_disk_is_overruled(url):
    with psycopg.connect(url, autocommit=True) as owner:
        name = url.rpartition("/")[2]
        owner.execute(f"ALTER DATABASE {name} SET synchronous_commit TO off")
        owner.execute(f"ALTER DATABASE {name} SET default_transaction_isolation TO 'serializable'")
    with PostgresLog(read_address(url), SystemClock()) as log:
        with log._store.writing() as connection:
            found = connection.execute(
                "SELECT current_setting('synchronous_commit'), current_setting('transaction_isolation')"
            ).fetchone()
        assert found == ("on", "read committed")


def test_wait_for_replicas_that_is_cut_short_acknowledges_nothing(mortal):
    url = mortal.database()
    done = threading.Event()
    impatient = threading.Thread(target=cut_waits, args=(url, done))
    with PostgresLog(read_address(url), SystemClock()) as log:
        with psycopg.connect(url, autocommit=True) as owner:
            owner.execute("SET synchronous_commit TO local")
            owner.execute("ALTER SYSTEM SET synchronous_standby_names TO 'nobody'")
            owner.execute("SELECT pg_reload_conf()")
            impatient.start()
            try:
                with pytest.raises(JournalError, match="did not commit everywhere"):
                    append_until_it_fails(log)
            finally:
                owner.execute("ALTER SYSTEM RESET synchronous_standby_names")
                owner.execute("SELECT pg_reload_conf()")
                append_at_last(log, [prediction(100_000)])
                done.set()
                impatient.join(20)
        assert "p-100000" in log.window(0, 1e9)["id"].to_pylist()


def append_until_it_fails(log):
    for number in range(100_000):  # until the server has taken note
        log.append([prediction(number)])


def cut_waits(url, done):
    """Cancel commits that wait for a replica, as an impatient administrator would."""
    asked = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    with psycopg.connect(url, autocommit=True) as other:
        while not done.wait(0.02):
            other.execute(asked)


def test_log_of_another_model_is_refused_and_one_beside_it_is_not(log, url):
    log.append([prediction(1)])
    with pytest.raises(JournalError, match="has answers of churn, these are of fraud: give each"):
        log.append([prediction(2, model="fraud")])
    with PostgresLog(read_address(f"{url}?schema=fraud"), SystemClock()) as other:
        other.append([prediction(2, model="fraud")])
        assert other.span()[2] == log.span()[2] == 1


def test_newer_layout_is_refused(log, url):
    log.append([prediction(1)])
    with psycopg.connect(url) as owner:
        owner.execute("UPDATE setpoint_log.layout SET number = 99")
    with (
        PostgresLog(read_address(url), SystemClock()) as other,
        pytest.raises(JournalError, match="has layout 99; this version"),
    ):
        other.span()


def test_those_who_come_first_at_once_make_the_tables_once(url):
    errors = []

    def come():
        try:
            with PostgresLog(read_address(url), SystemClock()) as one:
                one.span()
        except JournalError as error:
            errors.append(error)

    threads = [threading.Thread(target=come) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors


def test_gateways_of_one_log_hash_alike(url):
    salts = []
    for _ in range(2):
        with PostgresLog(read_address(url), SystemClock()) as log:
            salts.append(LogSecret(log._store.salt)())
    assert salts[0] == salts[1]
    assert len(salts[0]) == 32


def test_no_password_is_shown(postgres):
    url = f"postgresql+psycopg://owner:{'s3cr3t%40x'}@127.0.0.1:1/d?connect_timeout=2"
    address = read_address(url)
    assert "s3cr3t@x" in address.conninfo.values()
    log = PostgresLog(address, SystemClock())
    with pytest.raises(JournalError) as error:
        log.span()
    for text in (str(error.value), repr(address), address.shown, log._store.name):
        assert "s3cr3t" not in text
        assert "127.0.0.1:1" in text or text == repr(address)
    assert beside(url, "_shadows").endswith("schema=setpoint_log_shadows")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p4ss@w0rd@host/d",
        "postgresql://u:p4ss/w0rd@host/d",
        "postgresql://u:98/76@host/d",
        "postgresql://u:p4ss?w0rd@host/d",
        "postgresql://u:p4ss#w0rd@host/d",
        "postgresql://u:98#76@host/d",
        "postgresql://host/d?nonsense=p4ss",
        "postgresql://[p4ss/d",
        "postgresql://u:p4ss%zz@host/d",
    ],
)
def test_address_that_is_torn_by_its_password_is_refused_without_it(url):
    with pytest.raises(UsageError, match="cannot be understood") as error:
        read_address(url)
    assert not [one for one in ("p4ss", "w0rd", "98", "76") if one in str(error.value)]


@pytest.mark.parametrize("schema", ["a b", 'a"; DROP TABLE x', "", "1a", "ä", "a" * 64])
def test_schema_is_a_name(schema):
    from urllib.parse import quote

    with pytest.raises(UsageError, match="is no name of a schema"):
        read_address(f"postgresql://host/d?schema={quote(schema)}")
