"""One pass that a person asked for, against the real registry: what it says of an alias that was moved by hand."""

import io
from dataclasses import replace

import pytest
from mlflow import MlflowClient
from rich.console import Console

from setpoint.adapters.mlflow_registry import MlflowRegistry
from setpoint.control.last_run import run_key, unchanged
from setpoint.control.run import RunWish, run
from setpoint.data.conform import conform, ticks
from setpoint.reports.run_summary import run_summary

WISH = RunWish(source="first", lock="l")
AGAIN = RunWish(source="second", lock="l")


def grown(play, table):
    conformed = conform(table, play.contract)
    digest = play.world.tables.put(conformed.table)
    at = ticks(conformed.table, play.contract)
    return replace(play.rows, conformed=conformed, table=digest, at=at)


def printed(result):
    console = Console(file=io.StringIO(), width=200)
    console.print(run_summary(result))
    return console.file.getvalue()


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    found = f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"
    MlflowRegistry(found)
    return found


@pytest.fixture
def client(uri):
    return MlflowClient(tracking_uri=uri)


@pytest.fixture
def played(tmp_path, uri, make_play, small_contract, small_table):
    """Make a world with MLflow, and pass over a table once: version 1 is the champion."""

    def make(name):
        contract = small_contract(
            model={"name": name}, gates=[{"metric": "accuracy", "min": 0.7}], retrain={"when": []}
        )
        registry = MlflowRegistry(uri, artifacts=tmp_path / "mlartifacts")
        table = small_table(400)
        play = make_play(tmp_path, contract, table, unfolding=False, registry=registry)
        first = run(play.world, contract, WISH)
        assert (first.verdict, first.champion, first.notes) == ("pass", 1, ())
        return play

    return make


def alias(client, name):
    return int(client.get_registered_model(name).aliases["champion"])


def test_alias_moved_by_hand_is_put_back_and_told(played, client):
    play = played("moved")
    client.create_model_version("moved", source="file:///elsewhere", run_id=None)
    client.set_registered_model_alias("moved", "champion", "2")
    again = run(play.world, play.contract, AGAIN)
    (note,) = again.notes
    assert note == (
        "the alias champion was moved to version 2 from outside; it is put back to version 1"
    )
    assert alias(client, "moved") == 1
    assert [event.kind for event in play.events].count("alias_put_back") == 1
    assert again.to_json()["notes"] == (note,)
    assert f"Note: {note}" in printed(again)
    assert "put back" not in again.reason
    assert run(play.world, play.contract, WISH).notes == ()


def test_removed_alias_is_put_back_and_told(played, client):
    play = played("removed")
    client.delete_registered_model_alias("removed", "champion")
    (note,) = run(play.world, play.contract, AGAIN).notes
    assert "was removed from outside" in note
    assert alias(client, "removed") == 1


def test_it_is_told_although_the_pass_makes_another_champion(played, client, small_table):
    play = played("promoted")
    client.delete_registered_model_alias("promoted", "champion")
    more = grown(play, small_table(600))
    again = run(replace(play.world, rows=lambda: more), play.contract, AGAIN)
    assert again.champion == 2
    assert "was removed from outside" in again.notes[0]
    assert alias(client, "promoted") == 2
    kinds = [event.kind for event in play.events]
    assert kinds.index("alias_put_back") < len(kinds) - 1 - kinds[::-1].index("promoted")


def test_untouched_alias_is_not_worth_a_word(played):
    play = played("untouched")
    assert run(play.world, play.contract, AGAIN).notes == ()
    assert "alias_put_back" not in [event.kind for event in play.events]


def test_pass_that_reuses_all_does_not_tell_an_old_story(played, client):
    play = played("old")
    client.delete_registered_model_alias("old", "champion")
    assert run(play.world, play.contract, AGAIN).notes
    key = run_key(contract=play.contract.digest, source="second", lock="l", accepted=())
    assert unchanged(play.state, key).notes == ()


def test_self_test_says_that_the_gates_work_and_leaves_production_alone(played):
    play = played("tested")
    before = play.state
    result = run(play.world, play.contract, RunWish(source="first", lock="l", self_test=True))
    assert (result.verdict, result.version, result.champion) == ("pass", None, 1)
    assert result.reason.startswith("4 of 4 candidates fitted on shuffled labels were refused")
    assert "accuracy min 0.7 (" in result.reason
    first, *others = result.to_json()["gates"]
    assert first["gate"] == "gates refuse a model fitted on shuffled labels"
    assert [one["gate"] for one in others] == ["accuracy min 0.7"]
    assert play.state.fitted_rows == before.fitted_rows
    assert play.state.candidates == before.candidates


def test_self_test_fits_each_shuffle_anew_and_ends_when_the_verdict_is_clear(
    tmp_path, make_play, small_contract, small_table
):
    contract = small_contract(gates=[{"metric": "accuracy", "min": 0.1}], retrain={"when": []})
    play = make_play(tmp_path, contract, small_table(400), unfolding=False)
    result = run(play.world, contract, RunWish(source="first", lock="l", self_test=True))
    assert result.verdict == "fail"
    assert (
        "0 of 4 candidates fitted on shuffled labels were refused, 4 let through" in result.reason
    )
    assert "worthless" in result.reason
    assert len(set(play.world.jobs.fits)) == 4


def test_fit_that_fails_is_told_once_and_its_time_is_booked_as_the_fits(
    tmp_path, make_play, small_contract, small_table
):
    train = {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"nonsense": 1}}
    contract = small_contract(train=train, retrain={"when": []})
    play = make_play(tmp_path, contract, small_table(400), unfolding=False)
    for wish in (WISH, RunWish(source="first", lock="l", self_test=True)):
        result = run(play.world, contract, wish)
        assert result.verdict == "error"
        assert result.reason.startswith("the fit failed")
        assert set(result.stages) == {"snapshot", "validate", "fit"}
    assert sum(event.kind == "retrain_started" for event in play.events) == 2
