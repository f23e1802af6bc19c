"""The MLflow registry: what any MLflow client finds and loads, and a death after any call to MLflow."""

import json
import pickle
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient
from sklearn.ensemble import RandomForestClassifier

from setpoint.adapters.mlflow_registry import ATTEMPT, MlflowRegistry
from setpoint.errors import RegistryError
from setpoint.facts.evidence import Evidence, Scores
from setpoint.facts.profile import ColumnProfile, Profile
from setpoint.facts.registration import Registration
from setpoint.facts.training import TrainingResult
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import Lineage
from setpoint.training.evidence_file import write_evidence
from setpoint.training.preparation import prepared


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowRegistry(f"sqlite:///{file}")
    return file


@pytest.fixture
def store(tmp_path, empty_store):
    """A store in a folder whose name means something within a URL."""
    place = tmp_path / "a b#c é"
    place.mkdir()
    shutil.copy(empty_store, place / "mlflow.db")
    return place


@pytest.fixture
def uri(store):
    return f"sqlite:///{store / 'mlflow.db'}"


@pytest.fixture
def registry(uri, store):
    return MlflowRegistry(uri, artifacts=store / "mlartifacts")


COLUMNS = [
    {"name": "tenure", "kind": "int", "min": 0, "max": 9, "values": None, "nullable": False},
    {"name": "age", "kind": "int", "min": None, "max": None, "values": None, "nullable": True},
    {
        "name": "charges",
        "kind": "float",
        "min": None,
        "max": None,
        "values": None,
        "nullable": True,
    },
    {
        "name": "paperless",
        "kind": "bool",
        "min": None,
        "max": None,
        "values": None,
        "nullable": False,
    },
    {
        "name": "plan",
        "kind": "category",
        "min": None,
        "max": None,
        "values": None,
        "nullable": True,
    },
]


def rows(count, seed=0):
    chance = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "tenure": chance.integers(0, 10, count).astype(float),
            "age": chance.integers(18, 90, count).astype(float),
            "charges": chance.normal(size=count),
            "paperless": chance.integers(0, 2, count).astype(float),
            "plan": chance.choice(np.array(["monthly", "yearly", np.nan], object), count),
        }
    )
    frame.loc[::7, ["age", "charges"]] = np.nan
    frame["plan"] = frame["plan"].astype(object)
    return frame


@pytest.fixture(scope="session")
def job(tmp_path_factory):
    """Folder of a finished job with a forest, which skops would refuse, and its evidence."""
    place = tmp_path_factory.mktemp("job")
    frame = rows(400)
    labels = np.where(frame["charges"].fillna(0) > 0, "Yes", "No").astype(object)
    forest = RandomForestClassifier(n_estimators=5, random_state=0)
    pipeline = prepared(forest, frame).fit(frame, labels)
    (place / "native").mkdir()
    (place / "bundle").mkdir()
    (place / "native" / "model.pkl").write_bytes(pickle.dumps(pipeline))
    request = {
        "task": "binary",
        "classes": ["No", "Yes"],
        "positive": "Yes",
        "threshold": 0.3,
        "columns": COLUMNS,
    }
    (place / "bundle" / "request.json").write_text(json.dumps(request))
    (place / "bundle" / "model.onnx").write_bytes(b"onnx")
    columns = (
        ColumnProfile(name="tenure", kind="numeric", n=400, missing=0, edges=(0.0, 4.6, 9.0)),
        ColumnProfile(name="plan", kind="category", n=400, missing=0, values=("yearly", "monthly")),
    )
    profile = Profile(rows=400, columns=columns)
    (place / "bundle" / "profile.json").write_bytes(msgspec.json.encode(profile))
    probability = pipeline.predict_proba(frame)
    evidence = Evidence(
        classes=("No", "Yes"),
        truth_label=(labels == "Yes").astype(np.int64),
        truth_value=np.empty(0),
        candidate=Scores(
            label=probability.argmax(axis=1), probability=probability, value=np.empty(0)
        ),
        champion=None,
        champion_unseen=np.ones(400, np.bool_),
        ordered=False,
    )
    write_evidence(evidence, place / "evidence.npz")
    return place


def attempt(name="a1", *, register=True, **changes):
    registration = Registration(
        model="customer churn",
        attempt=name,
        register=register,
        ruling="pass" if register else "fail",
        verdicts=(Verdict(subject="f1 min 0.5", verdict="pass", observed=0.6, limit=0.5, n=400),),
        result=TrainingResult(
            key="job-key",
            metrics={"f1": 0.6, "recall (macro) @ 0.3": 0.5, "undefined": float("nan")},
            artifact="a" * 64,
            behaviour="b" * 64,
            runtime="onnx",
            importance={"charges": 0.3, "plan": 0.0},
        ),
        params={"estimator": "auto", "seed": "7", "long": "x" * 9000},
        lineage=Lineage(
            snapshot="s" * 64, contract="c" * 64, lock="l" * 64, commit="d" * 40, dirty=True
        ),
        contract_text='{"model":{"name":"customer churn"}}',
    )
    return msgspec.structs.replace(registration, **changes)


def test_run_says_where_it_came_from(registry, uri, job):
    made = registry.record(attempt(), job)
    client = MlflowClient(uri, uri)
    run = client.get_run(made.run)
    assert run.info.status == "FINISHED"
    assert client.get_experiment(run.info.experiment_id).name == "customer churn"
    expected = {
        "setpoint.attempt": "a1",
        "setpoint.artifact": "a" * 64,
        "setpoint.behaviour": "b" * 64,
        "setpoint.contract": "c" * 64,
        "setpoint.snapshot": "s" * 64,
        "setpoint.lock": "l" * 64,
        "setpoint.verdict": "pass",
        "setpoint.dirty": "true",
        "mlflow.source.git.commit": "d" * 40,
        "mlflow.runName": "a1",
    }
    assert expected.items() <= run.data.tags.items()
    assert run.data.metrics["f1"] == 0.6
    assert run.data.metrics["recall _macro_ _ 0.3"] == 0.5
    assert np.isnan(run.data.metrics["undefined"])
    assert run.data.params["seed"] == "7"
    assert len(run.data.params["long"]) == 6000
    version = client.get_model_version("customer churn", str(made.version))
    assert version.tags[ATTEMPT] == "a1"
    assert version.run_id == made.run


def test_more_params_than_one_call_takes(registry, uri, job):
    params = {f"p{number}": str(number) for number in range(250)}
    made = registry.record(attempt(params=params), job)
    assert MlflowClient(uri, uri).get_run(made.run).data.params == params


def test_run_keeps_verdicts_contract_and_charts(registry, uri, job, tmp_path):
    made = registry.record(attempt(), job)
    client = MlflowClient(uri, uri)
    names = {file.path for file in client.list_artifacts(made.run)}
    assert names == {"verdicts.json", "result.json", "contract.json", "roc.png", "importance.png"}
    place = client.download_artifacts(made.run, "verdicts.json", str(tmp_path))
    stored = msgspec.json.decode(Path(place).read_bytes(), type=tuple[Verdict, ...])
    assert stored == attempt().verdicts
    chart = Path(client.download_artifacts(made.run, "roc.png", str(tmp_path)))
    assert chart.read_bytes().startswith(b"\x89PNG")


CLIENT = textwrap.dedent(
    """
    import json, sys, warnings
    warnings.simplefilter("ignore")
    import mlflow, numpy as np, pandas as pd
    mlflow.set_tracking_uri(sys.argv[1])
    frame = pd.read_json(sys.argv[2], orient="table")
    typed = frame.astype({"tenure": np.int64, "paperless": bool})
    csv = pd.read_csv(sys.argv[4])  # whole numbers and booleans as pandas finds them
    gaps = csv.assign(tenure=csv["tenure"].where(csv["tenure"] < 9), paperless=csv["paperless"].astype(object))
    gaps.loc[::5, "paperless"] = None
    name = "customer churn"
    found = {}
    for uri in (f"models:/{name}/1", f"models:/{name}@champion", f"runs:/{sys.argv[3]}/model"):
        model = mlflow.pyfunc.load_model(uri)
        found[uri] = model.predict(typed).tolist()
    found["csv"] = model.predict(csv).tolist()
    found["first rows"] = model.predict(csv.head(3)[csv.columns[::-1]]).tolist()
    found["gaps"] = model.predict(gaps).tolist()
    native = mlflow.sklearn.load_model(f"models:/{name}/1")
    found["native gaps"] = native.predict(gaps.astype({"paperless": float})).tolist()
    found["native"] = native.predict(frame).tolist()
    found["example"] = model.predict(model.input_example).tolist()
    found["types"] = {column.name: str(column.type) for column in model.metadata.signature.inputs}
    found["outputs"] = model.metadata.signature.outputs.to_dict()
    found["row"] = model.input_example.iloc[0].to_dict()
    found["metadata"] = model.metadata.metadata["setpoint"]
    found["requirements"] = open(mlflow.pyfunc.get_model_dependencies(f"models:/{name}/1")).read()
    print(json.dumps(found, default=str))
    """
)


def test_any_client_loads_the_model_and_gets_the_same_answers(registry, uri, job, tmp_path):
    made = registry.record(attempt(), job)
    registry.point("customer churn", "champion", 1)
    frame = rows(50, seed=1)
    frame.to_json(tmp_path / "rows.json", orient="table", index=False)
    as_found = frame.astype({"tenure": int, "paperless": bool, "age": "Int64"})
    as_found.to_csv(tmp_path / "rows.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-c", CLIENT, uri, "rows.json", made.run, "rows.csv"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    own = pickle.loads((job / "native" / "model.pkl").read_bytes())  # noqa: S301  made above
    expected = own.predict(frame).tolist()
    answers = [found.pop("models:/customer churn/1"), found.pop("models:/customer churn@champion")]
    answers += [found.pop(f"runs:/{made.run}/model"), found.pop("native")]
    assert answers == [expected] * 4
    assert found["csv"] == expected
    assert found["first rows"] == expected[:3]
    assert found["gaps"] == found["native gaps"]
    assert len(set(expected)) == 2
    assert found["example"][0] in {"Yes", "No"}
    assert found["types"] == {
        "tenure": "Any",
        "age": "Any",
        "charges": "Any",
        "paperless": "Any",
        "plan": "DataType.string",
    }
    assert found["outputs"][0]["type"] == "string"
    assert (found["row"]["tenure"], found["row"]["plan"]) == (5, "yearly")
    assert found["metadata"]["threshold"] == 0.3
    assert "scikit-learn==" in found["requirements"]


def test_own_code_lists_every_installed_package(registry, uri, job, tmp_path):
    params = {"estimator": "my_package.model:fit"}
    made = registry.record(attempt(params=params), job)
    model = MlflowClient(uri, uri).get_run(made.run).outputs.model_outputs[0].model_id
    place = MlflowClient(uri, uri).get_logged_model(model).artifact_location
    file = Path(place, "requirements.txt")
    assert {"pytest", "msgspec"} <= {line.split("==")[0] for line in file.read_text().splitlines()}


class DyingClient:
    """An MLflow client whose process dies just before or just after its n-th call."""

    def __init__(self, client, dies_at, *, after):
        self._client = client
        self._left = dies_at
        self._after = after

    def __getattr__(self, name):
        method = getattr(self._client, name)

        def call(*arguments, **named):
            self._left -= 1
            if self._left == 0 and not self._after:
                raise KeyboardInterrupt
            result = method(*arguments, **named)
            if self._left == 0:
                raise KeyboardInterrupt
            return result

        return call


@pytest.mark.parametrize("after", [False, True])
def test_death_at_any_call_is_completed_never_doubled(registry, uri, job, after):
    client = registry._client
    died = True
    point = 0
    while died:
        point += 1
        name = f"a{point}"
        registry._client = DyingClient(client, point, after=after)
        died = False
        try:
            registry.record(attempt(name), job)
        except KeyboardInterrupt:
            died = True
        registry._client = client
        made = registry.record(attempt(name), job)
        assert made == registry.record(attempt(name), job)
        _require_whole_and_single(client, name, made)
    assert point > 10, "fewer calls than a record needs: nothing was killed"
    versions = client.search_model_versions("name = 'customer churn'")
    assert sorted(int(version.version) for version in versions) == list(range(1, point + 1))


def _require_whole_and_single(client, name, made):
    wanted = f"tags.`{ATTEMPT}` = '{name}'"
    experiment = client.get_experiment_by_name("customer churn").experiment_id
    assert len(client.search_runs([experiment], wanted)) == 1
    assert len(client.search_logged_models([experiment], wanted)) == 1
    versions = client.search_model_versions("name = 'customer churn'")
    assert [version.tags[ATTEMPT] for version in versions].count(name) == 1
    run = client.get_run(made.run)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["f1"] == 0.6
    assert len(run.outputs.model_outputs) == 1
    assert len(client.get_metric_history(made.run, "f1")) == 1
    assert "roc.png" in {file.path for file in client.list_artifacts(made.run)}


def test_death_while_an_alias_moves(registry, job):
    for number in range(2):
        registry.record(attempt(f"a{number}"), job)
    registry.point("customer churn", "champion", 1)
    client = registry._client
    for point in range(1, 9):
        for target in (2, 1):
            registry._client = DyingClient(client, point, after=True)
            try:
                registry.point("customer churn", "champion", target)
            except KeyboardInterrupt:
                registry._client = client
                registry.point("customer churn", "champion", target)
            registry._client = client
            assert registry.aliases("customer churn") == {"champion": target}
            stages = {
                number: client.get_model_version("customer churn", str(number)).tags["stage"]
                for number in (1, 2)
            }
            assert stages == {target: "Production", 3 - target: "Archived"}


def test_stage_tags_follow_the_aliases(registry, job):
    for number in range(3):
        registry.record(attempt(f"a{number}"), job)

    def stages():
        versions = registry._client.search_model_versions("name = 'customer churn'")
        return {int(version.version): version.tags.get("stage") for version in versions}

    registry.point("customer churn", "champion", 1)
    registry.point("customer churn", "challenger", 2)
    assert stages() == {1: "Production", 2: "Staging", 3: None}
    registry.point("customer churn", "champion", 2)
    assert stages() == {1: "Archived", 2: "Production", 3: None}
    registry.point("customer churn", "challenger", None)
    assert stages() == {1: "Archived", 2: "Production", 3: None}
    registry.point("customer churn", "champion", None)
    assert stages()[2] == "Archived"


def test_refused_attempt_keeps_its_numbers_but_no_model(registry, uri, job):
    made = registry.record(attempt(register=False), job)
    client = MlflowClient(uri, uri)
    run = client.get_run(made.run)
    assert run.data.tags["setpoint.verdict"] == "fail"
    assert run.data.metrics["f1"] == 0.6
    assert not run.outputs or not run.outputs.model_outputs
    assert client.search_registered_models() == []


def test_accepted_later_says_so(registry, uri, job):
    registry.record(attempt(register=False), job)
    made = registry.record(attempt(), job)
    assert made.version == 1
    assert MlflowClient(uri, uri).get_run(made.run).data.tags["setpoint.verdict"] == "pass"


def test_deleted_experiment_is_named(registry, uri, job):
    registry.record(attempt(), job)
    client = MlflowClient(uri, uri)
    client.delete_experiment(client.get_experiment_by_name("customer churn").experiment_id)
    with pytest.raises(RegistryError, match="was deleted"):
        registry.record(attempt("a2"), job)


@pytest.mark.parametrize("missing", ["native/model.pkl", "bundle/request.json", "evidence.npz"])
def test_altered_job_folder_is_an_error_and_no_version(registry, uri, job, tmp_path, missing):
    shutil.copytree(job, tmp_path / "job")
    (tmp_path / "job" / missing).unlink()
    with pytest.raises(RegistryError, match=missing.split("/")[-1]):
        registry.record(attempt(), tmp_path / "job")
    assert MlflowClient(uri, uri).search_registered_models() == []


def test_quotation_marks_in_an_attempt_are_refused(registry, job):
    with pytest.raises(RegistryError, match="quotation"):
        registry.record(attempt("a' OR 'x"), job)


def test_damaged_store_is_a_registry_error(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RegistryError, match="not a database"):
        MlflowRegistry(f"sqlite:///{tmp_path / 'mlflow.db'}")


def test_password_is_not_in_errors():
    registry = MlflowRegistry("http://user:hunter2@127.0.0.1:9")
    assert "hunter2" not in registry._name
    assert "127.0.0.1:9" in registry._name
