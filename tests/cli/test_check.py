import json

import msgspec
import pytest
from typer.testing import CliRunner

from setpoint.adapters.sql_journal import SqlJournal
from setpoint.cli import app
from setpoint.facts.state import LoopState
from setpoint.facts.version import Lineage, ModelVersion, Seen

CONTRACT = """\
model: {name: m, task: binary}
data: {source: data/t.csv, target: y, time: at}
gates:
  - {metric: f1, beats_champion: 2%}
release: {strategy: canary, steps: [5%, 20%, 50%, 100%], min_requests: 500}
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, ["check", *words])


def test_a_sound_contract_tells_what_a_whole_release_needs(project):
    found = run("--json")
    assert found.exit_code == 0, found.output
    told = json.loads(found.stdout)
    assert (told["sound"], told["requests_needed"]) == (True, 13_500)
    assert "13,500" in run().output


def test_an_unknown_key_is_exit_2_with_line_and_nearest_key(project):
    (project / "model_contract.yaml").write_text(CONTRACT.replace("min_requests", "min_request"))
    found = run()
    assert found.exit_code == 2
    assert "model_contract.yaml:5" in found.stderr
    assert "min_requests" in found.stderr
    told = run("--json")
    assert told.exit_code == 2
    (problem,) = json.loads(told.stdout)["problems"]
    assert (problem["line"], problem["nearest"]) == (5, "min_requests")


def test_no_file_is_exit_2_and_says_how_to_make_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = run()
    assert found.exit_code == 2
    assert "setpoint init" in found.stderr


def test_a_gate_that_the_champion_puts_out_of_reach_is_a_warning(project):
    version = ModelVersion(
        version=1,
        attempt="a",
        artifact="x",
        behaviour="b",
        runtime="onnx",
        lineage=Lineage(snapshot="s", contract="c"),
        seen=Seen(by="hash", table="t"),
        metrics={"f1": 0.99},
    )
    state = LoopState(model="m", champion=1, versions={"1": version})
    SqlJournal(project / ".setpoint" / "state.db", "m").commit(0, state, ())
    found = run()
    assert found.exit_code == 0
    assert "cannot be met" in found.output


def test_an_environment_is_put_over_the_contract(project):
    (project / "configs").mkdir()
    (project / "configs" / "prod.yaml").write_text("release: {min_requests: 1000}\n")
    assert json.loads(run("--env", "prod", "--json").stdout)["requests_needed"] == 27_000
    found = run("--env", "prdo")
    assert found.exit_code == 2
    assert "--env prod" in found.output
    assert "setpoint init" not in found.output


def test_an_environment_where_there_are_no_overlays_says_so(project):
    found = run("--env", "prod")
    assert found.exit_code == 2
    assert "holds no overlay" in found.output


def test_a_misspelt_signal_of_a_trigger_is_told_the_nearest(project):
    (project / "model_contract.yaml").write_text(
        CONTRACT + "retrain: {when: [performance.dropp > 5%]}\n"
    )
    assert "did you mean 'performance.drop'?" in run().output


def test_checking_creates_nothing(project):
    run()
    assert not (project / ".setpoint").exists()


def test_a_broken_store_is_said_and_the_check_goes_on(project):
    (project / ".setpoint").mkdir()
    (project / ".setpoint" / "state.db").write_text("no database at all, " * 100)
    found = run()
    assert found.exit_code == 0
    assert "champion's metrics are not known" in found.stderr


def test_notes_of_the_result_are_plain(project):
    assert all(
        note["kind"] in {"info", "warning"}
        for note in msgspec.json.decode(run("--json").stdout)["notes"]
    )
