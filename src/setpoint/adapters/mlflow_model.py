"""A finished training job as an MLflow model folder, which any MLflow client loads.

The folder is written here, and not by `mlflow.sklearn.log_model`, for two reasons. That function needs the model
itself, so that this process would import scikit-learn and unpickle; and it finds out the requirements by loading the
model in another process, which takes seconds. The format is MLflow's own:

```
MLmodel                    flavors `python_function` and `sklearn`, signature, where the example lies
model.pkl                  the pipeline, as the training job pickled it
conda.yaml, python_env.yaml, requirements.txt
input_example.json, serving_input_example.json
bundle/                    what Setpoint's gateways load
```

Serialisation is `cloudpickle`, because every MLflow version since 1.0 reads it. The default of today, skops, needs a
package that most clients lack and refuses forests and custom code unless each type is listed. A pickle runs code when
it is loaded: load only models of a registry that you trust.
"""

import json
import math
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from mlflow.models import Model, ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import AnyType

from setpoint.adapters.package_lock import installed_packages
from setpoint.errors import RegistryError
from setpoint.facts.profile import ColumnProfile, Profile
from setpoint.facts.registration import Registration

_CORE = ("cloudpickle", "mlflow-skinny", "numpy", "pandas", "scikit-learn", "scipy")
_NUMERIC = frozenset({"int", "float", "bool"})


def write_model(target: Path, job: Path, registration: Registration, model_id: str) -> None:
    """Write the MLflow model of a finished job into the empty folder `target`.

    Large files are links to the job's own, so `target` must be copied before the job's folder goes away.

    Args:
        target: An empty folder.
        job: Folder of the finished training job.
        registration: What is being logged.
        model_id: MLflow's id of the logged model.

    Raises:
        RegistryError: The job's folder lacks a file.
    """
    request = _read_json(job / "bundle" / "request.json")
    columns = request["columns"]
    model = Model(model_uuid=model_id, model_id=model_id)
    model.signature = ModelSignature(
        inputs=Schema([ColSpec(_type(column), column["name"]) for column in columns]),
        outputs=_outputs(request),
    )
    # MLflow's clients answer with the pipeline's own `predict`; the contract's threshold travels beside it.
    model.metadata = {
        "setpoint": {
            "artifact": registration.result.artifact,
            "contract": registration.lineage.contract,
            "classes": request["classes"],
            "positive": request["positive"],
            "threshold": request["threshold"],
        }
    }
    _link(job / "native" / "model.pkl", target / "model.pkl")
    for file in sorted(path for path in (job / "bundle").rglob("*") if path.is_file()):
        _link(file, target / "bundle" / file.relative_to(job / "bundle"))
    _write_example(target, model, columns, job / "bundle" / "profile.json")
    _write_environment(target, registration.params.get("estimator", "auto"))
    model.add_flavor(
        "python_function",
        loader_module="mlflow.sklearn",
        model_path="model.pkl",
        python_version=platform.python_version(),
        env={"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        predict_fn="predict",
    )
    model.add_flavor(
        "sklearn",
        pickled_model="model.pkl",
        sklearn_version=version("scikit-learn"),
        serialization_format="cloudpickle",
        code=None,
    )
    model.model_size_bytes = sum(
        path.stat().st_size for path in target.rglob("*") if path.is_file()
    )
    model.save(str(target / "MLmodel"))


def _type(column: dict[str, Any]) -> DataType | AnyType:
    """Return MLflow's type of a column: text is a string, and numbers are `any`.

    MLflow takes a long for no double, nor a double for a long, nor either for a boolean. What pandas makes of a column
    depends on the rows at hand: whole numbers are int64 until one is missing, then float64; booleans become objects.
    To the pipeline all of them are the same numbers.
    """
    return AnyType() if column["kind"] in _NUMERIC else DataType.string


def _outputs(request: dict[str, Any]) -> Schema | None:
    """Return the type of the answers, or None where the class texts do not tell it: `1` may be a number or a text."""
    if request["task"] == "regression":
        return Schema([ColSpec(DataType.double)])
    texts = request["classes"]
    if any(text in {"true", "false"} or text.lstrip("-").isdecimal() for text in texts):
        return None
    return Schema([ColSpec(DataType.string)])


def _write_example(target: Path, model: Model, columns: list[Any], profile: Path) -> None:
    """Write one made-up row: medians and commonest values, never a customer's own row."""
    known: dict[str, ColumnProfile] = {}
    if profile.exists():
        stored = msgspec.json.decode(profile.read_bytes(), type=Profile)
        known = {column.name: column for column in stored.columns}
    names = [column["name"] for column in columns]
    row = [_typical(column, known.get(column["name"])) for column in columns]
    split = {"columns": names, "data": [row]}
    (target / "input_example.json").write_text(json.dumps(split))
    (target / "serving_input_example.json").write_text(json.dumps({"dataframe_split": split}))
    model.saved_input_example_info = {
        "artifact_path": "input_example.json",
        "pandas_orient": "split",
        "serving_input_path": "serving_input_example.json",
        "type": "dataframe",
    }


def _typical(column: dict[str, Any], profile: ColumnProfile | None) -> Any:
    """Return a value that the column may well have."""
    if column["kind"] not in _NUMERIC:
        usual = (profile.values if profile else ()) or column["values"] or ("",)
        return usual[0]
    middle = column["min"] if column["min"] is not None else 0.0
    if profile and profile.edges:
        middle = profile.edges[len(profile.edges) // 2]
    middle = middle if math.isfinite(middle) else 0.0
    if column["kind"] == "bool":
        return bool(round(middle))
    return round(middle) if column["kind"] == "int" else float(middle)


def _write_environment(target: Path, estimator: str) -> None:
    """Write what a client needs to install, as pinned requirements, a conda file and MLflow's own form.

    Code of the project's own may import anything that is installed, so then everything is listed.
    """
    if estimator == "auto" or estimator.startswith("sklearn."):
        packages = tuple(f"{name}=={version(name)}" for name in _CORE)
    else:
        packages = installed_packages()
    python = platform.python_version()
    conda = ["name: mlflow-env", "channels:", "- conda-forge", "dependencies:"]
    conda += [f"- python={python}", "- pip", "- pip:", *(f"  - {package}" for package in packages)]
    environment = [f"python: {python}", "build_dependencies:", "- pip", "- setuptools", "- wheel"]
    environment += ["dependencies:", "- -r requirements.txt"]
    for name, lines in (
        ("requirements.txt", packages),
        ("conda.yaml", conda),
        ("python_env.yaml", environment),
    ):
        (target / name).write_text("\n".join(lines) + "\n")


def _link(source: Path, target: Path) -> None:
    if not source.exists():
        msg = f"the training job left no {source}; its folder was altered, train again"
        raise RegistryError(msg)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source.resolve())


def _read_json(path: Path) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError) as error:
        msg = f"cannot read {path} of the training job: {error}; train again"
        raise RegistryError(msg) from error
