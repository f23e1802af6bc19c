import json
import sqlite3

import msgspec
import pytest
from typer.testing import CliRunner

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.cli import app
from setpoint.control.change import change
from setpoint.facts.ledger import Entry
from setpoint.facts.state import LoopState
from setpoint.ledger.verify import verify

CONTRACT = "model: {name: m, task: binary}\ndata: {source: t.csv, target: y}\n"


@pytest.fixture
def journal(tmp_path, monkeypatch):
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    kept = SqlJournal(tmp_path / ".setpoint" / "state.db", "m")
    state = LoopState(model="m")
    for number, action in enumerate(("retrain", "refuse", "retrain", "promote")):
        step = change(state, action, f"because of {action}", at=float(number))
        state = step.state
        kept.commit(number, state, step.events)
    return kept


@pytest.fixture
def tamper(journal, tmp_path):
    def go(*statements):
        with sqlite3.connect(tmp_path / ".setpoint" / "state.db") as database:
            for verb in ("update", "delete"):
                database.execute(f"DROP TRIGGER setpoint_ledger_no_{verb}")
            for statement in statements:
                database.execute(statement)
        database.close()

    return go


def run(*words):
    return CliRunner().invoke(app, ["ledger", *words])


def test_a_whole_ledger_passes(journal):
    found = run("verify", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["entries"] == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE setpoint_ledger SET event = replace(event, 'refuse', 'accept') WHERE sequence = 2",
        "DELETE FROM setpoint_ledger WHERE sequence = 4",
        "DELETE FROM setpoint_ledger WHERE sequence = 2",
    ],
)
def test_an_altered_or_removed_entry_is_exit_1(tamper, statement):
    tamper(statement)
    found = run("verify")
    assert found.exit_code == 1
    assert "fail" in found.output


def test_without_the_state_it_cannot_be_told_and_is_exit_3(tamper):
    tamper("DELETE FROM setpoint_state")
    found = run("verify")
    assert found.exit_code == 3
    assert "inconclusive" in found.output


def test_show_gives_the_last_of_a_kind(journal):
    told = json.loads(run("show", "--kind", "retrain_started", "--last", "1", "--json").stdout)
    assert [one["sequence"] for one in told] == [3]
    assert len(json.loads(run("show", "--last", "0", "--json").stdout)) == 4
    assert "because of promote" in run("show").output


def test_an_unknown_kind_names_those_that_are_there(journal):
    found = run("show", "--kind", "promotion")
    assert found.exit_code == 2
    assert "promoted" in found.stderr


def test_an_export_can_be_verified_by_others(journal, tmp_path):
    found = run("export", "out/ledger.jsonl")
    assert found.exit_code == 0, found.output
    lines = (tmp_path / "out" / "ledger.jsonl").read_text().splitlines()
    entries = [msgspec.convert(json.loads(line), Entry) for line in lines]
    assert verify(entries, journal.head()).ruling == "pass"
    assert run("export", "-").stdout.splitlines() == lines


def test_a_place_that_cannot_be_written_is_exit_2(journal, tmp_path):
    (tmp_path / "file").write_text("")
    assert run("export", "file/ledger.jsonl").exit_code == 2


def test_show_and_export_say_when_an_entry_was_written_down(journal):
    state, revision = journal.load()
    step = change(state, "promote", "again", at=0.0)
    step = msgspec.structs.replace(
        step, decision=msgspec.structs.replace(step.decision, recorded=1.6e9)
    )
    journal.commit(revision, step.state, step.events)
    assert "2020-09-13 12:26" in run("show").output
    told = [json.loads(line) for line in run("export", "-").stdout.splitlines()]
    assert [one["event"]["body"].get("recorded") for one in told] == [None] * 4 + [1.6e9]
    assert run("verify").exit_code == 0
