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
from setpoint.digest import sha256_file, sha256_files
from setpoint.errors import BundleError
from setpoint.facts.profile import Profile
from setpoint.facts.training import Feature, TrainingJob
from setpoint.training.convert import open_session
from setpoint.training.model import Form, Model, NativeModel, OnnxModel

MANIFEST = "manifest.json"
_MODEL_FILE = {"onnx": "model.onnx", "native": "model.pkl"}


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a bundle says of itself.

    Args:
        artifact: Digest over all files but this one.
        files: SHA-256 of each file by name.
        model: Name of the model.
        task: `binary`, `multiclass` or `regression`.
        classes: Class texts in the order of the codes. ONNX probabilities stand in this order; those of a native
            model stand in the order of its own `classes_`.
        runtime: `onnx` or `native`.
        behaviour: Digest of the answers on the probe rows.
        contract: Digest of the contract.
        created_by: Program and version that wrote it.
    """

    artifact: str
    files: dict[str, str]
    model: str
    task: str
    classes: tuple[str, ...]
    runtime: str
    behaviour: str
    contract: str
    created_by: str


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
    return _seal(folder, about)


def seal(folder: Path, profile: Profile | None = None) -> str:
    """Put a profile into a bundle, write its manifest anew, and return the artifact digest.

    Args:
        folder: A bundle that nobody has loaded yet.
        profile: Becomes `profile.json`; None leaves what is there.

    Raises:
        BundleError: There is no bundle.
    """
    about = read_manifest(folder)
    if profile is not None:
        (folder / "profile.json").write_bytes(msgspec.json.encode(profile))
    return _seal(folder, about)


def read_manifest(folder: Path) -> Manifest:
    """Return a bundle's manifest, unchecked.

    Raises:
        BundleError: There is none, or it is unreadable.
    """
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        msg = f"cannot read the manifest of the bundle {folder}: {error}"
        raise BundleError(msg) from error


def verify_bundle(folder: Path) -> Manifest:
    """Return a bundle's manifest after checking every file against it.

    Raises:
        BundleError: A file is missing, added or altered.
    """
    about = read_manifest(folder)
    found = _digests(folder)
    for name in sorted(set(found) | set(about.files)):
        if found.get(name) != about.files.get(name):
            msg = (
                f"the bundle {folder} is not as it was sealed: {name} was altered, added or removed"
            )
            raise BundleError(msg)
    if sha256_files(found) != about.artifact:
        msg = f"the bundle {folder} is not as it was sealed: the manifest was altered"
        raise BundleError(msg)
    return about


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
            Feature(name=column["name"], kind=column["kind"]) for column in request["columns"]
        ),
        classes=about.classes,
        threshold=request["threshold"],
    )
    data = (folder / _MODEL_FILE[about.runtime]).read_bytes()
    try:
        if about.runtime == "onnx":
            return OnnxModel(open_session(data), form)
        return NativeModel(pickle.loads(data), form)  # noqa: S301  its digest was checked
    except Exception as error:  # unpickling runs anything
        msg = f"the model of the bundle {folder} does not load: {type(error).__name__}: {error}"
        raise BundleError(msg) from error


def _seal(folder: Path, about: Manifest) -> str:
    files = _digests(folder)
    sealed = msgspec.structs.replace(about, files=files, artifact=sha256_files(files))
    text = msgspec.json.format(msgspec.json.encode(sealed), indent=2)
    (folder / MANIFEST).write_bytes(text)
    return sealed.artifact


def _digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = ((path.relative_to(folder).as_posix(), path) for path in files)
    return {name: sha256_file(path) for name, path in names if name != MANIFEST}


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
    }
