"""`setpoint log` over a log of five hours, some of them in files."""

import json

import pyarrow.csv
import pyarrow.parquet
import pytest
from tests.adapters.log.test_compaction import DAY, HOUR, fill, prediction
from typer.testing import CliRunner

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.cli import app
from setpoint.clock import ManualClock
from setpoint.wiring.log import LogWish, compact_log, follow_lines, newest_lines
from setpoint.wiring.offline import open_offline


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "model_contract.yaml").write_text(
        "model: {name: churn, task: binary}\ndata: {source: t.csv, target: y, key: customer}\n"
    )
    log = SqliteLog(tmp_path / ".setpoint" / "log.db")
    fill(log)
    log.compact(DAY + 3 * HOUR + 400)
    yield tmp_path
    log.close()


@pytest.fixture
def offline(project):
    return open_offline(project / "model_contract.yaml")


def run(*words):
    found = CliRunner().invoke(app, ["log", *words])
    assert found.exit_code == 0, found.output
    return found.output


def test_the_newest_answers_are_shown_the_oldest_of_them_first(project):
    lines = run("--limit", "3").splitlines()
    assert [line[:19] for line in lines[1:]] == [f"2023-11-15 04:{n}:00" for n in (57, 58, 59)]
    assert "monthly" in lines[1]
    assert len(run().splitlines()) == 21
    assert "boom" in run("--where", "error != ''", "--limit", "1")


def test_answers_as_json_have_their_inputs_apart(project):
    (one,) = json.loads(run("--json", "--where", "tenure = 7"))
    assert one["inputs"] == {"tenure": 7.0, "plan": "monthly"}
    assert (one["id"], one["error"], one["prediction"]) == ("p-00007", "boom", None)


@pytest.mark.parametrize(
    ("wish", "numbers"),
    [
        ({"limit": 2}, [298, 299]),
        ({"limit": 2, "version": 1}, [296, 298]),
        ({"limit": 3, "where": "tenure < 130"}, [127, 128, 129]),
        ({"where": "tenure in (0, 61, 299)"}, [0, 61, 299]),
        ({"last_s": 600.0}, list(range(290, 300))),
        ({"last_s": 4000.0, "where": "outcome = Yes", "limit": 2}, [264, 276, 288][-2:]),
        ({"limit": 5, "where": "tenure > 1000"}, []),
    ],
)
def test_which_answers_are_found(offline, wish, numbers):
    found = newest_lines(LogWish(clock=ManualClock(DAY + 5 * HOUR), **wish), offline)
    assert found["id"].to_pylist() == [f"p-{n:05d}" for n in numbers]


def test_following_tells_each_answer_once_as_it_comes(offline, project):
    log = SqliteLog(project / ".setpoint" / "log.db")
    news = [[prediction(n, version=1) for n in some] for some in ([300, 301], [], [302], [303])]

    def pause():
        if not news:
            return False
        log.append(news.pop(0))
        return True

    wish = LogWish(limit=2, where="tenure != 301")
    tables = list(follow_lines(wish, offline, pause))
    ids = [table["id"].to_pylist() for table in tables]
    assert ids == [["p-00298", "p-00299"], ["p-00300"], ["p-00302"], ["p-00303"]]
    log.close()


@pytest.mark.parametrize("form", ["parquet", "csv"])
def test_an_export_has_every_answer_in_order_of_time(project, form):
    (project / "deep").mkdir()
    assert "wrote 300 answers" in run("export", f"deep/out.{form}")
    path = f"deep/out.{form}"
    table = pyarrow.csv.read_csv(path) if form == "csv" else pyarrow.parquet.read_table(path)
    assert table["feature.tenure"].to_pylist() == list(range(300))
    assert table["outcome"].to_pylist()[3:6] in ([("No"), None, None], ["No", "", ""])
    assert "wrote 3 answers" in run("export", path, "--where", "version = 2 and tenure < 6")


def test_an_export_of_hours_that_differ_has_columns_for_all_of_them(project):
    log = SqliteLog(project / ".setpoint" / "log.db")
    log.append([prediction(400, features={"tenure": "long", "new": True})])
    log.append([prediction(401, features={}, prediction=2.5)])
    run("export", "out.parquet")
    table = pyarrow.parquet.read_table("out.parquet")
    assert table["feature.tenure"].to_pylist()[-3:] == ["299", "long", None]
    assert table["feature.new"].to_pylist()[-3:] == [None, True, None]
    assert table["prediction"].to_pylist()[-3:] == ["Yes", "Yes", "2.5"]
    log.compact(DAY + 24 * HOUR)
    run("export", "again.parquet")
    assert pyarrow.parquet.read_table("again.parquet").equals(table)
    log.close()


def test_an_export_without_answers_has_the_columns(project):
    assert "wrote 0 answers" in run("export", "out.csv", "--where", "tenure > 1000")
    assert "prediction" in (project / "out.csv").read_text()


def test_queries(project):
    (one, two) = json.loads(
        run("query", "SELECT version, count(*) AS n FROM log GROUP BY 1 ORDER BY 1", "--json")
    )
    assert (one["n"], two["n"]) == (150, 150)
    assert "5 of 300 rows" in run("query", "SELECT id FROM log", "--limit", "5")


def test_hours_that_are_over_are_moved_and_the_present_one_where_that_is_asked(project, offline):
    now = ManualClock(DAY + 4 * HOUR + 400)
    assert compact_log(offline, everything=False, clock=now).answers == 60
    assert compact_log(offline, everything=False, clock=now).answers == 0
    assert compact_log(offline, everything=True, clock=now).answers == 60
    assert "no hour is over" in run("compact")
    assert json.loads(run("compact", "--json"))["files"] == 0


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--where", "tenur > 3"), "did you mean tenure?"),
        (("--where", "tenure ~ 3"), "COLUMN OP VALUE"),
        (("--last", "soon"), "a duration such as"),
        (("export", "out.xlsx"), "parquet or .csv"),
        (("query", "SELEC"), "cannot be carried out"),
    ],
)
def test_what_makes_no_sense_is_exit_2(project, words, hint):
    found = CliRunner().invoke(app, ["log", *words])
    assert found.exit_code == 2
    assert hint in found.output


@pytest.mark.parametrize("words", [(), ("export", "o.csv"), ("query", "SELECT 1"), ("compact",)])
def test_without_a_log_nothing_is_made(project, words):
    log = project / ".setpoint" / "log.db"
    log.unlink()
    found = CliRunner().invoke(app, ["log", *words])
    assert found.exit_code == 2
    assert "there is no prediction log yet" in found.output
    assert not log.exists()


@pytest.fixture
def shadowed(project):
    """Beside the log, what version 9 answered as a shadow to the first ten rows and to the last three."""
    numbers = [*range(10), 297, 298, 299]
    with SqliteLog(project / ".setpoint" / "log.shadows.db") as log:
        log.append(
            [
                prediction(n, id=f"p-{n:05d}.9", version=9, variant="shadow", propensity=0.0)
                for n in numbers
            ]
        )
        log.compact(DAY + 3 * HOUR + 400)
    return numbers


def test_what_shadows_answered_is_shown_to_those_who_ask_for_it(project, shadowed):
    found = json.loads(run("--json", "--variant", "shadow"))
    assert [one["id"] for one in found] == [f"p-{n:05d}.9" for n in shadowed]
    assert {(one["variant"], one["version"], one["propensity"]) for one in found} == {
        ("shadow", 9, 0.0)
    }
    live = {one["id"]: one["outcome"] for one in json.loads(run("--json", "--limit", "0"))}
    assert not any(name.endswith(".9") for name in live)
    assert [one["outcome"] for one in found] == [live[f"p-{n:05d}"] for n in shadowed]
    assert any(one["outcome"] for one in found)
    assert "wrote 13 answers" in run("export", "out.csv", "--variant", "shadow")
    assert "wrote 300 answers" in run("export", "out.csv")


def test_variants_of_live_answers_are_told_apart(project):
    log = SqliteLog(project / ".setpoint" / "log.db")
    log.append([prediction(300, variant="challenger")])
    log.close()
    assert [one["id"] for one in json.loads(run("--json", "--variant", "challenger"))] == [
        "p-00300"
    ]
    assert json.loads(run("--json", "--variant", "champion"))[-1]["id"] == "p-00299"


def test_without_a_shadow_there_is_nothing_to_show(project):
    found = CliRunner().invoke(app, ["log", "--variant", "shadow"])
    assert (found.exit_code, "no shadow has answered anything yet" in found.output) == (2, True)
    assert not (project / ".setpoint" / "log.shadows.db").exists()
    assert json.loads(run("query", "--json", "SELECT count(*) AS n FROM shadows")) == [{"n": 0}]


def test_sql_holds_shadows_against_the_live_answers(project, shadowed):
    sql = (
        "SELECT count(*) AS n, count(s.outcome) AS known, "
        "sum(CAST(s.prediction = l.prediction AS INT)) AS agreed "
        "FROM shadows s JOIN log l ON l.id = s.live"
    )
    (found,) = json.loads(run("query", "--json", sql))
    live = json.loads(run("--json", "--limit", "0"))
    known = sum(one["outcome"] is not None for one in live if int(one["id"][2:]) in shadowed)
    assert found["n"] == len(shadowed)
    assert (found["known"], found["agreed"]) == (known, 12)  # the live answer to row 7 failed
    assert json.loads(run("query", "--json", "SELECT count(*) AS n FROM log")) == [{"n": 300}]


def test_compaction_moves_what_shadows_answered_as_well(project, offline, shadowed):
    compact_log(offline, everything=True, clock=ManualClock(DAY + 9 * HOUR))
    files = list((project / ".setpoint" / "log.shadows").rglob("*.parquet"))
    assert len(files) == 2
    assert len(json.loads(run("--json", "--variant", "shadow"))) == len(shadowed)
