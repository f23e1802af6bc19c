"""The laws of `setpoint.ports.registry`, on every adapter. An adapter is one entry of `REGISTRIES`."""

import json
import shutil

import msgspec
import numpy as np
import pytest

from setpoint.adapters.memory_registry import MemoryRegistry
from setpoint.adapters.mlflow_registry import MlflowRegistry
from setpoint.errors import RegistryError
from setpoint.facts.evidence import Evidence, Scores
from setpoint.facts.registration import Registration
from setpoint.facts.training import TrainingResult
from setpoint.facts.version import Lineage
from setpoint.training.evidence_file import write_evidence


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A store that was opened once, because MLflow takes seconds to make its tables."""
    file = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    MlflowRegistry(f"sqlite:///{file}")
    return file


def mlflow_registry(folder, store):
    shutil.copy(store, folder / "mlflow.db")
    return MlflowRegistry(f"sqlite:///{folder / 'mlflow.db'}", artifacts=folder / "mlartifacts")


REGISTRIES = {"memory": lambda _folder, _store: MemoryRegistry(), "mlflow": mlflow_registry}


@pytest.fixture(params=REGISTRIES)
def registry(request, tmp_path, empty_store):
    return REGISTRIES[request.param](tmp_path, empty_store)


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """The least that a finished job leaves; the model's bytes are never read here."""
    place = tmp_path_factory.mktemp("job")
    (place / "native").mkdir()
    (place / "bundle").mkdir()
    (place / "native" / "model.pkl").write_bytes(b"model")
    request = {
        "task": "regression",
        "classes": [],
        "positive": "",
        "threshold": 0.5,
        "columns": [
            {
                "name": "x",
                "kind": "float",
                "min": None,
                "max": None,
                "values": None,
                "nullable": True,
            }
        ],
    }
    (place / "bundle" / "request.json").write_text(json.dumps(request))
    none = np.empty(0, np.int64)
    scores = Scores(label=none, probability=np.empty((0, 0)), value=np.empty(0))
    evidence = Evidence(
        classes=(),
        truth_label=none,
        truth_value=np.empty(0),
        candidate=scores,
        champion=None,
        champion_unseen=np.empty(0, np.bool_),
        ordered=False,
    )
    write_evidence(evidence, place / "evidence.npz")
    return place


def attempt(name, *, register=True, model="churn"):
    return Registration(
        model=model,
        attempt=name,
        register=register,
        ruling="pass" if register else "fail",
        verdicts=(),
        result=TrainingResult(
            key="k", metrics={"f1": 0.5}, artifact="aa", behaviour="bb", runtime="onnx"
        ),
        params={"seed": "7"},
        lineage=Lineage(snapshot="ss", contract="cc"),
        contract_text="{}",
    )


def test_unknown_model_has_no_aliases(registry):
    assert registry.aliases("nobody") == {}


def test_versions_are_numbered_from_one(registry, folder):
    made = [registry.record(attempt(f"a{number}"), folder) for number in range(3)]
    assert [each.version for each in made] == [1, 2, 3]
    assert made[1].uri == "models:/churn/2"
    assert len({each.run for each in made}) == 3


def test_models_are_numbered_apart(registry, folder):
    assert registry.record(attempt("a"), folder).version == 1
    assert registry.record(attempt("a", model="fraud"), folder).version == 1
    registry.point("churn", "champion", 1)
    assert registry.aliases("fraud") == {}


def test_refused_attempt_is_a_run_without_version(registry, folder):
    made = registry.record(attempt("a", register=False), folder)
    assert made.version is None
    assert made.uri == f"runs:/{made.run}"
    assert registry.record(attempt("b"), folder).version == 1


def test_the_same_attempt_again_changes_nothing(registry, folder):
    first = registry.record(attempt("a"), folder)
    registry.record(attempt("b"), folder)
    assert registry.record(attempt("a"), folder) == first
    assert registry.record(attempt("c"), folder).version == 3


def test_refused_attempt_that_is_registered_later_keeps_its_run(registry, folder):
    refused = registry.record(attempt("a", register=False), folder)
    made = registry.record(attempt("a"), folder)
    assert (made.run, made.version) == (refused.run, 1)
    again = registry.record(attempt("a"), folder)
    assert again == made


def test_aliases_move_and_go(registry, folder):
    registry.record(attempt("a"), folder)
    registry.record(attempt("b"), folder)
    for _ in range(2):  # repeating is harmless
        registry.point("churn", "champion", 1)
        registry.point("churn", "challenger", 2)
        assert registry.aliases("churn") == {"champion": 1, "challenger": 2}
    for _ in range(2):
        registry.point("churn", "champion", 2)
        registry.point("churn", "challenger", None)
        assert registry.aliases("churn") == {"champion": 2}


def test_no_alias_for_a_version_that_is_not_there(registry, folder):
    registry.record(attempt("a"), folder)
    with pytest.raises(RegistryError, match="version 7"):
        registry.point("churn", "champion", 7)
    with pytest.raises(RegistryError, match="version 1"):
        registry.point("nobody", "champion", 1)
    assert registry.aliases("churn") == {}


def test_taking_an_alias_from_an_unknown_model_is_harmless(registry):
    registry.point("nobody", "champion", None)
    assert registry.aliases("nobody") == {}


def test_answers_are_facts(registry, folder):
    made = registry.record(attempt("a"), folder)
    assert msgspec.json.decode(msgspec.json.encode(made), type=type(made)) == made
