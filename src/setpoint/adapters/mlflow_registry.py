"""The registry in MLflow: a run for each attempt, a model version for each that passed, aliases and stage tags.

Invariants: everything of an attempt carries its id in the tag `setpoint.attempt` from the call that creates it, and is
looked for by that tag before it is created; so a pass that died after any call is completed by the next, never doubled.
(Two passes that record the *same* attempt at the same instant could both create; the journal lets only one win, and the
other's run is found and shared from then on.) Stage tags are set before the alias moves, so that an alias that has
moved implies tags that are right.
"""

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from re import compile as regex
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import msgspec
from mlflow import MlflowClient
from mlflow.entities import (
    Experiment,
    LoggedModel,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunTag,
)
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from setpoint.adapters.mlflow_model import write_model
from setpoint.adapters.mlflow_store import make_store
from setpoint.adapters.run_charts import run_charts
from setpoint.errors import DataError, RegistryError
from setpoint.facts.registration import Registered, Registration
from setpoint.training.evidence_file import read_evidence

ATTEMPT = "setpoint.attempt"
_VERDICT = "setpoint.verdict"
_STAGE = "stage"  # the tag that clients from before aliases look at
_STAGES = {"champion": "Production", "challenger": "Staging"}
_RETIRED = "Archived"
_MODEL = "model"  # name of the model within its run: `runs:/RUN/model`
_ABSENT = "RESOURCE_DOES_NOT_EXIST"
_EXISTS = "RESOURCE_ALREADY_EXISTS"
_FINISHED = "FINISHED"
_BATCH = 100  # params, and tags, that one call of MLflow's takes
_LONGEST_PARAM = 6000  # characters
_NOT_IN_KEYS = regex(r"[^\w\-. :/]")


class MlflowRegistry:
    """Runs, versions and aliases in an MLflow tracking store or server. Opening an empty SQLite store creates it.

    Args:
        tracking_uri: MLflow's tracking URI, such as `sqlite:///FILE` or `http://HOST:5000`.
        artifacts: Folder for artifacts of experiments that are created; None leaves it to the server.

    Raises:
        RegistryError: The store cannot be opened.
    """

    def __init__(self, tracking_uri: str, *, artifacts: Path | None = None) -> None:
        # MLflow tells how it migrates its tables and what it registers; the ledger and our own output say it.
        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        self._uri = tracking_uri
        self._artifacts = artifacts
        with self._translated("open"):
            if tracking_uri.startswith("sqlite:///") and (file := make_url(tracking_uri).database):
                make_store(Path(file), artifacts)
            self._client = MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)

    def record(self, registration: Registration, folder: Path) -> Registered:
        """Log a finished attempt as a run, and as a version where the gates passed; see `setpoint.ports.registry`."""
        with self._translated(f"record attempt {registration.attempt} in"):
            experiment = self._experiment(registration.model)
            run = self._run(experiment.experiment_id, registration)
            model = self._model(run, registration, folder) if registration.register else None
            said = run.data.tags.get(_VERDICT)
            if run.info.status != _FINISHED or said != registration.ruling:
                self._log(run, registration, folder, model)
                self._client.set_terminated(run.info.run_id, _FINISHED)
            run_id = run.info.run_id
            if model is None:
                return Registered(run=run_id, version=None, uri=f"runs:/{run_id}")
            version = self._version(run_id, model, registration)
            return Registered(
                run=run_id, version=version, uri=f"models:/{registration.model}/{version}"
            )

    def aliases(self, model: str) -> dict[str, int]:
        """Return version by alias; empty for a model that the registry does not know.

        Raises:
            RegistryError: The registry cannot be reached.
        """
        with self._translated(f"read the aliases of {model} in"):
            try:
                found: Mapping[str, str] = self._client.get_registered_model(model).aliases
            except MlflowException as error:
                if error.error_code == _ABSENT:
                    return {}
                raise
            return {alias: int(version) for alias, version in found.items()}

    def point(self, model: str, alias: str, version: int | None) -> None:
        """Make `alias` name `version`, or nothing; the version's `stage` tag follows. Repeating it is harmless.

        Raises:
            RegistryError: There is no such version, or the registry cannot be reached.
        """
        before = self.aliases(model)
        after = {name: number for name, number in before.items() if name != alias}
        if version is not None:
            after[alias] = version
        with self._translated(f"point {alias} of {model} to version {version} in"):
            for number in sorted({before.get(alias), version} - {None}, key=str):
                self._tag_stage(model, str(number), _stage(after, number))
            if version is not None:
                self._client.set_registered_model_alias(model, alias, str(version))
            elif alias in before:
                self._client.delete_registered_model_alias(model, alias)

    def _tag_stage(self, model: str, version: str, stage: str) -> None:
        found = self._client.get_model_version(model, version)
        if found.tags.get(_STAGE) != stage:
            self._client.set_model_version_tag(model, version, _STAGE, stage)

    def _experiment(self, model: str) -> Experiment:
        """Return the experiment with the model's name, made where there is none."""
        found = self._client.get_experiment_by_name(model)
        if found is None:
            # A plain path, because MLflow decodes a `file:` URI sometimes once and sometimes twice.
            place = self._artifacts and str((self._artifacts / _as_folder(model)).resolve())
            try:
                self._client.create_experiment(model, artifact_location=place)
            except MlflowException as error:
                if error.error_code != _EXISTS:  # somebody else was quicker
                    raise
            found = self._client.get_experiment_by_name(model)
        if found.lifecycle_stage != "active":
            msg = f"the experiment {model!r} was deleted in {self._name}; restore it, or rename the model"
            raise RegistryError(msg)
        return found

    def _run(self, experiment: str, registration: Registration) -> Run:
        """Return the attempt's run, made where there is none."""
        wanted = _by_attempt(registration.attempt)
        found = self._client.search_runs([experiment], wanted, max_results=1)
        if found:
            return found[0]
        return self._client.create_run(
            experiment, tags=_tags(registration), run_name=registration.attempt
        )

    def _model(self, run: Run, registration: Registration, folder: Path) -> LoggedModel:
        """Return the attempt's logged model with all its files, made where it is missing or half there."""
        wanted = _by_attempt(registration.attempt)
        found = self._client.search_logged_models([run.info.experiment_id], wanted, max_results=1)
        model = next(iter(found), None) or self._client.create_logged_model(
            run.info.experiment_id,
            name=_MODEL,
            source_run_id=run.info.run_id,
            tags={ATTEMPT: registration.attempt},
            params=dict(_params(registration)),
            model_type="setpoint",
        )
        if model.status != LoggedModelStatus.READY:
            with TemporaryDirectory(prefix="setpoint-model-") as place:
                write_model(Path(place), folder, registration, model.model_id)
                self._client.log_model_artifacts(model.model_id, place)
            model = self._client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
        known = run.outputs.model_outputs if run.outputs else []
        if model.model_id not in {output.model_id for output in known}:
            self._client.log_outputs(run.info.run_id, [LoggedModelOutput(model.model_id, 0)])
        return model

    def _log(
        self, run: Run, registration: Registration, folder: Path, model: LoggedModel | None
    ) -> None:
        """Log files, parameters, then numbers and tags, which say that the rest is there; again changes nothing."""
        with TemporaryDirectory(prefix="setpoint-run-") as place:
            _write_files(Path(place), registration, folder)
            self._client.log_artifacts(run.info.run_id, place)
        stamp = run.info.start_time  # the run's own, so that logging again is the same metric
        model_id = model.model_id if model else None
        metrics = [
            Metric(_key(name), value, stamp, 0, model_id=model_id)
            for name, value in registration.result.metrics.items()
        ]
        params = [Param(name, value) for name, value in _params(registration)]
        tags = [RunTag(name, value) for name, value in _tags(registration).items()]
        for start in range(_BATCH, len(params), _BATCH):
            self._client.log_batch(run.info.run_id, params=params[start : start + _BATCH])
        self._client.log_batch(run.info.run_id, metrics=metrics, params=params[:_BATCH], tags=tags)

    def _version(self, run_id: str, logged: LoggedModel, registration: Registration) -> int:
        """Return the number of the attempt's version, made where there is none."""
        model = registration.model
        found = [
            version
            for version in self._client.search_model_versions(f"run_id = '{run_id}'")
            if version.name == model and version.tags.get(ATTEMPT) == registration.attempt
        ]
        if found:
            return min(int(version.version) for version in found)
        try:
            self._client.create_registered_model(model)
        except MlflowException as error:
            if error.error_code != _EXISTS:
                raise
        tags = {name: value for name, value in _tags(registration).items() if "." in name}
        # A server finds `models:/ID` in its own store. Without one, MLflow would look in the process-wide store.
        is_server = self._uri.startswith(("http:", "https:"))
        source = f"models:/{logged.model_id}" if is_server else logged.artifact_location
        made = self._client.create_model_version(
            model, source, run_id, tags=tags, model_id=logged.model_id
        )
        return int(made.version)

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        """Turn the registry's errors into ours, and keep its warnings about itself from people."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                warnings.simplefilter("ignore", FutureWarning)
                yield
        except (MlflowException, SQLAlchemyError, OSError, DataError) as error:
            said = str(error).strip().split("\n")[0]
            msg = f"cannot {what} {self._name}: {said}"
            raise RegistryError(msg) from error

    @property
    def _name(self) -> str:
        """The registry as people know it, without a password."""
        parts = urlsplit(self._uri)
        if parts.password is None:
            return self._uri
        place = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=f"{parts.username}:***@{place}").geturl()


def _stage(aliases: Mapping[str, int], version: int | None) -> str:
    """Return the stage that follows from the aliases: the champion's wins."""
    names = {alias for alias, number in aliases.items() if number == version}
    return next((stage for alias, stage in _STAGES.items() if alias in names), _RETIRED)


def _by_attempt(attempt: str) -> str:
    if "'" in attempt or '"' in attempt:
        msg = f"an attempt's id has no quotation marks: {attempt!r}"
        raise RegistryError(msg)
    return f"tags.`{ATTEMPT}` = '{attempt}'"


def _tags(registration: Registration) -> dict[str, str]:
    lineage, result = registration.lineage, registration.result
    tags = {
        ATTEMPT: registration.attempt,
        "setpoint.artifact": result.artifact,
        "setpoint.behaviour": result.behaviour,
        "setpoint.runtime": result.runtime,
        "setpoint.contract": lineage.contract,
        "setpoint.snapshot": lineage.snapshot,
        "setpoint.lock": lineage.lock,
        _VERDICT: registration.ruling,
        "setpoint.job": result.key,
        "mlflow.source.name": "setpoint",
        "mlflow.source.type": "JOB",
    }
    if lineage.commit:
        tags["mlflow.source.git.commit"] = lineage.commit
    if lineage.dirty is not None:
        tags["setpoint.dirty"] = "true" if lineage.dirty else "false"
    return {name: value for name, value in tags.items() if value}


def _params(registration: Registration) -> list[tuple[str, str]]:
    return [(_key(name), value[:_LONGEST_PARAM]) for name, value in registration.params.items()]


def _key(name: str) -> str:
    """Return a name with only the characters that MLflow takes."""
    return _NOT_IN_KEYS.sub("_", name)


def _as_folder(model: str) -> str:
    return regex(r"[^\w\-.]").sub("_", model)


def _write_files(place: Path, registration: Registration, folder: Path) -> None:
    """Write what belongs to the run beside its numbers: verdicts, result, contract, charts."""
    verdicts = msgspec.json.encode(registration.verdicts)
    (place / "verdicts.json").write_bytes(msgspec.json.format(verdicts, indent=2))
    result = msgspec.json.encode(registration.result)
    (place / "result.json").write_bytes(msgspec.json.format(result, indent=2))
    (place / "contract.json").write_text(registration.contract_text)
    charts = run_charts(read_evidence(folder / "evidence.npz"), registration.result.importance)
    for name, image in charts.items():
        (place / name).write_bytes(image)
