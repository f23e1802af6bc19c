"""The whole job: fit, answer, compare, measure, write. From a table and a recipe to a folder of results."""

import pickle
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from setpoint.errors import MeasurementError, TrainingError
from setpoint.facts.evidence import Evidence, Perturbation, Scores
from setpoint.facts.training import TrainingJob, TrainingResult
from setpoint.training.baselines import majority, mean, no_change_labels, no_change_values
from setpoint.training.bundle import write_bundle
from setpoint.training.conversion.convert import convert
from setpoint.training.estimators import fitted
from setpoint.training.evidence_file import write_evidence
from setpoint.training.importance import importance_of
from setpoint.training.latency import latencies
from setpoint.training.measure import entity_codes, kept_column, metrics_of, with_classes
from setpoint.training.model import Form, Model, NativeModel, score
from setpoint.training.perturbations import perturbed
from setpoint.training.probe import behaviour_of, probe_rows
from setpoint.training.result_file import BUNDLE, EVIDENCE, NATIVE, write_result
from setpoint.training.rows import Rows, rows_of
from setpoint.training.threads import limited_threads
from setpoint.training.together import settled

_ALONE_ONNX = (
    400  # rows that a candidate is asked about alone; a native one takes a hundred times as long
)
_ALONE_NATIVE = 24


@dataclass(frozen=True)
class Fit:
    """A fitted candidate with its answers on the test rows, and what that took."""

    model: NativeModel
    pickled: bytes
    answers: Scores
    fit_seconds: float
    predict_seconds: float


@dataclass(frozen=True)
class Candidate:
    """The candidate as its bundle answers: what is measured is what is candidate."""

    model: Model
    answers: Scores
    runtime: str
    reason: str
    data: bytes


def train(
    job: TrainingJob,
    table: pa.Table,
    positions: Mapping[str, npt.NDArray[Any]],
    folder: Path,
    *,
    champion: Model | None = None,
    threads: int = 1,
    stopwatch: Callable[[], float],
) -> TrainingResult:
    """Fit and measure one candidate and write everything into a folder.

    Args:
        job: What to do.
        table: The stored table.
        positions: `fit`, `validation`, `test` (int64) and `champion_unseen` (bool), positions of the table.
        folder: An empty folder.
        champion: The champion's model, to answer the same rows.
        threads: Threads that a large job may take.
        stopwatch: Returns seconds on a clock that never jumps.

    Raises:
        TrainingError: The estimator cannot be had, or its answers are nonsense.
        DataError: The rows are not what the task needs.
    """
    rows = rows_of(job, table, positions)
    with limited_threads(len(rows.fit), len(job.recipe.features), threads):
        return _trained(job, table, rows, folder, champion, stopwatch)


def _trained(
    job: TrainingJob,
    table: pa.Table,
    rows: Rows,
    folder: Path,
    champion: Model | None,
    stopwatch: Callable[[], float],
) -> TrainingResult:
    fit = _fit(job, rows, folder, stopwatch)
    candidate = _candidate(job, rows, fit)
    evidence = _evidence(job, rows, candidate, champion, stopwatch)
    probes = probe_rows(rows.fit, job.recipe.seed)
    form = candidate.model.form
    behaviour = behaviour_of(score(candidate.model, table.take(pa.array(probes))), form.classes)
    artifact = write_bundle(
        folder / BUNDLE,
        job,
        form,
        runtime=candidate.runtime,
        data=candidate.data,
        behaviour=behaviour,
    )
    write_evidence(evidence, folder / EVIDENCE)
    result = TrainingResult(
        key=job.key,
        metrics=metrics_of(
            evidence.candidate,
            evidence.truth_label,
            evidence.truth_value,
            len(evidence.classes),
            job.recipe.task,
        ),
        artifact=artifact,
        behaviour=behaviour,
        runtime=candidate.runtime,
        runtime_reason=candidate.reason,
        fit_rows=len(rows.fit),
        test_rows=len(rows.test),
        fit_seconds=fit.fit_seconds,
        predict_seconds=fit.predict_seconds,
        importance=_importance(job, rows, candidate.model),
    )
    write_result(result, folder)
    return result


def _fit(job: TrainingJob, rows: Rows, folder: Path, stopwatch: Callable[[], float]) -> Fit:
    recipe = job.recipe
    started = stopwatch()
    estimator = fitted(recipe, rows.fit_frame, rows.fit_target)
    fit_seconds = stopwatch() - started
    try:
        pickled = pickle.dumps(estimator, protocol=5)
    except Exception as error:  # pickling runs anything
        msg = f"the fitted {type(estimator).__name__} cannot be pickled: {error}"
        raise TrainingError("nonsense", msg) from error
    (folder / NATIVE).parent.mkdir(parents=True, exist_ok=True)
    (folder / NATIVE).write_bytes(pickled)
    form = Form(
        task=recipe.task,
        features=recipe.features,
        classes=rows.target.classes[: rows.target.fitted],
        threshold=recipe.threshold,
    )
    model = NativeModel(estimator, form)
    started = stopwatch()
    answers = model.answer(rows.test_frame)
    return Fit(model, pickled, answers, fit_seconds, stopwatch() - started)


def _candidate(job: TrainingJob, rows: Rows, fit: Fit) -> Candidate:
    """Return the candidate as it would be served: converted where that is asked for and holds."""
    reason = ""
    if job.convert:
        made = convert(fit.model, rows.test_frame, fit.answers, rows.fit_frame)
        if made.model is not None and made.answers is not None:
            converted = settled(made.model, rows.test_frame.iloc[:_ALONE_ONNX])
            return Candidate(converted, made.answers, "onnx", "", made.data)
        reason = made.reason
        native = settled(fit.model, rows.test_frame.iloc[:_ALONE_NATIVE])
        return Candidate(native, fit.answers, "native", reason, fit.pickled)
    return Candidate(fit.model, fit.answers, "native", reason, fit.pickled)


def _evidence(
    job: TrainingJob,
    rows: Rows,
    candidate: Candidate,
    champion: Model | None,
    stopwatch: Callable[[], float],
) -> Evidence:
    own = candidate.model.form.classes
    classes = rows.target.classes
    if champion is not None:
        classes = (*classes, *(name for name in champion.form.classes if name not in classes))
    truth_label, truth_value = rows.truth()
    champions = None
    if champion is not None:
        champions = with_classes(score(champion, rows.test_table), champion.form.classes, classes)
    return Evidence(
        classes=classes,
        truth_label=truth_label,
        truth_value=truth_value,
        candidate=with_classes(candidate.answers, own, classes),
        champion=champions,
        champion_unseen=rows.champion_unseen,
        ordered=job.ordered,
        cluster=entity_codes(rows.test_table, job.key_column) if job.key_column else None,
        columns={name: kept_column(rows.test_table, name) for name in job.columns},
        baseline=_baselines(job, rows, len(classes)),
        perturbations=_what_ifs(job, rows.test_frame, candidate, classes),
        latency_s=(
            latencies(candidate.model, rows.test_frame, stopwatch)
            if job.measure_latency
            else np.empty(0)
        ),
        size_bytes=len(candidate.data),
    )


def _what_ifs(
    job: TrainingJob, frame: pd.DataFrame, candidate: Candidate, classes: tuple[str, ...]
) -> tuple[Perturbation, ...]:
    found = []
    for ask in job.perturbs:
        what_if = perturbed(candidate.model, frame, candidate.answers, ask, job.recipe.seed)
        scores = with_classes(what_if.scores, candidate.model.form.classes, classes)
        found.append(Perturbation(gate=ask.gate, scores=scores, rows=what_if.rows))
    return tuple(found)


def _baselines(job: TrainingJob, rows: Rows, classes: int) -> dict[str, Scores]:
    """Return the baselines that can be had; one that cannot is absent, and the gate says so."""
    found = {}
    for name in job.baselines:
        try:
            answers = _baseline(name, job, rows, classes)
        except MeasurementError:
            continue
        if answers is not None:
            found[name] = answers
    return found


def _baseline(name: str, job: TrainingJob, rows: Rows, classes: int) -> Scores | None:
    target, delay = rows.target, job.label_delay_rows
    regression = job.recipe.task == "regression"
    if name == "no_change" and job.ordered:
        if regression:
            return no_change_values(target.value, rows.test, delay)
        return no_change_labels(target.label, rows.test, delay, classes)
    if name == "mean" and regression:
        return mean(target.value[rows.fit], len(rows.test))
    if name == "majority" and not regression:
        return majority(target.label[rows.fit], classes, len(rows.test))
    return None


def _importance(job: TrainingJob, rows: Rows, model: Model) -> dict[str, float]:
    if not job.convert:  # a replay makes many candidates and shows no importances
        return {}
    return importance_of(model, rows.test_frame, *rows.truth(), job.recipe.seed)
