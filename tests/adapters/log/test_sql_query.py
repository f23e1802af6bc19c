"""SQL sees the whole log once: files, fresh answers and outcomes."""

import pytest
from tests.adapters.log.test_compaction import DAY, HOUR, fill, outcome, prediction

from setpoint.adapters.log import sql_query as log_sql
from setpoint.adapters.log.lines import LogLines
from setpoint.adapters.log.sql_query import query
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.errors import UsageError


@pytest.fixture
def log(tmp_path):
    kept = SqliteLog(tmp_path / "it's a log.db")
    yield kept
    kept.close()


def ask(log, sql):
    return query(sql, LogLines(log._store, log._files).snapshot()).to_pylist()


EVERYTHING = 'SELECT * EXCLUDE ("time") FROM log ORDER BY position'


@pytest.mark.parametrize("hours", [0, 1, 3, 24])
def test_the_same_is_seen_wherever_answers_lie(log, hours):
    fill(log)
    expected = log.stretch(0, 1000).to_pylist()
    log.compact(DAY + hours * HOUR + 400)
    found = ask(log, EVERYTHING)
    assert len(found) == 300
    for seen, told in zip(found, expected, strict=True):
        assert seen["tenure"] == told["feature.tenure"]
        for name in ("id", "at", "version", "prediction", "outcome", "error", "latency_s"):
            assert seen[name] == told[name]
    (sums,) = ask(log, "SELECT count(outcome) n, sum(version) v, min(time) t FROM log")
    assert (sums["n"], sums["v"], sums["t"].isoformat()) == (100, 450, "2023-11-15T00:00:00+00:00")


def test_inputs_have_their_own_names_unless_an_answer_has_them(log):
    inputs = {"Version": 7, "plan": "m", 'a "b"': 1, "time": 3, "x": 4, "X": 5}
    log.append([prediction(1, features=inputs)])
    log.compact(DAY + 24 * HOUR)
    log.append([prediction(2, features=inputs)])
    for found in ask(log, "SELECT * FROM log"):
        assert found["version"] in (1, 2)
        assert (found["feature.Version"], found["feature.time"], found["plan"]) == (7, 3, "m")
        assert found['a "b"'] == 1
        assert "x" not in map(str.lower, found)  # which of the two it was would be a guess


def test_kinds_that_differ_between_hours_become_text(log):
    log.append([prediction(1, features={"a": 1.5})])
    log.compact(DAY + 24 * HOUR)
    log.append([prediction(100, features={"a": "x"}), prediction(170, features={"a": None})])
    assert [one["a"] for one in ask(log, EVERYTHING)] == ["1.5", "x", None]


def test_an_empty_log_has_no_rows(log):
    assert ask(log, "SELECT id, outcome FROM log") == []


def test_numbers_of_a_regression(log):
    log.append([prediction(n, prediction=float(n), probability=None) for n in (1, 2)])
    log.record([outcome(1, 3.0)])
    assert ask(log, "SELECT avg(abs(prediction - outcome)) AS mae FROM log") == [{"mae": 2.0}]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("selec 1", "syntax error"),
        ("SELECT nothing FROM log", "nothing"),
        ("", "no result"),
    ],
)
def test_what_is_no_query_is_refused(log, sql, words):
    with pytest.raises(UsageError, match=words):
        ask(log, sql)


def test_without_duckdb_it_is_told_how_to_get_it(log, monkeypatch):
    monkeypatch.setattr(log_sql, "duckdb", None)
    with pytest.raises(UsageError, match=r"pip install 'setpoint\[log\]'"):
        ask(log, "SELECT 1")
