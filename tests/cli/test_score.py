"""Batch answers and outcomes over a project with two real bundles and a real log."""

import json
import pickle

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.cli import app
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.log_rule import change_of
from setpoint.facts.state import LoopState
from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.training.bundle import write_bundle
from setpoint.training.estimators import fitted
from setpoint.training.model import Form
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import ScoreWish, score_file

CONTRACT = """\
model: {name: m, task: binary}
data: {source: t.csv, target: churned, key: customer}
"""
FEATURES = (
    Feature(name="tenure", kind="int", low=0, high=100),
    Feature(name="charges", kind="float"),
    Feature(name="plan", kind="category", values=("m", "y")),
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with the bundles of versions 1 and 2; returns it and their artifacts."""
    folder = tmp_path_factory.mktemp("store")
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "tenure": rng.integers(0, 60, 200).astype(float),
            "charges": rng.uniform(10, 120, 200),
            "plan": rng.choice(np.array(["m", "y"], object), 200),
        }
    )
    artifacts = {}
    for version, cut in ((1, 20), (2, 40)):
        recipe = Recipe(
            estimator="sklearn.tree.DecisionTreeClassifier",
            params={"max_depth": 1},
            task="binary",
            target="churned",
            positive="Yes",
            features=FEATURES,
            threshold=0.5,
            seed=1,
            time_limit_s=60.0,
            memory_limit=1 << 33,
        )
        truth = np.where(frame["tenure"] > cut, "Yes", "No").astype(object)
        job = TrainingJob(
            key="k",
            model="m",
            contract=f"c{version}",
            recipe=recipe,
            table="t",
            rows="r",
            key_column="customer",
        )
        data = pickle.dumps(fitted(recipe, frame, truth))
        source = folder / "made" / str(version)
        source.parent.mkdir(exist_ok=True)
        form = Form("binary", FEATURES, ("No", "Yes"), 0.5)
        write_bundle(source, job, form, runtime="native", data=data, behaviour="b")
        artifacts[version] = BundleStore(folder).keep(source)
    return folder, artifacts


@pytest.fixture
def project(tmp_path, monkeypatch, store):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SETPOINT_STORE", str(tmp_path / "store"))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "bundles").symlink_to(store[0] / "bundles")
    (tmp_path / "model_contract.yaml").write_text(CONTRACT)
    return tmp_path


@pytest.fixture
def deploy(project, store):
    def put(weights, log="durable", kept=None):
        _, artifacts = store
        versions = {
            str(number): ModelVersion(
                version=number,
                attempt=f"a-{number}",
                artifact=artifact,
                behaviour="b",
                runtime="native",
                lineage=Lineage(snapshot="s", contract=f"c{number}"),
                seen=Seen(by="hash", table="t"),
                label_shares={"No": 0.5, "Yes": 0.5},
            )
            for number, artifact in artifacts.items()
        }
        document = Deployment(
            model="m",
            generation=7,
            contract="c",
            prepare=tuple(
                Deployed(version=number, bundle="b", artifact=artifact)
                for number, artifact in artifacts.items()
            ),
            weights=weights,
            champion=1,
            sticky="customer",
            salt="s",
            log=log,
            kept=kept,
        )
        state = LoopState(
            model="m", champion=1, versions=versions, deployment=document, generation=7
        )
        SqlJournal(project / "store" / "state.db", "m").commit(0, state, ())

    return put


def people(count=50):
    rng = np.random.default_rng(8)
    return pa.table(
        {
            "customer": [f"c{number}" for number in range(count)],
            "tenure": rng.integers(0, 60, count),
            "charges": rng.uniform(10, 120, count),
            "plan": rng.choice(np.array(["m", "y"]), count).tolist(),
        }
    )


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def logged(project):
    log = SqliteLog(project / "store" / "log.db")
    try:
        return log.stretch(0, 10_000)
    finally:
        log.close()


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_answers_are_the_models_and_are_logged_under_the_ids_of_the_file(
    project, deploy, store, form
):
    deploy({"1": 1.0})
    rows = people()
    pa.parquet.write_table(rows, project / "in.parquet")
    pa.csv.write_csv(rows, project / "in.csv")
    found = run("score", f"in.{form}", f"out.{form}", "--json")
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["logged"] == 50
    out = pa.csv.read_csv("out.csv") if form == "csv" else pa.parquet.read_table("out.parquet")
    expected = BundleScorer(store[0]).score(store[1][1], rows)
    assert out["prediction"].to_pylist() == [("No", "Yes")[code] for code in expected.label]
    assert out["probability"].to_numpy() == pytest.approx(expected.probability[:, 1])
    assert out["customer"].to_pylist() == rows["customer"].to_pylist()
    kept = logged(project)
    assert kept["id"].to_pylist() == out["prediction_id"].to_pylist()
    assert kept["prediction"].to_pylist() == out["prediction"].to_pylist()
    assert kept["feature.tenure"].to_pylist() == rows["tenure"].to_pylist()
    assert set(kept["generation"].to_pylist()) == {7}


def test_a_release_under_way_gets_its_share_and_a_customer_keeps_its_version(project, deploy):
    deploy({"1": 0.7, "2": 0.3})
    pa.parquet.write_table(people(400), project / "in.parquet")
    first = json.loads(run("score", "in.parquet", "a.parquet", "--json").stdout)["versions"]
    assert 80 < first["2"] < 160
    run("score", "in.parquet", "b.parquet")
    a, b = (
        pa.parquet.read_table(name)["version"].to_pylist() for name in ("a.parquet", "b.parquet")
    )
    assert a == b
    log = SqliteLog(project / "store" / "log.db")
    assert log.arms(generation=7)[2].requests == 2 * first["2"]
    log.close()


def test_a_named_version_answers_all_and_no_release_counts_it(project, deploy):
    deploy({"1": 1.0})
    pa.parquet.write_table(people(), project / "in.parquet")
    assert run("score", "in.parquet", "out.parquet", "--version", 2).exit_code == 0
    assert set(pa.parquet.read_table("out.parquet")["version"].to_pylist()) == {2}
    log = SqliteLog(project / "store" / "log.db")
    assert log.arms(generation=0) == {}
    log.close()


def test_a_row_that_breaks_the_contract_gets_no_answer_and_no_place_in_the_log(project, deploy):
    deploy({"1": 1.0})
    (project / "in.csv").write_text(
        "customer,tenure,charges,plan\na,5,1.5,m\nb,old,1.5,m\nc,500,1.5,m\nd,5,,y\ne,5,1.5,weekly\n"
    )
    found = run("score", "in.csv", "out.csv")
    assert found.exit_code == 1
    assert "2 of 5 rows answered (version 1: 2), 2 logged" in found.output
    assert "3 rows break a rule, 0 the model failed on" in found.output
    out = pa.csv.read_csv("out.csv").to_pylist()
    assert [bool(row["error"]) for row in out] == [False, True, True, False, True]
    assert out[1]["error"] == "tenure: got text 'old', needs a whole number"
    assert out[2]["error"] == "tenure: 500 is above the maximum 100"
    assert out[4]["error"] == "plan: text 'weekly' is not one of 'm', 'y'"
    assert logged(project).num_rows == 2


def test_parts_change_nothing(project, deploy):
    deploy({"1": 0.5, "2": 0.5})
    pa.parquet.write_table(people(), project / "in.parquet")
    offline = open_offline(project / "model_contract.yaml")
    told = []
    for name, part in (("whole", 1000), ("pieces", 7)):
        wish = ScoreWish(
            "in.parquet",
            project / f"{name}.parquet",
            part=part,
            progress=lambda done, share: told.append((done, share)),
        )
        assert score_file(wish, offline).logged == 50
    whole, pieces = (
        pa.parquet.read_table(name).drop_columns(["prediction_id"])
        for name in ("whole.parquet", "pieces.parquet")
    )
    assert whole.equals(pieces)
    assert told[:3] == [(0, 0.0), (50, 1.0), (0, 0.0)]
    assert [done for done, _ in told[3:]] == [min(n, 50) for n in range(7, 57, 7)]
    ids = pa.parquet.read_table("pieces.parquet")["prediction_id"].to_pylist()
    assert ids == sorted(ids)


def test_the_summary_for_machines(project, deploy):
    deploy({"1": 1.0})
    text = "customer,tenure,charges,plan\n" + "a,5,1.5,m\nb,old,1.5,m\n" * 2
    (project / "in.csv").write_text(text)
    found = run("score", "in.csv", "out.csv", "--json")
    assert found.exit_code == 1
    told = json.loads(found.stdout)
    assert told.pop("seconds") > 0
    assert told == {
        "rows": 4,
        "scored": 2,
        "refused": 2,
        "failed": 0,
        "first_error": "tenure: got text 'old', needs a whole number",
        "version": 1,
        "versions": {"1": 2},
        "logged": 2,
        "resumed": 0,
        "steady": True,
        "output": str(project / "out.csv"),
    }


def test_strict_is_exit_2_and_leaves_no_file(project, deploy):
    deploy({"1": 1.0})
    (project / "in.csv").write_text("customer,tenure,charges,plan\na,5,1.5,m\nb,old,1.5,m\n")
    found = run("score", "in.csv", "out.csv", "--strict")
    assert found.exit_code == 2
    assert "row 2 gets no answer: tenure: got text 'old'" in found.stderr
    assert not list(project.glob("*out*"))
    assert logged(project).num_rows == 0


@pytest.mark.parametrize(("log", "words"), [("off", ()), ("durable", ("--no-log",))])
def test_without_a_log_nothing_is_logged(project, deploy, log, words):
    deploy({"1": 1.0}, log=log)
    pa.parquet.write_table(people(), project / "in.parquet")
    assert run("score", "in.parquet", "out.parquet", *words).exit_code == 0
    assert not (project / "store" / "log.db").exists()


def test_what_the_log_must_not_have_is_withheld_and_outcomes_still_find_their_keys(
    project, deploy, monkeypatch
):
    deploy({"1": 1.0})
    pa.parquet.write_table(people(5).slice(0, 2), project / "in.parquet")
    assert run("score", "in.parquet", "before.parquet").exit_code == 0  # while all was kept
    (project / "store" / "state.db").unlink()
    rules = {"customer": "hash", "plan": "hash", "charges": "drop", "tenure": "round 100"}
    deploy({"1": 1.0}, kept=rules)
    columns = ", ".join(f"{name}: {{log: {rule}}}" for name, rule in rules.items())
    contract = CONTRACT.replace("key: customer", f"key: customer, columns: {{{columns}}}")
    (project / "model_contract.yaml").write_text(contract)
    monkeypatch.setenv("SETPOINT_LOG_KEY", "of the team alone")
    rows = people(5).slice(2)
    pa.parquet.write_table(rows, project / "in.parquet")
    assert run("score", "in.parquet", "out.parquet").exit_code == 0
    kept = logged(project).slice(2)
    assert set(kept["feature.tenure"].to_pylist()) <= {0.0, 100.0}
    assert kept["feature.charges"].null_count == 3
    plans = [
        change_of("hash", "plan", b"of the team alone")(one) for one in rows["plan"].to_pylist()
    ]
    assert kept["feature.plan"].to_pylist() == plans
    assert not (project / "store" / "log.salt").exists()
    outcomes = {
        "customer": [f"c{n}" for n in range(5)],
        "outcome": ["Yes", "No", "Yes", "No", "No"],
    }
    pa.csv.write_csv(pa.table(outcomes), project / "outcomes.csv")
    assert "5 outcomes recorded" in run("outcomes", "outcomes.csv").output
    assert logged(project)["outcome"].to_pylist() == outcomes["outcome"]


def test_keys_that_are_not_logged_are_told_from_keys_that_nobody_asked_about(project, deploy):
    deploy({"1": 1.0}, kept={"customer": "drop"})
    contract = CONTRACT.replace("key: customer", "key: customer, columns: {customer: {log: drop}}")
    (project / "model_contract.yaml").write_text(contract)
    pa.parquet.write_table(people(5), project / "in.parquet")
    assert run("score", "in.parquet", "out.parquet").exit_code == 0
    (project / "outcomes.csv").write_text("customer,outcome\nc1,Yes\n")
    found = run("outcomes", "outcomes.csv")
    assert found.exit_code == 2
    assert "the contract has customer logged by drop" in found.output


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("in.parquet", "out.parquet", "--version", 9), "registered are 1, 2"),
        (("gone.parquet", "out.parquet"), "gone.parquet"),
        (("in.parquet", "out.xlsx"), "parquet or .csv"),
        (("scored.parquet", "out.parquet"), "prediction"),
        (("other.parquet", "out.parquet"), "none of the inputs"),
    ],
)
def test_what_makes_no_sense_is_exit_2_and_leaves_no_file(project, deploy, words, hint):
    deploy({"1": 1.0})
    rows = people()
    pa.parquet.write_table(rows, project / "in.parquet")
    pa.parquet.write_table(
        rows.append_column("prediction", pa.nulls(50)), project / "scored.parquet"
    )
    pa.parquet.write_table(pa.table({"x": [1]}), project / "other.parquet")
    before = sorted(path.name for path in project.iterdir())
    found = run("score", *words)
    assert found.exit_code == 2
    assert hint in found.stderr
    assert sorted(path.name for path in project.iterdir()) == before


def test_before_the_first_release_it_says_how_to_begin(project):
    pa.parquet.write_table(people(), project / "in.parquet")
    found = run("score", "in.parquet", "out.parquet")
    assert found.exit_code == 2
    assert "setpoint run" in found.stderr


@pytest.fixture
def answered(project, deploy):
    """A file of 50 answers that were logged."""
    deploy({"1": 1.0})
    pa.parquet.write_table(people(), project / "in.parquet")
    run("score", "in.parquet", "out.parquet")
    return pa.parquet.read_table("out.parquet")


def write(project, name, **columns):
    pa.csv.write_csv(pa.table(columns), project / name)
    return name


def test_outcomes_by_prediction_are_recorded_once(project, answered):
    truth = ["Yes", "No"] * 20 + [None] * 10
    name = write(project, "t.csv", prediction_id=answered["prediction_id"], outcome=truth)
    first = json.loads(run("outcomes", name, "--json").stdout)
    assert first == {"rows": 50, "recorded": 40, "known": 0, "missing": 10}
    assert json.loads(run("outcomes", name, "--json").stdout)["known"] == 40
    assert logged(project)["outcome"].to_pylist() == truth


@pytest.mark.parametrize("column", ["customer", "key"])
def test_outcomes_by_key_under_the_targets_own_name(project, answered, column):
    name = write(project, "t.csv", **{column: ["c3", "c7"], "churned": ["Yes", "No"]})
    assert "2 outcomes recorded" in run("outcomes", name).output
    kept = logged(project)["outcome"].to_pylist()
    assert (kept[3], kept[7], kept.count(None)) == ("Yes", "No", 48)


def test_a_key_with_several_answers_is_not_guessed(project, answered):
    run("score", "in.parquet", "again.parquet")
    name = write(project, "t.csv", customer=["c3"], churned=["Yes"])
    found = run("outcomes", name)
    assert found.exit_code == 2
    assert "--latest" in found.stderr
    assert run("outcomes", name, "--latest").exit_code == 0
    assert logged(project)["outcome"].to_pylist().index("Yes") == 53


@pytest.mark.parametrize(
    ("columns", "hint"),
    [
        ({"customer": ["c1", "c2"], "churned": ["Yes", "Perhaps"]}, "'Perhaps'"),
        ({"customer": ["c1", "nobody"], "churned": ["Yes", "Yes"]}, "nobody"),
        ({"prediction_id": ["x"], "outcome": ["Yes"]}, "does not hold"),
        ({"customer": ["c1"], "result": ["Yes"]}, "outcome or churned"),
        (
            {"person": ["c1"], "outcome": ["Yes"]},
            "prediction_id, or the contract's key in a column customer or key",
        ),
    ],
)
def test_a_file_with_a_fault_records_nothing(project, answered, columns, hint):
    found = run("outcomes", write(project, "t.csv", **columns))
    assert found.exit_code == 2
    assert hint in found.stderr
    assert logged(project)["outcome"].null_count == 50


def test_an_outcome_that_contradicts_a_known_one_is_exit_2(project, answered):
    run("outcomes", write(project, "t.csv", customer=["c3"], churned=["Yes"]))
    found = run("outcomes", write(project, "t.csv", customer=["c2", "c3"], churned=["Yes", "No"]))
    assert found.exit_code == 2
    assert logged(project)["outcome"].null_count == 49
