import json

import pytest
from typer.testing import CliRunner

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.cli import app
from setpoint.control.change import change
from setpoint.facts.state import LoopState
from setpoint.facts.verdict import Verdict

CONTRACT = "model: {name: m, task: binary}\ndata: {source: t.csv, target: y}\n"


@pytest.fixture
def _journal(tmp_path, monkeypatch):
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    verdict = Verdict(
        subject="f1 min 0.8", verdict="fail", observed=0.7123456789, limit=0.8, n=300, reason="low"
    )
    step = change(
        LoopState(model="m"), "refuse", "f1 is low", at=3.0, attempt="a-1-x", verdicts=(verdict,)
    )
    SqlJournal(tmp_path / ".setpoint" / "state.db", "m").commit(0, step.state, step.events)


def run(*words):
    return CliRunner().invoke(app, ["explain", *words])


@pytest.mark.usefixtures("_journal")
def test_a_decision_with_its_verdicts():
    found = run("d-1")
    assert found.exit_code == 0, found.output
    assert "refused" in found.output
    assert "f1 min 0.8" in found.output


@pytest.mark.usefixtures("_journal")
def test_json_has_the_full_numbers():
    (decision,) = json.loads(run("a-1", "--json").stdout)
    assert decision["verdicts"][0]["observed"] == 0.7123456789


@pytest.mark.usefixtures("_journal")
def test_an_unknown_id_is_exit_2_and_names_the_nearest():
    found = run("d-12")
    assert found.exit_code == 2
    assert "nearest is d-1" in found.stderr
