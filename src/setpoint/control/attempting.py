"""The way of a candidate: open an attempt, fit it, judge it, register it or refuse it. Each is one step."""

from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from setpoint.contract.contract import Contract
from setpoint.control.change import Change, change
from setpoint.control.drafting import champions_job, snapshot_now
from setpoint.control.job import Ask, draft_job
from setpoint.control.rows import LabelledRows
from setpoint.control.world import World
from setpoint.data.conform import ticks
from setpoint.data.labels import label_reference
from setpoint.data.profile import WindowPlan, prediction_profile, profile_of
from setpoint.digest import sha256_json
from setpoint.errors import MeasurementError, TrainingError
from setpoint.facts.evidence import Evidence, Floats, Ints
from setpoint.facts.profile import Profile
from setpoint.facts.registration import Registration
from setpoint.facts.state import Attempt, LoopState
from setpoint.facts.training import TrainingJob
from setpoint.facts.verdict import Verdict, combine
from setpoint.facts.version import ModelVersion
from setpoint.gates.judge import judge, left_out
from setpoint.gates.limit import candidate_value
from setpoint.gates.metric import Asked
from setpoint.gates.self_test import judge_gates
from setpoint.policy.acceptance import accepted_gates
from setpoint.training.evidence_file import read_evidence

BY_HAND = "by hand"
FIT = "fit"
"""Subject of the verdict over a fit that failed."""
REFERENCE_CONFIDENCE = 0.9
"""Confidence of the interval whose lower bound a drop of performance is measured from."""


@dataclass(frozen=True)
class Wanted:
    """What an attempt is opened for.

    Args:
        trigger: The condition of the contract, or `by hand`.
        reason: The trigger in words.
        seed: Seed of the fit; the contract's unless given.
        shuffle_labels: Whether to fit on shuffled labels, for the self-test of the gates.
        whole: Whether to fit on all rows, keeping no test part.
    """

    trigger: str
    reason: str
    seed: int | None = None
    shuffle_labels: bool = False
    whole: bool = False


def open_attempt(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, wanted: Wanted
) -> Change:
    """Fix the rows and the job of a new attempt.

    Raises:
        DataError: No input column is left.
    """
    now = world.clock.now()
    known = rows.known(now)
    snapshot = snapshot_now(rows, contract, state, known)
    ask = Ask(
        snapshot=snapshot,
        seed=contract.train.seed if wanted.seed is None else wanted.seed,
        champion=state.versions.get(str(state.champion)),
        wall_clock=world.wall_clock,
        shuffle_labels=wanted.shuffle_labels,
        whole=wanted.whole,
    )
    by_hand = wanted.trigger == BY_HAND  # a person may ask again; the champion is not fitted twice
    drafted = champions_job(world, contract, state, rows, ask) if by_hand else None
    drafted = drafted or draft_job(rows, contract, ask, world.tables)
    shares, effect = _labels(rows, contract, drafted.fit)
    number = state.attempts + 1
    attempt = Attempt(
        id=f"a-{number}-{sha256_json([drafted.job.key, number])[:12]}",
        reason=wanted.reason,
        trigger=wanted.trigger,
        snapshot=snapshot,
        job=drafted.job,
        seen=drafted.seen,
        k=state.candidates + 1,
        met=_met(state, drafted.job.champion),
        opened_at=now,
        label_shares=shares,
        label_effect=effect,
    )
    after = msgspec.structs.replace(
        state,
        attempt=attempt,
        attempts=number,
        fitted_rows=state.fitted_rows if wanted.shuffle_labels else known,
        hold=None,
        retrains=state.retrains if by_hand else (*state.retrains, now),
    )
    return change(after, "retrain", wanted.reason, at=now, attempt=attempt.id)


def fit(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, attempt: Attempt
) -> Change:
    """Fit and measure the candidate, in a process of its own; a fit that fails refuses the attempt."""
    now = world.clock.now()
    try:
        result = world.jobs.train(attempt.job)
    except TrainingError as error:
        verdict = Verdict(
            subject=FIT, verdict="error", reason=str(error), evidence={"output": error.output}
        )
        return _refuse(state, attempt, (verdict,), f"the fit failed: {error}", now)
    folder = world.jobs.folder(attempt.job.key)
    evidence = read_evidence(folder / "evidence.npz")
    profile = _profile(world, contract, attempt, evidence, ordered=rows.ordered)
    artifact = world.bundles.keep(folder / "bundle", profile)
    after = msgspec.structs.replace(
        state, attempt=msgspec.structs.replace(attempt, stage="fitted", artifact=artifact)
    )
    metric = contract.primary_metric or ""
    value = result.metrics.get(metric)
    words = f": {metric} {value:.4g}" if value is not None else ""
    return change(
        after,
        "fit",
        f"fitted on {result.fit_rows:,} rows, measured on {result.test_rows:,}{words}",
        at=now,
        attempt=attempt.id,
        numbers={
            "fit_rows": result.fit_rows,
            "test_rows": result.test_rows,
            "fit_seconds": result.fit_seconds if world.wall_clock else None,
            **result.metrics,
        },
    )


def judge_candidate(world: World, contract: Contract, state: LoopState, attempt: Attempt) -> Change:
    """Hold the gates against the candidate; only all-pass goes on."""
    now = world.clock.now()
    evidence = read_evidence(world.jobs.folder(attempt.job.key) / "evidence.npz")
    gates = contract.gates
    if attempt.trigger != BY_HAND:
        gates = accepted_gates(gates, contract.retrain.accept)
    seed = attempt.job.recipe.seed
    verdicts = judge(gates, evidence, k=attempt.k, seed=seed, wall_clock=world.wall_clock)
    if attempt.artifact in state.rejected:
        verdicts = (*verdicts, _was_rolled_back())
    if attempt.job.shuffle_labels:
        verdict = judge_gates(verdicts)
        return _refuse(state, attempt, (verdict, *verdicts), verdict.reason, now)
    judged = msgspec.structs.replace(
        attempt,
        stage="judged",
        verdicts=verdicts,
        intervals=_intervals(contract, evidence, seed),
    )
    ruling = combine(verdicts)
    if ruling != "pass":
        open_ones = [verdict for verdict in verdicts if verdict.verdict == ruling]
        why = "; ".join(f"{verdict.subject}: {verdict.reason}" for verdict in open_ones)
        world.registry.record(
            registration_of(world, contract, judged, register=False),
            world.jobs.folder(attempt.job.key),
        )
        return _refuse(state, judged, verdicts, why or "the contract has no gates", now)
    unjudged = left_out(gates, wall_clock=world.wall_clock)
    note = "".join(f"; not judged here: {one.subject} ({one.reason})" for one in unjudged)
    return change(
        msgspec.structs.replace(state, attempt=judged, candidates=state.candidates + 1),
        "judge",
        f"all {len(verdicts)} gates pass{note}",
        at=now,
        attempt=attempt.id,
        verdicts=verdicts,
        numbers=_numbers(state, attempt),
    )


def register(world: World, contract: Contract, state: LoopState, attempt: Attempt) -> Change:
    """Make the candidate a version; found again by its attempt where an earlier pass died."""
    now = world.clock.now()
    for version in state.versions.values():
        if version.artifact == attempt.artifact:
            return _known_already(state, attempt, version, now)
    registered = world.registry.record(
        registration_of(world, contract, attempt, register=True),
        world.jobs.folder(attempt.job.key),
    )
    number = registered.version or 0
    version = version_of(world, contract, attempt, number=number, run=registered.run)
    after = msgspec.structs.replace(
        state,
        versions={**state.versions, str(number): version},
        attempt=None,
        proposed=number,
    )
    reason = f"version {number} is registered"
    return change(after, "register", reason, at=now, version=number, attempt=attempt.id)


def _known_already(state: LoopState, attempt: Attempt, version: ModelVersion, now: float) -> Change:
    """Register nothing: the candidate is a version that exists. It is proposed unless it is the champion."""
    number = version.version
    proposed = 0 if number == state.champion else number
    after = msgspec.structs.replace(state, attempt=None, proposed=proposed)
    reason = f"the candidate is version {number}, which is registered already"
    return change(after, "register", reason, at=now, version=number, attempt=attempt.id)


def registration_of(
    world: World, contract: Contract, attempt: Attempt, *, register: bool
) -> Registration:
    """Return what the registry is told of a judged attempt."""
    result = world.jobs.finished(attempt.job.key)
    if result is None:
        msg = f"the result of job {attempt.job.key} is gone; run again"
        raise TrainingError("nonsense", msg)
    recipe = attempt.job.recipe
    return Registration(
        model=contract.model.name,
        attempt=attempt.id,
        register=register,
        ruling=combine(attempt.verdicts),
        verdicts=attempt.verdicts,
        result=msgspec.structs.replace(result, artifact=attempt.artifact),
        params={
            "estimator": recipe.estimator,
            "seed": str(recipe.seed),
            "fit_rows": str(result.fit_rows),
            **{name: str(value) for name, value in sorted(recipe.params.items())},
        },
        lineage=msgspec.structs.replace(
            world.lineage(), snapshot=attempt.snapshot.digest, contract=contract.digest
        ),
        contract_text=contract.text,
    )


def version_of(
    world: World, contract: Contract, attempt: Attempt, *, number: int, run: str
) -> ModelVersion:
    """Return what the loop remembers of a registered attempt."""
    asked = registration_of(world, contract, attempt, register=True)
    return ModelVersion(
        version=number,
        attempt=attempt.id,
        artifact=attempt.artifact,
        behaviour=asked.result.behaviour,
        runtime=asked.result.runtime,
        job=attempt.job.key,
        met=attempt.met,
        run=run,
        lineage=asked.lineage,
        seen=attempt.seen,
        metrics=asked.result.metrics,
        intervals=attempt.intervals,
        label_shares=attempt.label_shares,
        label_effect=attempt.label_effect,
        trained_rows=asked.result.fit_rows,
        registered_at=world.clock.now(),
    )


def window_rows(contract: Contract, at: Floats) -> int:
    """Return how many rows a window of the contract holds: as written, or on the time axis the usual number.

    Args:
        contract: Says how long a window is.
        at: Ticks of the rows that say what is usual, ascending.
    """
    length = contract.monitor.window.value
    if contract.axis == "rows":
        return max(1, int(length))
    spent = float(at[-1] - at[0]) if at.size else 0.0
    return max(1, int(at.size * length / spent)) if spent > 0 else max(1, int(at.size))


def _labels(
    rows: LabelledRows, contract: Contract, fit_rows: Ints
) -> tuple[dict[str, float], float]:
    if contract.require_task() == "regression":
        return {}, 1.0
    target = rows.rows.column(contract.require_data().target).take(pa.array(fit_rows))
    reference = label_reference(target, ordered=rows.ordered)
    return dict(reference.shares), reference.design_effect


def _profile(
    world: World, contract: Contract, attempt: Attempt, evidence: Evidence, *, ordered: bool
) -> Profile:
    """Return the profile of the rows that were fitted, as they were stored: the source may be another by now."""
    fitted = world.tables.get(attempt.job.table).take(pa.array(fitted_rows(attempt.job)))
    plan = WindowPlan((window_rows(contract, ticks(fitted, contract)),), ordered)
    profile = profile_of(fitted, contract, plan)
    answered = prediction_profile(evidence.candidate, evidence.classes, plan)
    return msgspec.structs.replace(profile, columns=(*profile.columns, answered))


def fitted_rows(job: TrainingJob) -> Ints:
    """Return the positions that a job fits on."""
    with np.load(job.rows) as stored:
        return np.asarray(stored["fit"], dtype=np.int64)


def _intervals(contract: Contract, evidence: Evidence, seed: int) -> dict[str, tuple[float, float]]:
    """Return the interval of the watched metric on the gates' rows; none where it has no value there."""
    metric = contract.primary_metric
    if metric is None:
        return {}
    everyone = np.ones(evidence.rows, dtype=np.bool_)
    asked = Asked(metric, None, None)
    try:
        found = candidate_value(
            asked, evidence, everyone, confidence=REFERENCE_CONFIDENCE, seed=seed
        )
    except MeasurementError:
        return {}
    return {metric: (found.low, found.high)}


def _was_rolled_back() -> Verdict:
    reason = "this very model was released before and rolled back"
    return Verdict(subject="not rolled back before", verdict="fail", reason=reason)


def _refuse(
    state: LoopState, attempt: Attempt, verdicts: tuple[Verdict, ...], why: str, now: float
) -> Change:
    after = msgspec.structs.replace(state, attempt=None, candidates=state.candidates + 1)
    if attempt.job.shuffle_labels:
        after = msgspec.structs.replace(after, candidates=state.candidates)
    return change(
        after,
        "refuse",
        why,
        at=now,
        attempt=attempt.id,
        verdicts=verdicts,
        numbers=_numbers(state, attempt),
    )


def _met(state: LoopState, artifact: str) -> int:
    found = [v.version for v in state.versions.values() if artifact and v.artifact == artifact]
    return max(found, default=0)


def _numbers(state: LoopState, attempt: Attempt) -> dict[str, object]:
    return {"k": attempt.k, "artifact": attempt.artifact, "champion": state.champion}
