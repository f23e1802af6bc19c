import json

import msgspec
import pytest
from typer.testing import CliRunner

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.cli import app
from setpoint.contract.parse import parse
from setpoint.control.change import change
from setpoint.facts.state import Blocked, LoopState, TriggerState

CONTRACT = """\
model: {name: m, task: binary}
data: {source: t.csv, target: y}
retrain: {when: [rows.new >= 100], cooldown: 500 rows}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def journal(project):
    contract = parse(CONTRACT, file="c.yaml")
    kept = SqlJournal(project / ".setpoint" / "state.db", "m")
    state = LoopState(model="m", contract=contract.digest, contract_text=contract.text)
    step = change(state, "promote", "version 1 is the champion", at=5.0, version=1)
    blocked = Blocked(start=3, end=9, checks=("range",), reason="age is 999", at=6.0)
    waits = {"rows.new >= 100": TriggerState(windows=1, firing=True, evidence="e")}
    state = msgspec.structs.replace(
        step.state, champion=1, blocked=(blocked,), triggers=waits, retrains=(1.0,)
    )
    kept.commit(0, state, step.events)
    return kept


def run(*words):
    return CliRunner().invoke(app, [*words])


@pytest.mark.parametrize(
    "command",
    [("status",), ("explain",), ("explain", "d-1"), ("ledger", "verify"), ("ledger", "show")],
)
def test_where_nothing_ran_it_says_how_to_begin(project, command):
    found = run(*command)
    assert found.exit_code == 2
    assert "setpoint run" in found.stderr
    assert not (project / ".setpoint").exists()


def test_status_as_text_and_as_json(journal):
    found = run("status")
    assert found.exit_code == 0, found.output
    assert "version 1" in found.output
    assert "range cannot be accepted" in found.output
    assert "due, but held" in found.output
    assert "until row 501" in found.output
    told = json.loads(run("status", "--json").stdout)
    assert (told["champion"], told["blocked"][0]["checks"], told["contract_changed"]) == (
        1,
        ["range"],
        False,
    )


def test_status_says_that_the_contract_was_changed(journal, project):
    (project / "model_contract.yaml").write_text(CONTRACT.replace("500 rows", "600 rows"))
    assert "setpoint plan" in run("status").output


def test_an_unreadable_store_is_an_error_and_no_status(project):
    (project / ".setpoint").mkdir()
    (project / ".setpoint" / "state.db").write_text("no database at all, " * 100)
    found = run("status", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["kind"] == "JournalError"


def test_a_misspelt_setting_is_exit_2(journal, monkeypatch):
    monkeypatch.setenv("SETPOINT_STOER", "x")
    found = run("status")
    assert found.exit_code == 2
    assert "SETPOINT_STORE" in found.stderr


def test_a_setting_that_the_contract_names_is_no_misspelling(journal, project, monkeypatch):
    monkeypatch.setenv("SETPOINT_SLACK_URL", "x")
    alert = 'alerts: [{to: "${SETPOINT_SLACK_URL}", when: [incident]}]\n'
    (project / "model_contract.yaml").write_text(CONTRACT + alert)
    assert run("status").exit_code == 0
