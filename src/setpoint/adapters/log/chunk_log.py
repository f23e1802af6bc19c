"""The log of predictions and outcomes: tables of a database, and Parquet files of the hours that are over.

Rules:
1. A call that returned is committed, as safely as the database commits (`setpoint.adapters.log.store`).
2. Many processes may read while one writes; writers of several processes wait for each other.
3. Appending an answer again, or recording the same outcome again, changes nothing.
4. Answers lie in chunks (`setpoint.adapters.log.answer_chunk`), as their writers hand them over: a gateway cannot
   afford a row with three indexes for each of them. Readers unpack the chunks that they need, and of these what they
   need.
5. Compaction (`setpoint.adapters.log.compaction`) moves answers into files and changes nothing that a reader is told.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_chunk import pack
from setpoint.adapters.log.appending import Appending
from setpoint.adapters.log.compaction import Compacted, Compaction
from setpoint.adapters.log.forgetting import Forgetting
from setpoint.adapters.log.hour_files import HourFiles
from setpoint.adapters.log.pruning import Pruning
from setpoint.adapters.log.reader import LogReader, located
from setpoint.adapters.log.removal import Log
from setpoint.adapters.log.slow_counts import SlowCounts
from setpoint.adapters.log.store import (
    Judged,
    LogStore,
    Stretch,
    end_of,
    read_answerer,
)
from setpoint.errors import OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Outcome, Prediction
from setpoint.facts.release import ArmCounts, LossSum

# An answer to a request that named its version was not drawn by a canary: no arm counts it.
_ARMS = """
SELECT version, CAST(SUM(drawn) AS BIGINT), CAST(SUM(errors) AS BIGINT) FROM (
    SELECT version, drawn, errors FROM fresh WHERE generation >= :generation
    UNION ALL
    SELECT a.version, f.drawn, f.errors FROM filed f JOIN answerers a ON a.number = f.answerer
    WHERE a.generation >= :generation
) AS counts GROUP BY version HAVING SUM(drawn) > 0 ORDER BY version
"""
# A chunk that lies in a file as well changes neither. What was removed still has a last instant.
_SPAN = """
SELECT MIN(first), MAX(last) FROM (
    SELECT (SELECT MIN(first_at) FROM chunks) AS first, (SELECT MAX(last_at) FROM chunks) AS last
    UNION ALL SELECT MIN(first_at), MAX(last_at) FROM files
    UNION ALL SELECT NULL, MAX(last_at) FROM removed
) AS spans
"""
_WINDOW = (
    "id",
    "at",
    "version",
    "generation",
    "variant",
    "prediction",
    "probability",
    "latency_s",
    "error",
)
_ALL = Stretch("at", -math.inf, math.inf)
_CHECKPOINT_BYTES = 128_000  # of answers: larger ones keep the disk from commits for longer


class ChunkLog:
    """Keeps predictions and outcomes; implements `setpoint.ports.prediction_log.PredictionLog`.

    Safe to call from any thread.

    Args:
        store: The tables.
        files: The Parquet files; None where answers stay in the tables.
    """

    def __init__(self, store: LogStore, files: HourFiles | None) -> None:
        self._store = store
        self._files = files
        self._reader = LogReader(store, files)
        self._appending = Appending(store, self._reader)
        self._unmoved = 0  # bytes appended since the last checkpoint
        self._slow: dict[tuple[int, tuple[float, ...]], SlowCounts] = {}  # by what was asked

    @property
    def where(self) -> str:
        """Where the Parquet files lie, for people; empty where there are none."""
        return "" if self._files is None else self._files.where

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Append answers in one transaction; one that is already there is left as it is.

        Raises:
            JournalError: The log cannot be written; none was written.
        """
        if not predictions:
            return
        chunks = pack(predictions)
        self._appending.append(chunks)
        self._unmoved += sum(one.size for one in chunks)
        if self._unmoved >= _CHECKPOINT_BYTES:
            self._unmoved = 0
            self._store.checkpoint()

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes, all or none, and return how many were new; the same again changes nothing.

        Raises:
            UnknownPredictionError: An outcome names a prediction that the log does not hold.
            OutcomeConflictError: An outcome contradicts an earlier one.
            JournalError: The log cannot be read or written.
        """
        answered = self._answers_of([outcome.prediction for outcome in outcomes])
        with self._store.writing() as connection:
            new = _new(outcomes, answered, self._store.known(connection, list(answered)))
            if new:
                self._store.tell(connection, new)
            return len(new)

    def window(self, start: float, end: float, *, version: int | None = None) -> pa.Table:
        """Return answers in [start, end) with their outcomes so far, in order of time.

        Columns: `id, at, version, generation, variant, prediction, probability, latency_s, error, outcome, outcome_at`,
        and every feature under its own name prefixed `feature.`. `prediction` and `outcome` are text for classes and
        float64 for numbers; a feature that some rows lack is null there.

        Raises:
            JournalError: The log cannot be read.
        """
        table = self._reader.read(Stretch("at", start, end, version), _WINDOW, inputs=True)
        return self._reader.judged(table.sort_by([("at", "ascending"), ("id", "ascending")]))

    def stretch(self, first: int, last: int, *, version: int | None = None) -> pa.Table:
        """Return the answers at the positions from `first` up to `last`, counted from 0, with their outcomes so far.

        Answers of every version have a position, in the order in which they came into the log; of those that came in
        one call, the versions stand one after the other. Columns are those of `window`, and `position`.

        Args:
            first: First position, 0 or more.
            last: Position after the last.
            version: Only answers of this version; None means all.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = Stretch("position", first, last, version)
        table = self._reader.judged(self._reader.read(asked, (*_WINDOW, "position"), inputs=True))
        table = table.sort_by("position")
        positions = table["position"]
        return table.drop_columns("position").append_column("position", positions)

    def scored(self, start: float, end: float, *, version: int) -> pa.Table:
        """Return the answers of one version in [start, end), in order of time and without their inputs.

        Columns: `tick` (the instant), `prediction`, `probability`, `outcome`, as in `window`. Requests without an
        answer are left out.

        Raises:
            JournalError: The log cannot be read.
        """
        return self._scored(Stretch("at", start, end, version))

    def scored_stretch(self, first: int, last: int, *, version: int) -> pa.Table:
        """Return the answers of one version at the positions of `stretch`, without their inputs; see `scored`.

        Raises:
            JournalError: The log cannot be read.
        """
        return self._scored(Stretch("position", first, last, version))

    def read(self, stretch: Stretch, columns: Collection[str], *, judged: bool = False) -> pa.Table:
        """Return the answers of a stretch in no order and without their inputs.

        Args:
            stretch: Part of the log.
            columns: Columns of `setpoint.adapters.log.table.ANSWER`; `id` among them where `judged` is.
            judged: Whether `outcome` and `outcome_at` are wanted beside them.

        Raises:
            JournalError: The log cannot be read.
        """
        table = self._reader.read(stretch, columns, inputs=False)
        return self._reader.judged(table) if judged else table

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, oldest first; keys without an answer are left out.

        Raises:
            JournalError: The log cannot be read.
        """
        wanted = pa.array(sorted(set(keys) - {""}), pa.string())
        if not len(wanted):
            return {}
        found: dict[str, list[str]] = {}
        for table in self._reader.pieces(_ALL, ("id", "key", "error"), inputs=False):
            about = pc.and_(pc.is_in(table["key"], value_set=wanted), pc.equal(table["error"], ""))
            some = table.filter(about)
            for key, identity in zip(some["key"].to_pylist(), some["id"].to_pylist(), strict=True):
                found.setdefault(key, []).append(identity)
        return {key: sorted(ids) for key, ids in found.items()}

    def arms(
        self, *, generation: int, slow_s: Sequence[float] = (), scale: float = 1.0
    ) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under `generation` or later.

        Answers to requests that named their version themselves are not counted: nobody drew them.

        Args:
            generation: Generation of the deployment document.
            slow_s: Limits in seconds; answers that took longer are counted for each.
            scale: Absolute error that counts as a loss of 1, above 0; larger ones count the same. For numbers only.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = {"generation": generation, "scale": scale}
        limits = tuple(slow_s)
        slow = self._slow.setdefault((generation, limits), SlowCounts(generation, limits))
        unseen = Stretch("position", slow.seen, math.inf, generation=generation)
        with self._store.reading() as connection:
            totals = connection.execute(_ARMS, asked).fetchall()
            losses = connection.execute(self._store.losses, asked).fetchall()
            lying = located(connection, unseen, inputs=False) if limits else None
        if lying is not None:
            for table in self._reader.tables(lying, unseen, SlowCounts.COLUMNS, inputs=False):
                slow.add(table)
        return {
            version: ArmCounts(
                version=version,
                requests=requests,
                errors=errors,
                slow=slow.of(version),
                **_sums([sums for one, *sums in losses if one == version]),
            )
            for version, requests, errors in totals
        }

    def withheld(self, version: int, generations: Collection[int]) -> dict[str, str]:
        """Return the columns of a version that were not logged as they were under some deployment documents.

        Returns:
            What was done to each, as `setpoint.facts.log_rule` says it, by name.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            found = connection.execute(
                "SELECT document FROM answerers WHERE version = :version", {"version": version}
            ).fetchall()
        answerers = [read_answerer(document) for (document,) in found]
        return {
            name: rule
            for one in answerers
            if one.generation in generations
            for name, rule in one.withheld.items()
        }

    def span(self) -> tuple[float, float, int]:
        """Return first and last instant and the number of answers; (0, 0, 0) when empty.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._store.reading() as connection:
            count = end_of(connection)
            first, last = connection.execute(_SPAN).fetchone()
        return (last if first is None else first, last, count) if count else (0.0, 0.0, 0)

    def compact(
        self, now: float, *, everything: bool = False, most: int | None = None
    ) -> Compacted:
        """Move answers of hours that are over into Parquet files; see `setpoint.adapters.log.compaction`.

        Args:
            now: Seconds since 1970-01-01 UTC.
            everything: Whether answers of hours that are not over are moved as well.
            most: Most hours to move; None means all.

        Raises:
            JournalError: The log or a file cannot be read or written. What was done stays done.
        """
        if self._files is None:
            return Compacted()
        compaction = Compaction(self._store, self._files)
        return compaction.compact(now, everything=everything, most=most)

    def pruning(self) -> Pruning:
        """Return what removes old answers."""
        return Pruning(Log(self._store, self._files, self._reader))

    def forgetting(self, keys: Collection[str]) -> Forgetting:
        """Return what removes the answers about somebody, by keys as the log has them."""
        return Forgetting(Log(self._store, self._files, self._reader), keys)

    def scrub(self) -> str:
        """Have the bytes of what was removed gone as well, and return why some may be left; empty where none are.

        Raises:
            JournalError: The log cannot be written.
        """
        return self._store.scrub()

    def close(self) -> None:
        """Let go of the log; what was acknowledged is on disk already."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scored(self, stretch: Stretch) -> pa.Table:
        columns = ("id", stretch.axis, "prediction", "probability", "error")
        table = self._reader.read(stretch, columns, inputs=False)
        table = self._reader.judged(table.filter(pc.equal(table["error"], "")))
        table = table.sort_by([(stretch.axis, "ascending"), ("id", "ascending")])
        return table.select([stretch.axis, "prediction", "probability", "outcome"]).rename_columns(
            ["tick", "prediction", "probability", "outcome"]
        )

    def _answers_of(self, predictions: Sequence[str]) -> dict[str, "_Answer"]:
        """Return what the log holds of predictions.

        Raises:
            UnknownPredictionError: It does not hold one of them.
        """
        if not predictions:
            return {}
        if strange := [one for one in predictions if "\0" in one]:  # PostgreSQL does not take it
            raise UnknownPredictionError(strange)
        wanted = pa.array(predictions, pa.string())
        between = Stretch("id", min(predictions), max(predictions))
        found: dict[str, _Answer] = {}
        columns = ("id", "answerer", "prediction", "propensity")
        for table in self._reader.pieces(between, columns, inputs=False):
            some = table.filter(pc.is_in(table["id"], value_set=wanted)).select(columns)
            for identity, answerer, answer, propensity in zip(
                *(column.to_pylist() for column in some.columns), strict=True
            ):
                found[identity] = _Answer(answerer, answer, drawn=propensity > 0)
        if unknown := [one for one in predictions if one not in found]:
            raise UnknownPredictionError(unknown)
        return found


def _sums(losses: Iterable[Sequence[float]]) -> dict[str, Any]:
    """Return the sums of an arm's losses: of all, and by generation of the deployment document."""
    known = [(int(generation), int(n), float(s), float(q)) for generation, n, s, q in losses]
    return {
        "outcomes": sum(n for _, n, _, _ in known),
        "outcome_sum": math.fsum(s for _, _, s, _ in known),
        "outcome_squares": math.fsum(q for _, _, _, q in known),
        "losses": {generation: LossSum(n, s) for generation, n, s, _ in known if n},
    }


class _Answer(NamedTuple):
    """What an outcome is held against: who answered, the answer, and whether the version was drawn."""

    answerer: int
    answer: str | float | None
    drawn: bool


def _new(
    outcomes: Sequence[Outcome],
    answered: Mapping[str, _Answer],
    known: Mapping[str, str | float],
) -> list[Judged]:
    """Return the outcomes that are not known, each once.

    Raises:
        OutcomeConflictError: An outcome contradicts an earlier one.
    """
    told = dict(known)
    new = []
    for one in outcomes:
        earlier = told.get(one.prediction)
        if earlier is None:
            told[one.prediction] = one.value
            new.append(Judged(one.prediction, one.value, one.at, *answered[one.prediction]))
        elif earlier != one.value:
            raise OutcomeConflictError(one.prediction, known=earlier, given=one.value)
    return new
