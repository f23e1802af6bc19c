"""Loads the versions that a deployment names: verified byte by byte, warmed up, ready to answer.

Rules:
1. The files that are hashed are the bytes that are loaded: nothing can change in between.
2. A pickle is code. It is loaded only where the deployment says `native` and the digest matches.
3. A version that cannot answer its warm-up rows is not ready.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from setpoint.digest import sha256_bytes, sha256_files, short
from setpoint.errors import BundleError
from setpoint.facts.deployment import Deployed
from setpoint.facts.evidence import Scores
from setpoint.gateway.limits import Limits, LimitsInForce
from setpoint.gateway.models.batching import Batcher
from setpoint.gateway.models.runtime import NativeLoader, OnnxRunner, Runner
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import Schema, read_schema
from setpoint.gateway.watching.metrics import Histogram

_MANIFEST = "manifest.json"
_MODEL_FILES = {"onnx": "model.onnx", "native": "model.pkl"}
_WARM_UP_ROWS = (1, 2, 1)  # the second shape and the return to the first allocate anew


@dataclass(frozen=True, slots=True)
class Version:
    """A loaded version.

    Args:
        number: Its number.
        text: Its number as text, as answers and metrics carry it.
        artifact: Digest over the bundle's files.
        runtime: `onnx` or `native`.
        schema: What its requests must be.
        batcher: Its model, for all requests of the process.
        secret: Returns what values are hashed with in the prediction log.
    """

    number: int
    text: str
    artifact: str
    runtime: str
    schema: Schema
    batcher: Batcher
    secret: Callable[[], bytes] = bytes


class Manifest(msgspec.Struct, frozen=True):
    """What a gateway reads of `manifest.json`."""

    artifact: str
    runtime: str = "onnx"
    files: dict[str, str] = {}
    version: int | None = None
    model: str = ""


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a bundle.

    Raises:
        BundleError: The folder is no bundle.
    """
    try:
        return msgspec.json.decode((folder / _MANIFEST).read_bytes(), type=Manifest)
    except OSError as error:
        msg = f"{folder} is not a bundle: {error}"
        raise BundleError(msg) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        msg = f"{folder / _MANIFEST} cannot be read: {error}"
        raise BundleError(msg) from error


def load_version(
    deployed: Deployed,
    base: Path,
    native: NativeLoader | None,
    executor: Executor,
    secret: Callable[[], bytes] = bytes,
    batches: Histogram | None = None,
    limits: LimitsInForce | None = None,
) -> Version:
    """Verify, load and warm up one version. Slow: never call it on an event loop.

    Args:
        deployed: The version, as the deployment names it.
        base: Folder that a relative bundle path starts from.
        native: Makes runners of pickles; None where this gateway loads none.
        executor: Where its model runs when that would hold up the event loop.
        secret: Returns what values are hashed with in the prediction log.
        batches: Counts the rows of its model's runs, by model and version; None where nobody asks.
        limits: How many rows may wait for its model, and for how long; None for what gateways have by default.

    Raises:
        BundleError: The bundle is missing, altered, may not be loaded here, or does not answer.
    """
    if "://" in deployed.bundle:
        msg = "it lies at an address; that is for gateways whose --deployment is an address, too"
        raise BundleError(msg)
    folder = base / deployed.bundle
    files = _read_files(folder)
    _require_artifact(folder, files, deployed)
    runner, schema = _load(files, deployed, native)
    _warm_up(runner, schema)
    text = str(deployed.version)
    limits = limits or LimitsInForce(Limits())
    batcher = Batcher(schema, runner, executor, limits=limits)
    if batches is not None:
        seen = batches.under((schema.document.model, text))
        batcher = Batcher(schema, runner, executor, seen, limits)
    return Version(
        number=deployed.version,
        text=text,
        artifact=deployed.artifact,
        runtime=deployed.runtime,
        schema=schema,
        batcher=batcher,
        secret=secret,
    )


def _read_files(folder: Path) -> dict[str, bytes]:
    """Return the bytes of every file of the bundle but its manifest, by path relative to the folder."""
    if not folder.is_dir():
        msg = f"the folder is not there: {folder}"
        raise BundleError(msg)
    try:
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path != folder / _MANIFEST
        }
    except OSError as error:
        msg = f"it cannot be read: {error}"
        raise BundleError(msg) from error


def _require_artifact(folder: Path, files: dict[str, bytes], deployed: Deployed) -> None:
    """Refuse a bundle whose files are not those that the deployment names; say which, where the manifest tells."""
    found = {name: sha256_bytes(content) for name, content in files.items()}
    if sha256_files(found) == deployed.artifact:
        return
    named = _named_files(folder)
    if sha256_files(named) != deployed.artifact:
        msg = (
            f"its {len(files)} files have artifact digest {short(sha256_files(found))}…, the deployment names "
            f"{short(deployed.artifact)}…: the bundle was altered, or is another one"
        )
        raise BundleError(msg)
    wrong = [
        f"{name} is missing"
        if name not in found
        else f"{name} does not have the digest of the deployment document"
        if name in named
        else f"{name} was added"
        for name in sorted(found.keys() | named.keys())
        if found.get(name) != named.get(name)
    ]
    msg = f"{', '.join(wrong)}: the bundle was altered"
    raise BundleError(msg)


def _named_files(folder: Path) -> dict[str, str]:
    """Return the digests that the manifest names, or none; to be believed where their digest is the deployment's."""
    try:
        return read_manifest(folder).files
    except BundleError:
        return {}


def _load(
    files: dict[str, bytes], deployed: Deployed, native: NativeLoader | None
) -> tuple[Runner, Schema]:
    """Return the runner and the schema of verified files."""
    name = _MODEL_FILES.get(deployed.runtime)
    if name is None:
        msg = f"runtime {deployed.runtime!r} is not one of {sorted(_MODEL_FILES)}"
        raise BundleError(msg)
    for needed in (name, "request.json"):
        if needed not in files:
            msg = f"it has no {needed}, which runtime {deployed.runtime!r} needs"
            raise BundleError(msg)
    schema = read_schema(files["request.json"])
    if deployed.runtime == "onnx":
        return OnnxRunner(files[name], schema.document), schema
    if native is None:
        msg = "it is a pickle, and this gateway loads none"
        raise BundleError(msg)
    return native(files[name], schema.document), schema


def _warm_up(runner: Runner, schema: Schema) -> None:
    """Let the model answer a plain row, and check the shape of what it says."""
    row = [_plain_value(rule) for rule in schema.document.columns]
    for rows in _WARM_UP_ROWS:
        columns = schema.check([[value] * rows for value in row])
        try:
            scores = runner.run(list(zip(*columns, strict=True)))
        except (
            Exception
        ) as error:  # the model is foreign code; whatever it raises means "not ready"
            msg = f"the model does not answer a plain row: {type(error).__name__}: {error}"
            raise BundleError(msg) from error
        found, expected = _shapes(scores, schema, rows)
        if found != expected:
            msg = f"the model answers an array of shape {found}, request.json says {expected}"
            raise BundleError(msg)


def _shapes(scores: Scores, schema: Schema, rows: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shape of the answers, and the one that the schema says."""
    if schema.document.task == "regression":
        return np.shape(scores.value), (rows,)
    if np.size(scores.label) and not np.size(scores.probability):
        return np.shape(scores.label), (rows,)
    return np.shape(scores.probability), (rows, len(schema.classes))


def _plain_value(rule: ColumnRule) -> Any:
    """Return a value that the rule allows."""
    if rule.values:
        return rule.values[0]
    if rule.kind in ("category", "text"):
        return "warm-up"
    if rule.kind == "bool":
        return False
    low = rule.min if rule.min is not None else min(0.0, rule.max if rule.max is not None else 0.0)
    return float(-(-low // 1)) if rule.kind == "int" else low
