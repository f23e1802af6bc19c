"""Traffic of a replay: each row of the table is a request, answered by what was in production at its moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.control.rows import LabelledRows
from setpoint.data.labels import classes_of, label_counts
from setpoint.facts.answers import Answers, Scored
from setpoint.facts.classes import label_text
from setpoint.facts.deployment import Deployment
from setpoint.facts.evidence import Floats, Ints, Scores, recode
from setpoint.facts.release import ArmCounts, LossSum
from setpoint.facts.shadow import ShadowEvidence
from setpoint.ports.scorer import Scorer
from setpoint.release.assignment import cut
from setpoint.release.copying import copied
from setpoint.release.outcome import class_loss, value_loss
from setpoint.worlds.shadowed import Shadowed, evidence_of


@dataclass(frozen=True)
class Truth:
    """What was true of every row.

    Args:
        classes: Class names in the order of the codes; empty for regression.
        label: Class code of each row, -1 where it has none; empty for regression.
        value: Value of each row, NaN where it has none; empty for classification.
    """

    classes: tuple[str, ...]
    label: Ints
    value: Floats

    @property
    def there(self) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which rows have an outcome at all, shape (rows,)."""
        return self.label >= 0 if self.classes else np.isfinite(self.value)


def truth_of(rows: LabelledRows) -> Truth:
    """Return what was true of every row of a table.

    Raises:
        DataError: The target is not what the task says.
    """
    contract = rows.contract
    column = rows.rows.column(contract.require_data().target)
    if contract.require_task() == "regression":
        value = pc.fill_null(column.cast(pa.float64()), float("nan")).to_numpy()
        return Truth((), np.empty(0, dtype=np.int64), np.asarray(value, dtype=np.float64))
    classes = classes_of(contract, list(label_counts(column)))
    place = {name: code for code, name in enumerate(classes)}
    coded = column.combine_chunks().dictionary_encode()
    codes = np.array(
        [place.get(label_text(value), -1) for value in coded.dictionary.to_pylist()] + [-1],
        dtype=np.int64,
    )
    indices = pc.fill_null(coded.indices, len(codes) - 1).to_numpy().astype(np.int64)
    return Truth(classes, codes[indices], np.empty(0))


class History:
    """The answers of a replay so far; implements `setpoint.ports.traffic.Traffic`.

    Args:
        rows: The whole table. Only rows that were answered, and labels known by then, are ever given out.
        truth: What was true of each row.
        scorer: Answers of a version.
    """

    def __init__(self, rows: LabelledRows, truth: Truth, scorer: Scorer) -> None:
        count = len(rows.at)
        self._rows = rows
        self._truth = truth
        self._scorer = scorer
        self._version = np.zeros(count, dtype=np.int64)
        self._generation = np.zeros(count, dtype=np.int64)
        self.scores = self.blank()
        self._shadowed: dict[int, Shadowed] = {}  # by version
        self._first = 0
        self._answered = 0
        self._known = 0

    def blank(self) -> Scores:
        """Return answers to every row of the history, none given yet."""
        count = len(self._rows.at) if self._truth.classes else 0
        return Scores(
            label=np.full(count, -1, dtype=np.int64),
            probability=np.zeros((count, len(self._truth.classes))),
            value=np.zeros(0 if self._truth.classes else len(self._rows.at)),
        )

    def put(self, into: Scores, start: int, scores: Scores) -> None:
        """Write answers to consecutive rows from `start` into answers to every row."""
        self._put(into, start + np.arange(max(len(scores.label), len(scores.value))), scores)

    def begin(self, first: int) -> None:
        """Say which row is the first that is answered."""
        self._first = self._answered = first

    def know(self, known: int) -> None:
        """Say how many leading rows have a known outcome from now on."""
        self._known = known

    def answer(
        self, start: int, end: int, deployment: Deployment, artifacts: Mapping[int, str]
    ) -> None:
        """Answer the rows from `start` up to `end` as gateways with this document would."""
        table = self._rows.rows.slice(start, end - start)
        sticky = self._sticky(table, start, deployment.sticky)
        assigned = cut(deployment).versions_of(sticky)
        self._version[start:end] = assigned
        self._generation[start:end] = deployment.generation
        for version in np.unique(assigned):
            chosen = np.flatnonzero(assigned == version)
            part = table if chosen.size == end - start else table.take(pa.array(chosen))
            self._put(self.scores, start + chosen, self.answers_of(artifacts[int(version)], part))
        for shadow in deployment.shadows:
            chosen = np.flatnonzero(copied(deployment.salt, shadow, sticky))
            self._shadow(artifacts, shadow.version, table, start, chosen)
        self._answered = end

    def answers_of(self, artifact: str, table: pa.Table) -> Scores:
        """Return the answers of a version, coded by the classes of the whole history."""
        scores = self._scorer.score(artifact, table)
        if not self._truth.classes:
            return scores
        return recode(scores, self._scorer.classes(artifact), self._truth.classes)

    def answers(self, version: int, start: float, end: float) -> Answers:
        """Return what `version` answered in [start, end), with the outcomes known by now."""
        chosen = self._chosen(version, start, end)
        told = self._scored(version, (start, end), chosen)
        return Answers(table=self._rows.rows.take(pa.array(chosen)), **vars(told))

    def scored(self, version: int, stretches: Sequence[tuple[float, float]]) -> tuple[Scored, ...]:
        """Return what `version` answered in each stretch [start, end), without the inputs."""
        return tuple(
            self._scored(version, stretch, self._chosen(version, *stretch)) for stretch in stretches
        )

    def arms(
        self,
        generation: int,
        slow_s: Sequence[float] = (),  # noqa: ARG002 - history has no wall clock
        *,
        scale: float = 1.0,
    ) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under deployment `generation` or later."""
        answered = np.arange(self._first, self._answered)
        counted = answered[self._generation[answered] >= generation]
        versions = self._version[counted]
        return {
            int(version): self._arm(int(version), counted[versions == version], scale)
            for version in np.unique(versions)
        }

    def shadowed(
        self,
        version: int,
        start: float,
        end: float,
        *,
        generation: int = 0,
        slow_s: Sequence[float] = (),  # noqa: ARG002 - history has no wall clock
        scale: float = 1.0,
    ) -> ShadowEvidence:
        """Return what `version` answered as a shadow to rows of [start, end), beside the live answers to them."""
        first, last = self._between(start, end)
        kept = self._shadowed.get(version)
        is_copy = np.zeros(0, dtype=np.bool_) if kept is None else kept.copied[first:last]
        rows = first + np.flatnonzero(is_copy)
        rows = rows[self._generation[rows] >= generation]
        given = self.scores if kept is None else kept.scores
        known = self._with_outcome(rows)
        return evidence_of(
            self._scored(version, (start, end), rows, given),
            self._scored(_sole(self._version[rows]), (start, end), rows),
            self._losses(given, known, scale),
            self._losses(self.scores, known, scale),
        )

    def _with_outcome(self, rows: Ints) -> Ints:
        """Return those of some rows whose outcome is known by now."""
        return rows[(rows < self._known) & self._truth.there[rows]]

    def _losses(self, answered: Scores, rows: Ints, scale: float) -> Floats:
        """Return the loss of answers on rows whose outcome is known."""
        if self._truth.classes:
            return class_loss(self._truth.label[rows], answered.label[rows])
        return value_loss(self._truth.value[rows], answered.value[rows], scale=scale)

    def _shadow(
        self, artifacts: Mapping[int, str], version: int, table: pa.Table, start: int, chosen: Ints
    ) -> None:
        """Let a shadow answer some rows of a table that begins at a row of the history."""
        kept = self._shadowed.get(version)
        if kept is None:
            kept = Shadowed(np.zeros(len(self._rows.at), dtype=np.bool_), self.blank())
            self._shadowed[version] = kept
        if chosen.size:
            part = table.take(pa.array(chosen))
            self._put(kept.scores, start + chosen, self.answers_of(artifacts[version], part))
            kept.copied[start + chosen] = True

    def _arm(self, version: int, rows: Ints, scale: float) -> ArmCounts:
        known = self._with_outcome(rows)
        loss = self._losses(self.scores, known, scale)
        return ArmCounts(
            version=version,
            requests=rows.size,
            errors=0,
            outcomes=known.size,
            outcome_sum=float(loss.sum()),
            outcome_squares=float((loss**2).sum()),
            losses=self._by_generation(known, loss),
        )

    def _by_generation(self, rows: Ints, loss: Floats) -> dict[int, LossSum]:
        generations = self._generation[rows]
        return {
            int(one): LossSum(
                int((generations == one).sum()), float(loss[generations == one].sum())
            )
            for one in np.unique(generations)
        }

    def reach(self) -> tuple[float, float]:
        """Return the tick of the first answer and the tick after the last."""
        if self._answered == self._first:
            return 0.0, 0.0
        at = self._rows.at
        end = at[self._answered] if self._answered < len(at) else at[-1] + 1.0
        return float(at[self._first]), float(end)

    def _chosen(self, version: int, start: float, end: float) -> Ints:
        """Return the rows that `version` answered in [start, end)."""
        first, last = self._between(start, end)
        return first + np.flatnonzero(self._version[first:last] == version)

    def _between(self, start: float, end: float) -> tuple[int, int]:
        """Return the rows that were answered in [start, end): the first, and the one after the last."""
        at = self._rows.at
        first = max(self._first, int(np.searchsorted(at, start, side="left")))
        last = min(self._answered, int(np.searchsorted(at, end, side="left")))
        return first, max(first, last)

    def _scored(
        self,
        version: int,
        stretch: tuple[float, float],
        chosen: Ints,
        given: Scores | None = None,
    ) -> Scored:
        """Return the answers to some rows, with what is known of them by now; the live ones unless others are given."""
        truth, scores = self._truth, given or self.scores
        known = (chosen < self._known) & truth.there[chosen]
        return Scored(
            version=version,
            start=stretch[0],
            end=stretch[1],
            at=self._rows.at[chosen],
            scores=Scores(
                label=scores.label[chosen] if truth.classes else scores.label,
                probability=scores.probability[chosen] if truth.classes else scores.probability,
                value=scores.value if truth.classes else scores.value[chosen],
            ),
            classes=truth.classes,
            truth_label=np.where(known, truth.label[chosen], -1) if truth.classes else truth.label,
            truth_value=truth.value
            if truth.classes
            else np.where(known, truth.value[chosen], np.nan),
            known=known,
        )

    def _put(self, into: Scores, chosen: Ints, scores: Scores) -> None:
        if self._truth.classes:
            into.label[chosen] = scores.label
            if scores.probability.size:
                into.probability[chosen] = scores.probability
        else:
            into.value[chosen] = scores.value

    def _sticky(self, table: pa.Table, start: int, column: str) -> list[str]:
        if column and column in table.column_names:
            return [
                "" if value is None else str(value) for value in table.column(column).to_pylist()
            ]
        return [str(position) for position in range(start, start + table.num_rows)]


def _sole(versions: Ints) -> int:
    """Return the version that gave all answers; 0 where several did, or there are none."""
    found = np.unique(versions)
    return int(found[0]) if found.size == 1 else 0
