"""The bundle: the folder that gateways load, and nothing that is not named in its manifest.

```
manifest.json   names every other file with its SHA-256; the artifact digest is over these
model.onnx      or model.pkl
request.json    the contract compiled for the gateway
profile.json    the reference profile, where there is one
```
"""

import pickle
from pathlib import Path
from typing import Any

import msgspec

from setpoint import __version__
from setpoint.errors import BundleError
from setpoint.facts.log_rule import KEEP
from setpoint.facts.training import Feature, TrainingJob
from setpoint.training.conversion.session import open_session
from setpoint.training.manifest import Manifest, sealed, verify_bundle
from setpoint.training.model import Form, Model, NativeModel, OnnxModel

_MODEL_FILE = {"onnx": "model.onnx", "native": "model.pkl"}


def write_bundle(
    folder: Path, job: TrainingJob, form: Form, *, runtime: str, data: bytes, behaviour: str
) -> str:
    """Write a bundle into a new folder and return its artifact digest.

    Args:
        folder: The folder to make.
        job: The job that made the model.
        form: The model's form.
        runtime: `onnx` or `native`.
        data: Bytes of the ONNX model or of the pickled one.
        behaviour: Digest of the answers on the probe rows.
    """
    folder.mkdir(parents=True)
    (folder / _MODEL_FILE[runtime]).write_bytes(data)
    request = msgspec.json.format(msgspec.json.encode(_request(job, form)), indent=2)
    (folder / "request.json").write_bytes(request)
    about = Manifest(
        artifact="",
        files={},
        model=job.model,
        task=form.task,
        classes=form.classes,
        runtime=runtime,
        behaviour=behaviour,
        contract=job.contract,
        created_by=f"setpoint {__version__}",
    )
    return sealed(folder, about)


def open_bundle(folder: Path) -> Model:
    """Return the model of a bundle, ready to answer. A native one is unpickled: open only what you have sealed.

    Raises:
        BundleError: The bundle is missing, altered or cannot be loaded.
    """
    about = verify_bundle(folder)
    request = msgspec.json.decode((folder / "request.json").read_bytes())
    form = Form(
        task=about.task,
        features=tuple(
            Feature(
                name=column["name"],
                kind=column["kind"],
                low=column["min"],
                high=column["max"],
                values=None if column["values"] is None else tuple(column["values"]),
                nullable=column["nullable"],
                log=column.get("log", KEEP),
            )
            for column in request["columns"]
        ),
        classes=about.classes,
        threshold=request["threshold"],
        together=request.get("together", 1),
    )
    data = (folder / _MODEL_FILE[about.runtime]).read_bytes()
    try:
        if about.runtime == "onnx":
            return OnnxModel(open_session(data), form)
        return NativeModel(pickle.loads(data), form)  # noqa: S301  its digest was checked
    except Exception as error:  # unpickling runs anything
        msg = f"the model of the bundle {folder} does not load: {type(error).__name__}: {error}"
        raise BundleError(msg) from error


def _request(job: TrainingJob, form: Form) -> dict[str, Any]:
    return {
        "model": job.model,
        "task": form.task,
        "classes": form.classes,
        "positive": form.classes[1] if form.task == "binary" else "",
        "threshold": form.threshold,
        "contract": job.contract,
        "columns": [_column(feature) for feature in form.features],
        "key": job.key_column,
        "key_log": job.key_log,
        "together": form.together,
    }


def _column(feature: Feature) -> dict[str, Any]:
    return {
        "name": feature.name,
        "kind": feature.kind,
        "min": feature.low,
        "max": feature.high,
        "values": feature.values,
        "nullable": feature.nullable,
        "unseen": "accept" if feature.values is None else "refuse",
        "log": feature.log,
    }
