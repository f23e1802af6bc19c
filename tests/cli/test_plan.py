import json

import pytest
from typer.testing import CliRunner

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.cli import app
from setpoint.contract.parse import parse
from setpoint.facts.state import LoopState

OLD = "model: {name: m, task: binary}\ndata: {source: t.csv, target: y}\ntrain: {seed: 1}\n"
NEW = OLD.replace("seed: 1", "seed: 2")


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "model_contract.yaml").write_text(NEW)
    (tmp_path / "old.yaml").write_text(OLD)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["plan", *words])


def put_in_force(project, text):
    contract = parse(text, file="c.yaml")
    state = LoopState(model="m", contract=contract.digest, contract_text=contract.text)
    SqlJournal(project / ".setpoint" / "state.db", "m").commit(0, state, ())


def test_two_files(project):
    found = run("old.yaml", "model_contract.yaml", "--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert [(one["path"], one["old"], one["new"]) for one in told["differences"]] == [
        ("train.seed", 1, 2)
    ]
    assert told["effects"] == ["refit"]


def test_one_file_against_what_is_in_force(project):
    put_in_force(project, OLD)
    found = run()
    assert found.exit_code == 0, found.output
    assert "train.seed: 1 → 2" in found.output
    assert "1 difference" in found.output


def test_nothing_changes(project):
    put_in_force(project, NEW)
    assert "nothing changes" in run().output


def test_nothing_is_in_force_yet(project):
    found = run()
    assert "all of it is new" in found.output
    assert not (project / ".setpoint").exists()


def test_an_old_contract_that_is_not_there_is_exit_2(project):
    found = run("gone.yaml", "model_contract.yaml")
    assert found.exit_code == 2
    assert "gone.yaml" in found.stderr
