"""The replay: the loop over history, on the data's own clock, beside three ways of doing without it.

Truncation law: a replay of the first k rows decides up to k as a replay of all rows, and a label at t changes no
decision before t + label delay. It holds because everything the loop is given passes through `LabelledRows.known` and
`History`, which hand out what is known at the clock's moment and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from msgspec.structs import replace as replace_fields

from setpoint.clock import ManualClock
from setpoint.control.world import World
from setpoint.errors import MeasurementError
from setpoint.facts.evidence import Ints, Scores
from setpoint.facts.replay import Batch, GateCost, Replay, ReplaySettings
from setpoint.stats.delong import paired_auc_difference
from setpoint.stats.interval import Estimate
from setpoint.stats.metrics import METRICS
from setpoint.stats.paired import Resampling, paired_difference
from setpoint.worlds.course import Course, Judged, ReplayPlan, drive
from setpoint.worlds.heat import Heat
from setpoint.worlds.history import History
from setpoint.worlds.lines import Judge, Refitting, no_change
from setpoint.worlds.notes import notes_of
from setpoint.worlds.timing import Spent, TimedJobs, TimedScorer

FOLLOWING = 500
"""Rows after a judgement by which its worth is measured."""

_LINES = ("static", "scheduled", "no_change", "loop")


@dataclass(frozen=True)
class Stage:
    """Where a replay plays.

    Args:
        world: A fresh world; its rows are the plan's, its clock is `clock`, its traffic is set here.
        clock: The world's clock.
    """

    world: World
    clock: ManualClock


def replay(plan: ReplayPlan, stage: Stage) -> Replay:
    """Drive the loop over history and return what it did, and what else could have been done.

    Raises:
        UsageError: There are no rows before the start, or none after it.
        TrainingError: The first model cannot be fitted.
    """
    clock, spent, heat = stage.clock, Spent(), Heat()
    begun = clock.stopwatch()
    jobs = TimedJobs(stage.world.jobs, spent)
    scorer = TimedScorer(stage.world.scorer, clock, spent)
    history = History(plan.rows, plan.truth, scorer)
    world = replace(
        stage.world,
        jobs=jobs,
        scorer=scorer,
        traffic=history,
        rows=lambda: plan.rows,
        looked=heat.see,
    )
    refitting = Refitting(plan.rows, plan.contract, jobs, world.tables)
    course = drive(plan, world, clock, history, refitting)
    found = _measured(plan, course, history)
    return replace_fields(
        found,
        drift=tuple(heat.cells),
        fits=jobs.fits - course.refits,
        seconds=clock.stopwatch() - begun,
        fit_predict_seconds=spent.seconds,
    )


def _measured(plan: ReplayPlan, course: Course, history: History) -> Replay:
    """Return what a course was worth; fits, seconds and drift are its driver's to tell."""
    judge = Judge(plan.contract.primary_metric or "accuracy", plan.truth)
    answers = {
        "static": course.static,
        "scheduled": course.scheduled,
        "no_change": no_change(plan.truth, plan.rows, plan.start),
        "loop": history.scores,
    }
    attempts = {one.version: one.attempt for one in course.taken if one.action == "register"}
    costs = tuple(_cost(plan, history, judge, one, attempts) for one in course.judged)
    overall = {line: judge.value(answers[line], _asked(plan)) for line in answers}
    taken = [decision.action for decision in course.taken]
    contract = plan.contract
    return Replay(
        name=contract.model.name,
        source=plan.rows.origin.source,
        contract=contract.digest,
        rows=len(plan.rows.at),
        metric=judge.metric,
        direction="higher" if judge.higher_is_better else "lower",
        axis=contract.axis,
        static=overall["static"],
        scheduled=overall["scheduled"],
        no_change=overall["no_change"],
        loop=overall["loop"],
        schedule=course.schedule,
        batches=_batches(plan, course, judge, answers),
        fits=0,
        scheduled_fits=course.refits,
        promotions=taken.count("promote"),
        rollbacks=taken.count("roll_back"),
        refused=taken.count("refuse"),
        data_blocked=taken.count("block"),
        seconds=0.0,
        fit_predict_seconds=0.0,
        decisions=tuple(course.taken),
        gate_costs=costs,
        notes=notes_of(contract),
        settings=_settings(plan),
    )


def _settings(plan: ReplayPlan) -> ReplaySettings:
    return ReplaySettings(
        start=plan.start,
        start_at=float(plan.rows.at[plan.start]),
        batch=str(plan.batch),
        label_delay=str(plan.contract.label_delay),
        seed=plan.contract.train.seed,
    )


def _asked(plan: ReplayPlan) -> Ints:
    return np.arange(plan.start, len(plan.rows.at), dtype=np.int64)


def _batches(
    plan: ReplayPlan, course: Course, judge: Judge, answers: dict[str, Scores]
) -> tuple[Batch, ...]:
    found, at = [], plan.rows.at
    for start, end in course.batches:
        rows = np.arange(start, end, dtype=np.int64)
        values = {line: judge.value(answers[line], rows) for line in _LINES}
        found.append(
            Batch(
                start=float(at[start]),
                end=float(at[end] if end < len(at) else at[-1]),
                n=int(plan.truth.there[rows].sum()),
                **values,
            )
        )
    return tuple(found)


def _cost(
    plan: ReplayPlan,
    history: History,
    judge: Judge,
    judged: Judged,
    attempts: Mapping[int | None, str],
) -> GateCost:
    """Return what a judgement turned out to be worth on the rows that followed."""
    rows = np.arange(judged.row, min(judged.row + FOLLOWING, len(plan.rows.at)), dtype=np.int64)
    rows = rows[plan.truth.there[rows]]
    table = plan.rows.rows.slice(judged.row, FOLLOWING)
    found = None
    if rows.size:
        mine, theirs = history.blank(), history.blank()
        history.put(mine, judged.row, history.answers_of(judged.candidate, table))
        history.put(theirs, judged.row, history.answers_of(judged.champion, table))
        found = gain(judge, mine, theirs, rows)
    decision = judged.decision
    return GateCost(
        attempt=decision.attempt or attempts.get(decision.version, ""),
        version=decision.version,
        at=decision.at,
        action="promote" if decision.action == "promote" else "refuse",
        gain=None if found is None else found.value,
        interval=None if found is None else (found.low, found.high),
        n=int(rows.size),
    )


def gain(judge: Judge, mine: Scores, theirs: Scores, rows: Ints) -> Estimate | None:
    """Return by how much one model is better than another on the same rows, in blocks of time; None where undefined."""
    metric = METRICS[judge.metric]
    truth = judge.of_truth(rows)
    first, second = judge.of(mine, rows), judge.of(theirs, rows)
    try:
        if metric.name == "roc_auc" and len(judge.truth.classes) == 2:  # noqa: PLR2004 - binary
            return paired_auc_difference(truth == 1, (first, second))
        if metric.row_statistics is None or metric.from_sums is None:
            return None
        sign = 1.0 if metric.higher_is_better else -1.0
        classes = len(judge.truth.classes)
        found = paired_difference(
            metric.row_statistics(truth, first, classes),
            metric.row_statistics(truth, second, classes),
            metric.from_sums,
            Resampling(block=None, resamples=2000),
        )
    except MeasurementError:
        return None
    if sign > 0:
        return found
    return Estimate(-found.value, -found.high, -found.low, found.n, found.n_effective)
