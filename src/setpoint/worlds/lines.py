"""The lines that a replay draws beside the loop: train once, refit on a schedule, the last known label."""

from dataclasses import dataclass

import numpy as np

from setpoint.contract.conditions import Condition
from setpoint.contract.contract import Contract
from setpoint.contract.retrain import ScheduleTrigger
from setpoint.control.job import Ask, draft_job
from setpoint.control.rows import LabelledRows, admitted, latest
from setpoint.data.snapshot import take_snapshot
from setpoint.errors import MeasurementError, TrainingError
from setpoint.facts.evidence import Floats, Ints, Scores
from setpoint.policy.cron import last_until
from setpoint.ports.jobs import Jobs
from setpoint.ports.tables import Tables
from setpoint.stats.metrics import METRICS
from setpoint.training.baselines import no_change_labels, no_change_values
from setpoint.worlds.history import Truth

_ROWS = 1000


@dataclass(frozen=True)
class Judge:
    """Values of one metric over rows of the history.

    Args:
        metric: Name of the metric.
        truth: What was true of each row.
    """

    metric: str
    truth: Truth

    @property
    def higher_is_better(self) -> bool:
        """The direction of the metric."""
        return METRICS[self.metric].higher_is_better

    def value(self, scores: Scores, rows: Ints) -> float | None:
        """Return the metric of answers to all rows, over the chosen ones that have an outcome; None where undefined."""
        chosen = rows[self.truth.there[rows]]
        metric = METRICS[self.metric]
        if not chosen.size:
            return None
        try:
            return metric.evaluate(
                self.of_truth(chosen), self.of(scores, chosen), len(self.truth.classes)
            )
        except MeasurementError:
            return None

    def of_truth(self, rows: Ints) -> Ints | Floats:
        """Return what was true of the chosen rows."""
        return self.truth.label[rows] if self.truth.classes else self.truth.value[rows]

    def of(self, scores: Scores, rows: Ints) -> Ints | Floats:
        """Return of the answers what the metric needs."""
        needs = METRICS[self.metric].needs
        if needs == "value":
            return scores.value[rows]
        if needs == "label":
            return scores.label[rows]
        probability = scores.probability[rows]
        return probability[:, 1] if probability.shape[1] == 2 else probability  # noqa: PLR2004 - binary


def no_change(truth: Truth, rows: LabelledRows, start: int) -> Scores:
    """Answer each row from `start` with the last label known at its moment; rows before are not answered."""
    asked = np.arange(start, len(rows.at), dtype=np.int64)
    delays = _label_delays(rows, asked)
    if truth.classes:
        blank = Scores(
            label=np.full(len(rows.at), -1, dtype=np.int64),
            probability=np.zeros((len(rows.at), len(truth.classes))),
            value=np.empty(0),
        )
    else:
        none = np.empty(0, dtype=np.int64)
        blank = Scores(
            label=none, probability=np.empty((0, 0)), value=np.full(len(rows.at), np.nan)
        )
    for delay in np.unique(delays):
        part = asked[delays == delay]
        part = part[part - 1 - delay >= 0]
        try:
            if truth.classes:
                found = no_change_labels(truth.label, part, int(delay), len(truth.classes))
                blank.label[part] = found.label
                blank.probability[part] = found.probability
            else:
                blank.value[part] = no_change_values(truth.value, part, int(delay)).value
        except MeasurementError:
            continue
    return blank


def _label_delays(rows: LabelledRows, asked: Ints) -> Ints:
    """Return for each row how many rows lie between it and the last one whose label is known at its moment."""
    delay = rows.contract.label_delay.value
    known = np.searchsorted(rows.at, rows.at[asked] - delay, side="right")
    known = np.minimum(known, asked)
    return np.asarray(asked - known, dtype=np.int64)


class Schedule:
    """When the line `scheduled` refits: at the pace the contract names first, rows or cron, else every 1,000 rows.

    Args:
        contract: The contract.
    """

    def __init__(self, contract: Contract) -> None:
        self._rows = float(_ROWS)
        self._cron = None
        for trigger in contract.retrain.when:
            if isinstance(trigger, ScheduleTrigger):
                self._cron = trigger.schedule
                break
            if isinstance(trigger, Condition) and trigger.name in ("rows.new", "rows.labelled"):
                self._rows = max(1.0, float(str(trigger.value)))
                break
        self._fitted = 0
        self._instant: float | None = None

    @property
    def words(self) -> str:
        """The schedule in words."""
        if self._cron is not None:
            return f"refitted by {self._cron}, without gates"
        return f"refitted every {self._rows:,.0f} labelled rows, without gates"

    def begin(self, known: int, now: float) -> None:
        """Note that a model was fitted on the first `known` rows."""
        self._fitted = known
        self._instant = None if self._cron is None else last_until(self._cron, now)

    def is_due(self, known: int, now: float) -> bool:
        """Return whether a refit is due, and note it as done."""
        if self._cron is not None:
            instant = last_until(self._cron, now)
            is_due = instant != self._instant
            self._instant = instant
        else:
            is_due = known - self._fitted >= self._rows
        if is_due:
            self._fitted = known
        return is_due


@dataclass(frozen=True)
class Refitting:
    """Fits a model on all rows known, with no gate and no check.

    Args:
        rows: The history.
        contract: The contract, for the recipe and the rows it learns from.
        jobs: Does the fits.
        tables: Stored tables.
    """

    rows: LabelledRows
    contract: Contract
    jobs: Jobs
    tables: Tables

    def fit(self, known: int) -> str | None:
        """Return the artifact of a model fitted on the first `known` rows; None where the fit fails."""
        ranges = admitted(known, ())
        last = self.contract.retrain.data.last
        if last is not None and last.unit == "rows":
            ranges = latest(ranges, int(last.value))
        snapshot = take_snapshot(
            self.rows.rows,
            self.contract,
            digest=self.rows.table,
            origin=self.rows.origin,
            ranges=ranges,
        )
        ask = Ask(snapshot=snapshot, seed=self.contract.train.seed, wall_clock=False, whole=True)
        job = draft_job(self.rows, self.contract, ask, self.tables).job
        try:
            return self.jobs.train(job).artifact
        except TrainingError:
            return None
