"""Puts bundles, files and the prediction log together: what `setpoint score` calls."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.chunk_log import ChunkLog
from setpoint.adapters.table_chunks import read_chunks, written_table
from setpoint.clock import Clock, SystemClock
from setpoint.control.queries import require_state
from setpoint.control.scoring import Answered, Arm, RowAnswering, Stamp
from setpoint.data.cells import type_cells
from setpoint.data.conform import require_distinct_names
from setpoint.errors import UsageError
from setpoint.facts.deployment import Deployment
from setpoint.facts.evidence import Ints
from setpoint.facts.log_rule import KEEP, Withholding, withholding
from setpoint.facts.training import Feature
from setpoint.gateway.ids import PredictionIds
from setpoint.release.assignment import cut
from setpoint.wiring.log_place import open_log, place_of, secret_of
from setpoint.wiring.offline import Offline

CHUNK = 20_000  # rows of one transaction of the log
ADDED = ("prediction", "probability", "version", "prediction_id", "error")
"""Columns that the answers add to the rows."""


@dataclass(frozen=True)
class ScoreWish:
    """What a person asks for.

    Args:
        rows: File of the rows.
        out: File of the answers.
        version: Version that answers all rows; None: those that gateways answer with, at their shares.
        chunk: Rows at a time.
        clock: Stamps the answers.
        progress: Told the rows that are answered, and the rows in all.
    """

    rows: Path
    out: Path
    version: int | None = None
    chunk: int = CHUNK
    clock: Clock = field(default_factory=SystemClock)
    progress: Callable[[int, int], None] = lambda *_: None


@dataclass(frozen=True)
class Scored:
    """What came of it.

    Args:
        rows: Rows of the file.
        failed: Rows without an answer.
        first_error: Why the first of them has none.
        versions: Rows by the version that answered them.
        logged: Answers that the prediction log took.
        out: File of the answers.
    """

    rows: int
    failed: int
    first_error: str
    versions: dict[int, int]
    logged: int
    out: Path


def score_file(wish: ScoreWish, offline: Offline) -> Scored:
    """Answer the rows of a file, log the answers, and write them beside the rows.

    Each chunk is in the log before it is in the file; the file appears when it is whole.

    Raises:
        UsageError: Nothing was released yet, there is no such version, or a file is misnamed.
        DataError: The rows cannot be read, or lack an input.
        BundleError: A bundle is missing or altered.
        JournalError: State or log cannot be read or written.
    """
    batch = _Batch(wish, offline)
    total, chunks = read_chunks(wish.rows, form=batch.form, rows=wish.chunk)
    done, logged = 0, 0
    errors: list[str] = []
    versions: Counter[int] = Counter()
    with written_table(wish.out) as out, _opened_log(offline, batch.deployment) as log:
        for chunk in chunks:
            stamp, answered = batch.answer(chunk)
            if log is not None:
                log.append(answered.predictions)
                logged += len(answered.predictions)
            out.write(batch.with_answers(chunk, answered, stamp))
            failed = [bool(one) for one in answered.error]
            errors += [one for one in answered.error if one]
            versions.update(answered.version[~np.array(failed, dtype=np.bool_)].tolist())
            done += chunk.num_rows
            wish.progress(done, total)
    first = errors[0] if errors else ""
    return Scored(done, len(errors), first, dict(sorted(versions.items())), logged, wish.out)


class _Batch:
    """One file's worth of answering."""

    def __init__(self, wish: ScoreWish, offline: Offline) -> None:
        state = require_state(offline.journal)
        if state.deployment is None:
            msg = "no version was released yet, so none can answer; begin with: setpoint run"
            raise UsageError(msg)
        data = offline.contract.require_data()
        self.deployment = state.deployment
        self.form = data.format
        self._key = data.key
        self._wish = wish
        self._state = state
        self._scorer = BundleScorer(offline.settings.store, offline.folder)
        self._kept = state.deployment.kept
        self._secret = secret_of(place_of(offline.settings), offline.settings.log_key)
        self._key_kept = data.withheld.get(data.key or "", KEEP)
        self._ids = PredictionIds(wish.clock, os.urandom)
        self._assignment = cut(state.deployment)
        self._arms = self._all_arms()
        self._answering = RowAnswering(self._arms, self._scorer, self.form, wish.clock.stopwatch)

    def answer(self, chunk: pa.Table) -> tuple[Stamp, Answered]:
        """Answer the rows of a chunk."""
        require_distinct_names(chunk)
        if taken := sorted(set(ADDED) & set(chunk.column_names)):
            msg = (
                f"{self._wish.rows} already has the columns {', '.join(taken)}; rename or drop them"
            )
            raise UsageError(msg)
        clock = self._wish.clock
        stamp = Stamp(
            model=self._state.model,
            generation=self.deployment.generation,
            at=clock.wall(),
            ids=[self._ids.next() for _ in range(chunk.num_rows)],
            keys=self._texts(chunk, self._key),
        )
        return stamp, self._answering.answer(chunk, self._assigned(chunk, stamp.ids), stamp)

    def with_answers(self, chunk: pa.Table, answered: Answered, stamp: Stamp) -> pa.Table:
        """Return the rows with what was answered beside them."""
        kind = pa.string() if next(iter(self._arms.values())).classes else pa.float64()
        columns = (
            pa.array(answered.prediction, kind),
            pa.array(answered.probability, pa.float64()),
            pa.array(answered.version, pa.int64()),
            pa.array(stamp.ids, pa.string()),
            pa.array([one or None for one in answered.error], pa.string()),
        )
        for name, column in zip(ADDED, columns, strict=True):
            chunk = chunk.append_column(name, column)
        return chunk

    def _all_arms(self) -> dict[int, Arm]:
        pinned = self._wish.version
        shares = dict(zip(self._assignment.versions, self._assignment.shares, strict=True))
        if pinned is not None:
            shares = {pinned: 0.0}  # nobody drew it, so no release counts its answers
        return {version: self._arm(version, share) for version, share in shares.items()}

    def _arm(self, number: int, share: float) -> Arm:
        version = self._state.versions.get(str(number))
        if version is None:
            known = ", ".join(sorted(self._state.versions, key=int)) or "none"
            msg = f"there is no version {number}; registered are {known}"
            raise UsageError(msg)
        form = self._scorer.model(version.artifact).form
        return Arm(
            version=number,
            artifact=version.artifact,
            contract=version.lineage.contract,
            features=form.features,
            classes=form.classes,
            variant="champion" if number == self.deployment.champion else "challenger",
            share=share,
            withholding=self._withholding(form.features),
        )

    def _withholding(self, features: Sequence[Feature]) -> Withholding | None:
        """Return what the log is not given: as gateways have it, by the document, or by the bundle and the contract."""
        rules = {one.name: one.log for one in features} | {self._key or "": self._key_kept}
        names = [one.name for one in features]
        kept = rules if self._kept is None else self._kept
        return withholding(names, kept, self._key or "", self._secret)

    def _assigned(self, chunk: pa.Table, ids: Sequence[str]) -> Ints:
        """Return the version of each row: by its sticky value, or else by its id, as gateways draw it."""
        if self._wish.version is not None:
            return np.full(chunk.num_rows, self._wish.version, dtype=np.int64)
        sticky = self._texts(chunk, self.deployment.sticky)
        drawn = (value or identity for value, identity in zip(sticky, ids, strict=True))
        return self._assignment.versions_of(drawn)

    def _texts(self, chunk: pa.Table, column: str | None) -> list[str]:
        """Return a column as the texts that stand for its values; empty ones where there is none."""
        if not column or column not in chunk.column_names:
            return [""] * chunk.num_rows
        cells = type_cells(chunk.column(column), "category", self.form)
        return [value or "" for value in cells.values.to_pylist()]


@contextmanager
def _opened_log(offline: Offline, deployment: Deployment) -> Iterator[ChunkLog | None]:
    """Give the prediction log, or None where the deployment keeps none."""
    if deployment.log == "off":
        yield None
        return
    with open_log(place_of(offline.settings)) as log:
        yield log
