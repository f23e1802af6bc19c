"""Every command takes the same names behind --accept, and refuses the others before it does anything."""

import numpy as np
import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from setpoint.cli.replay import replay
from setpoint.cli.run import run
from setpoint.cli.validate import validate
from setpoint.contract.parse import parse
from setpoint.data.labels import LabelReference
from setpoint.data.validate import validate as validate_table
from setpoint.facts.report import ACCEPTABLE

APP = typer.Typer(rich_markup_mode=None)
for command in (run, replay, validate):
    APP.command()(command)

CONTRACT = """\
model: {name: m, task: binary}
data:
  source: t.csv
  target: y
  columns:
    age: {type: int, min: 0, max: 120, unique: true, nulls: 1%}
    plan: {type: category, values: [a, b]}
    paid: {type: float}
  checks: {min_rows: 500, duplicates: 1%}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    lines = [f"{20 + place % 50},{'ab'[place % 2]},1,{place % 2}" for place in range(100)]
    (tmp_path / "t.csv").write_text("\n".join(["age,plan,paid,y", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("command", ["run", "replay", "validate"])
@pytest.mark.parametrize("name", ["nosuch", "columns"])
def test_name_that_cannot_be_accepted_is_refused_with_those_that_can(project, command, name):
    found = CliRunner().invoke(APP, [command, "--accept", name])
    assert found.exit_code == 2, found.output
    assert f"--accept {name}: there is no such check to accept" in found.output
    assert "label_share" in found.output
    assert not (project / ".setpoint").exists()


def test_name_whose_check_this_table_does_not_have_is_taken(project):
    found = CliRunner().invoke(
        APP, ["validate", "--accept", "label_share", "--accept", "min_rows", "--accept", "unique"]
    )
    assert "no such check" not in found.output


def test_list_is_what_the_checks_say_of_themselves():
    rows = 200
    table = pa.table(
        {
            "age": pa.array([None, 999, *[7] * (rows - 2)], pa.int64()),
            "plan": ["c"] * rows,
            "paid": ["dear", *["1"] * (rows - 1)],
            "y": np.repeat(["0", "1"], [5, rows - 5]),
        }
    )
    known = LabelReference({"0": 0.5, "1": 0.5}, 1000)
    report = validate_table(table, parse(CONTRACT, file="c"), reference=known)
    assert {one.name for one in report.checks if one.acceptable} == set(ACCEPTABLE)
