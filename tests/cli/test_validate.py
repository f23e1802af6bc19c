import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from setpoint.cli.init import init
from setpoint.cli.validate import validate

APP = typer.Typer(rich_markup_mode=None)
APP.command()(init)
APP.command()(validate)

CONTRACT = """\
model: {name: m, task: binary}
data:
  source: data/t.csv
  target: y
  columns:
    age: {type: int, min: 0, max: 120}
    plan: {type: category, values: [a, b]}
  checks: {min_rows: 50}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    (tmp_path / "data" / "t.csv").write_text(rows(100))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(count: int, **bad: str) -> str:
    lines = [f"{20 + i % 50},{'ab'[i % 2]},{i % 2}" for i in range(count)]
    if "age" in bad:
        lines[3] = f"{bad['age']},a,1"
    return "age,plan,y\n" + "\n".join(lines) + "\n"


def run(*args: object):
    return CliRunner().invoke(APP, ["validate", *map(str, args)])


def test_the_contracts_own_data_passes(project):
    found = run()
    assert found.exit_code == 0, found.output
    assert "100 rows" in found.output


@pytest.mark.parametrize(("age", "check"), [("999", "range"), ("old", "type"), ("2.5", "type")])
def test_a_check_that_fails_is_exit_code_1_and_names_column_check_and_row(project, age, check):
    (project / "new.csv").write_text(rows(100, age=age))
    found = run("new.csv", "--json")
    assert found.exit_code == 1
    report = json.loads(found.stdout)
    first = report["checks"][0]
    assert report["passed"] is False
    assert (first["name"], first["column"], first["sample"][0]["row"]) == (check, "age", 4)
    assert check in run("new.csv").output


def test_an_accepted_check_is_exit_code_0(project):
    (project / "new.csv").write_text(rows(100, age="999"))
    found = run("new.csv", "--accept", "range")
    assert found.exit_code == 0
    assert "accepted" in found.output


def test_too_few_rows_say_how_many(project):
    (project / "new.csv").write_text(rows(49))
    found = run("new.csv")
    assert found.exit_code == 1
    assert "min_rows 50, got 49" in found.output


def test_what_cannot_be_told_is_exit_code_3(project):
    (project / "model_contract.yaml").write_text(CONTRACT.replace("min_rows: 50", "min_rows: 1"))
    (project / "new.csv").write_text("age,plan,y\n20,new,0\n21,a,1\n")
    assert run("new.csv").exit_code == 3


@pytest.mark.parametrize(
    ("args", "reason"),
    [
        (("nope.csv",), "there is no file"),
        (("--contract", "nope.yaml"), "there is no such file"),
        (("--accept", "nonsense"), "there is no such check to accept"),
        (("--env", "nowhere"), "nowhere.yaml"),
        (("--schema", "schemas.py:schema"), "needs the data"),
        (("data/t.csv", "--schema", "schemas.py"), "names no object"),
        (("data/t.csv", "--schema", "nope.py:schema"), "no Python file"),
    ],
)
def test_what_cannot_be_asked_for_is_exit_code_2(project, args, reason):
    found = run(*args)
    assert found.exit_code == 2, found.output
    assert reason in found.output


def test_a_damaged_file_is_refused(project):
    (project / "bad.csv").write_bytes(b"\x00\x01\x02")
    found = run("bad.csv", "--json")
    assert found.exit_code == 2
    assert json.loads(found.stdout)["kind"] == "SourceError"


def test_the_page_says_the_same_and_shows_no_markup_of_the_data(project):
    (project / "new.csv").write_text(rows(100, age="<script>alert(1)</script>"))
    assert run("new.csv", "--html", "r.html").exit_code == 1
    page = (project / "r.html").read_text()
    assert "1 check fails" in page
    assert "<script>" not in page
    assert "row 4" in page


SCHEMA = """\
import pandera.pandas as pa

schema = pa.DataFrameSchema({
    "age": pa.Column(int, pa.Check.in_range(0, 60)),
    "plan": pa.Column(str, pa.Check.isin(["a", "b"])),
})

class Model(pa.DataFrameModel):
    age: int = pa.Field(ge=0)

wrong = 7
"""


def test_a_pandera_schema_names_column_check_and_rows(project):
    (project / "schemas.py").write_text(SCHEMA)
    found = run("data/t.csv", "--schema", "schemas.py:schema", "--json")
    assert found.exit_code == 1
    check, *others = json.loads(found.stdout)["checks"]
    assert {one["verdict"]["verdict"] for one in others} == {"pass"}
    assert ("plan", "isin(['a', 'b'])") in {(one["column"], one["name"]) for one in others}
    assert (check["column"], check["failing"]) == ("age", 18)
    assert check["sample"][0] == {"row": 42, "value": 61}
    assert "in_range" in check["name"]


def test_checks_of_a_schema_that_pass_are_counted(project):
    (project / "schemas.py").write_text(SCHEMA)
    found = run("data/t.csv", "--schema", "schemas.py:schema")
    # of each column the type, that no value is missing, and its own check
    assert "100 rows, 5 of 6 checks passed" in found.output


def test_a_pandera_type_that_cannot_be_had_is_not_counted_as_passed(project):
    (project / "schemas.py").write_text(
        "import pandera.pandas as pa\n"
        "schema = pa.DataFrameSchema({'plan': pa.Column(int, coerce=True, nullable=True)})\n"
    )
    found = run("data/t.csv", "--schema", "schemas.py:schema")
    assert "0 of " in found.output, found.output


def test_a_pandera_model_that_holds_passes(project):
    (project / "schemas.py").write_text(SCHEMA)
    assert run("data/t.csv", "--schema", "schemas.py:Model").exit_code == 0


@pytest.mark.parametrize(("name", "reason"), [("wrong", "not a pandera"), ("none", "no object")])
def test_what_is_no_schema_is_refused(project, name, reason):
    (project / "schemas.py").write_text(SCHEMA)
    found = run("data/t.csv", "--schema", f"schemas.py:{name}")
    assert found.exit_code == 2
    assert reason in found.output


def test_a_schema_file_that_does_not_run_is_refused(project):
    (project / "broken.py").write_text("1 / 0")
    found = run("data/t.csv", "--schema", "broken.py:schema")
    assert found.exit_code == 2
    assert "ZeroDivisionError" in found.output
