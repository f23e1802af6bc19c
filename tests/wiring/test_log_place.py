"""Where a log lies by what is said of it, and what needs it."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.ports.test_prediction_log_laws import prediction

from setpoint.clock import SystemClock
from setpoint.errors import UsageError
from setpoint.settings import LogSettings, read_settings
from setpoint.wiring.log_place import (
    LogPlace,
    find_shadows,
    open_answers,
    open_log,
    place_at,
    place_of,
    require_log,
    secret_of,
)

FILE = Path("/store/log.db")
DATABASE = "postgresql://me:s3cret@host/d"


@pytest.mark.parametrize(
    ("told", "place"),
    [
        (LogSettings(), LogPlace(FILE)),
        (LogSettings(url="other.db"), LogPlace(Path("other.db"))),
        (LogSettings(files="/hours"), LogPlace(FILE, "/hours")),
        (LogSettings(database_url=DATABASE), LogPlace(DATABASE)),
        (LogSettings(database_url="sqlite:///s.db"), LogPlace(FILE)),
        (LogSettings(url="postgresql://h/e", database_url=DATABASE), LogPlace("postgresql://h/e")),
        (LogSettings(url="s3://b/p"), LogPlace(FILE, "s3://b/p", "s3://b/p")),
        (
            LogSettings(url="s3://b/p", database_url=DATABASE),
            LogPlace(DATABASE, "s3://b/p", "s3://b/p"),
        ),
        (LogSettings(url="s3://b/p", files="s3://c"), LogPlace(FILE, "s3://c", "s3://b/p")),
    ],
)
def test_place_follows_what_is_said(told, place):
    assert place_at(told, FILE) == place
    assert "s3cret" not in f"{told!r} {place!r}"


def test_tables_that_are_nobody_elses_are_not_taken_for_the_loops():
    assert place_at(LogSettings(url="s3://b/p"), FILE, apart=True).tables is None
    assert place_at(LogSettings(), FILE, apart=True).tables == FILE


def test_other_addresses_are_refused():
    with pytest.raises(UsageError, match=r"a file, postgresql://… or s3://…; found mysql://…"):
        place_at(LogSettings(url="mysql://me:s3cret@host/d"), FILE)


def test_environment_says_where(tmp_path):
    environment = {"SETPOINT_LOG_URL": "s3://b/p", "SETPOINT_LOG_FILES": "s3://c/q"}
    settings = read_settings(tmp_path, environment)
    assert place_of(settings) == LogPlace(settings.store / "log.db", "s3://c/q", "s3://b/p")
    assert place_of(read_settings(tmp_path, {"SETPOINT_DATABASE_URL": DATABASE})) == LogPlace(
        DATABASE
    )


def test_log_of_files_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UsageError, match="there is no prediction log yet"):
        require_log(read_settings(tmp_path, {}))


@pytest.fixture(params=["file", "postgres", "s3", "s3 and postgres"])
def place(request, tmp_path):
    database = store = ""
    if "postgres" in request.param:
        database = request.getfixturevalue("postgres").database()
    if "s3" in request.param:
        store = request.getfixturevalue("object_store").folder()
    return place_at(LogSettings(url=store, database_url=database), tmp_path / "log.db")


def test_what_a_gateway_adds_the_loop_reads_and_shadows_stand_apart(place):
    clock = SystemClock()
    with open_answers(place, clock) as log, open_answers(place.shadows, clock) as shadows:
        log.append([prediction(1)])
        shadows.append([prediction(2)])
    with open_log(place) as log:
        assert log.window(0, 9)["id"].to_pylist() == ["p-00001"]
    shadows = find_shadows(place)
    with shadows:
        assert shadows.window(0, 9)["id"].to_pylist() == ["p-00002"]


def test_all_hash_alike(place):
    first, second = (secret_of(place, "")() for _ in range(2))
    assert first == second
    assert len(first) == 32
    assert secret_of(place, "a key of the team's")() == b"a key of the team's"


def test_past_hours_of_a_database_go_where_they_are_sent(postgres, object_store):
    files = object_store.folder()
    place = place_at(LogSettings(url=postgres.database(), files=files), FILE)
    with open_log(place) as log:
        log.append([prediction(1)])
        assert log.compact(1e6).files == 1
        assert log.where == files
        assert log.window(0, 9)["id"].to_pylist() == ["p-00001"]
    unsaid = place_at(LogSettings(url=place.tables), FILE)
    with open_log(unsaid) as log, pytest.raises(Exception, match="SETPOINT_LOG_FILES"):
        log.window(0, 9)


def test_gateway_with_a_log_of_its_own_loads_no_database_and_no_cloud():
    asked = "import sys, setpoint.wiring.gateway; print(sorted({'psycopg', 'obstore', 'fsspec'} & set(sys.modules)))"
    found = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    )
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [("postgresql://h/d", "psycopg", "postgres"), ("s3://b/p", "obstore", "s3")],
)
def test_what_is_not_installed_is_named(monkeypatch, tmp_path, url, missing, extra):
    ours = ("postgres", "object", "answer_spool", "spooled")
    homes = ("setpoint.adapters", "setpoint.adapters.log")
    ours_in = (f"{home}.{one}" for home in homes for one in ours)
    needing = (missing, f"setpoint.wiring.{extra}", *ours_in)
    for name in list(sys.modules):
        if name.startswith(needing):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UsageError, match=rf"needs {missing}.*: pip install 'setpoint\[{extra}\]'"):
        open_log(place_at(LogSettings(url=url), tmp_path / "log.db"))
