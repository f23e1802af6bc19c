"""The log of predictions and outcomes in one SQLite file.

Rules:
1. A call that returned is on disk: WAL mode with `synchronous=FULL` fsyncs every commit, so neither kill -9 nor a power
   cut takes back what was acknowledged.
2. Many processes may read while one writes; writers of several processes wait for each other.
3. Appending an answer again, or recording the same outcome again, changes nothing.
4. Answers lie in chunks (`setpoint.adapters.answer_chunk`), as their writers hand them over: a gateway cannot afford a
   row with three indexes for each of them. Readers unpack the chunks that they need, and of these what they need.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.answer_chunk import pack, unpack_answers, unpack_ids
from setpoint.adapters.log_table import UNKNOWN, Outcomes, Part, table_of, told
from setpoint.errors import JournalError, OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Answerer, Outcome, Prediction
from setpoint.facts.release import ArmCounts

_LAYOUT = 2
_BUSY_S = 15.0  # how long a writer waits for another process's transaction
_TABLES = """
CREATE TABLE IF NOT EXISTS answerers (
    number INTEGER PRIMARY KEY, document BLOB NOT NULL UNIQUE, version INTEGER NOT NULL, generation INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS chunks (
    number INTEGER PRIMARY KEY, answerer INTEGER NOT NULL REFERENCES answerers, first_id TEXT NOT NULL,
    last_id TEXT NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL, rows INTEGER NOT NULL,
    drawn INTEGER NOT NULL, errors INTEGER NOT NULL, ids BLOB NOT NULL, answers BLOB NOT NULL, inputs BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_at ON chunks (last_at, first_at);
CREATE INDEX IF NOT EXISTS chunks_id ON chunks (last_id, first_id);
CREATE TABLE IF NOT EXISTS outcomes (
    prediction TEXT PRIMARY KEY, value NOT NULL, at REAL NOT NULL, answerer INTEGER NOT NULL REFERENCES answerers,
    answer, drawn INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outcomes_answerer ON outcomes (answerer);
"""
_INSERT = """
INSERT INTO chunks (answerer, first_id, last_id, first_at, last_at, rows, drawn, errors, ids, answers, inputs)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_HEAD = "c.first_id, c.last_id, c.rows, a.document"
_BETWEEN = """
FROM chunks c JOIN answerers a ON a.number = c.answerer
WHERE c.last_at >= :start AND c.first_at < :end AND (:version IS NULL OR a.version = :version) ORDER BY c.number
"""
_NUMBERED = """
FROM chunks c JOIN answerers a ON a.number = c.answerer WHERE c.number BETWEEN :first AND :last ORDER BY c.number
"""
_HOLDING = "SELECT ids FROM chunks WHERE last_id >= :first AND first_id <= :last"
_ANSWERED = (
    "SELECT answerer, ids, answers FROM chunks WHERE last_id >= :first AND first_id <= :last"
)
_NOTE = """
INSERT INTO answerers (document, version, generation) VALUES (?, ?, ?) ON CONFLICT (document) DO NOTHING
"""
# An answer to a request that named its version was not drawn by a canary: no arm counts it.
_ARMS = """
SELECT a.version, SUM(c.drawn), SUM(c.errors) FROM chunks c JOIN answerers a ON a.number = c.answerer
WHERE a.generation >= :generation GROUP BY a.version HAVING SUM(c.drawn) > 0 ORDER BY a.version
"""
_LOSSES = """
SELECT version, COUNT(loss), COALESCE(SUM(loss), 0), COALESCE(SUM(loss * loss), 0) FROM (
    SELECT a.version, CASE WHEN typeof(o.answer) = 'text' THEN o.answer <> CAST(o.value AS TEXT)
                           ELSE ABS(o.answer - o.value) / :scale END AS loss
    FROM outcomes o JOIN answerers a ON a.number = o.answerer WHERE a.generation >= :generation AND o.drawn
) GROUP BY version
"""
_LATENCIES = """
SELECT c.number, a.version, c.answers FROM chunks c JOIN answerers a ON a.number = c.answerer
WHERE a.generation >= :generation AND c.number > :seen ORDER BY c.number
"""


class ScoredColumns(NamedTuple):
    """Answers without their inputs, n of them in order of time.

    Args:
        tick: Instant, or position in the log.
        prediction: A class as text, or a number.
        probability: Of the positive or the answered class; None without one.
        outcome: A class as text, or a number; None where it is not known.
    """

    tick: Sequence[float] = ()
    prediction: Sequence[str | float | None] = ()
    probability: Sequence[float | None] = ()
    outcome: Sequence[str | float | None] = ()


class SqliteLog:
    """Keeps predictions and outcomes in one file; implements `setpoint.ports.prediction_log.PredictionLog`.

    Safe to call from any thread; calls of one object wait for each other.

    Args:
        path: The file, such as `.setpoint/log.db`; it and its folder are made where missing.
        scale: What an absolute error is divided by before it is summed as a loss (regression).

    Raises:
        JournalError: The file cannot be opened, or has a layout that this version does not know.
    """

    def __init__(self, path: Path, *, scale: float = 1.0) -> None:
        self._path = path
        self._scale = scale
        self._lock = threading.RLock()
        self._slow: dict[
            tuple[int, tuple[float, ...]], _Slow
        ] = {}  # counts so far, by what was asked
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            msg = f"cannot open the prediction log {path}: {error}"
            raise JournalError(msg) from error

    def append(self, predictions: Sequence[Prediction]) -> None:
        """Append answers in one transaction; one that is already there is left as it is.

        Raises:
            JournalError: The log cannot be written; none was written.
        """
        if not predictions:
            return
        chunks = pack(predictions)
        first, last = min(one.first_id for one in chunks), max(one.last_id for one in chunks)
        with self._transaction() as connection:
            held = _ids_between(connection, first, last)
            again = held.intersection(one.id for one in predictions) if held else held
            if again:
                chunks = pack(one for one in predictions if one.id not in again)
            for chunk in chunks:
                connection.execute(_INSERT, (_number_of(connection, chunk.by), *chunk[1:]))

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes, all or none, and return how many were new; the same again changes nothing.

        Raises:
            UnknownPredictionError: An outcome names a prediction that the log does not hold.
            OutcomeConflictError: An outcome contradicts an earlier one.
            JournalError: The log cannot be written.
        """
        with self._transaction() as connection:
            return _record(connection, outcomes)

    def window(self, start: float, end: float, *, version: int | None = None) -> pa.Table:
        """Return answers in [start, end) with their outcomes so far, in order of time.

        Columns: `id, at, version, generation, variant, prediction, probability, latency_s, error, outcome, outcome_at`,
        and every feature under its own name prefixed `feature.`. `prediction` and `outcome` are text for classes and
        float64 for numbers; a feature that some rows lack is null there.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = {"start": start, "end": end, "version": version}
        with self._reading() as connection:
            parts = _parts(connection, _BETWEEN, asked, inputs=True)
            outcomes = _outcomes_of(connection, parts)
        table = table_of(parts, outcomes)
        inside = (table["at"].to_numpy() >= start) & (table["at"].to_numpy() < end)
        return table.filter(pa.array(inside)).sort_by([("at", "ascending"), ("id", "ascending")])

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
        with self._reading() as connection:
            parts, start = _parts_at(connection, first, last, inputs=True)
            outcomes = _outcomes_of(connection, parts)
        table = table_of(parts, outcomes)
        positions = pa.array(range(start, start + table.num_rows), pa.int64())
        table = table.append_column("position", positions)
        table = table.slice(max(0, first - start), max(0, last - max(first, start)))
        if version is None:
            return table
        return table.filter(pc.equal(table["version"], version))

    def scored(self, start: float, end: float, *, version: int) -> ScoredColumns:
        """Return the answers of one version in [start, end), in order of time and without their inputs.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = {"start": start, "end": end, "version": version}
        with self._reading() as connection:
            parts = _parts(connection, _BETWEEN, asked, inputs=False)
            outcomes = _outcomes_of(connection, parts)
        rows = [
            (at, identity, prediction, probability, outcomes.get(identity, UNKNOWN)[0])
            for part in parts
            for at, identity, prediction, probability, error in told(part)
            if start <= at < end and not error
        ]
        rows.sort(key=lambda row: row[:2])
        at, _, *others = zip(*rows, strict=True) if rows else ((),) * 5
        return ScoredColumns(at, *others)

    def scored_stretch(self, first: int, last: int, *, version: int) -> ScoredColumns:
        """Return the answers of one version at the positions of `stretch`, without their inputs.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._reading() as connection:
            parts, position = _parts_at(connection, first, last, inputs=False)
            outcomes = _outcomes_of(connection, parts)
        rows: list[tuple[Any, ...]] = []
        for part in parts:
            if part.by.version == version:
                rows.extend(
                    (place, prediction, probability, outcomes.get(identity, UNKNOWN)[0])
                    for place, (_, identity, prediction, probability, error) in enumerate(
                        told(part), start=position
                    )
                    if first <= place < last and not error
                )
            position += part.rows
        return ScoredColumns(*zip(*rows, strict=True)) if rows else ScoredColumns()

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, oldest first; keys without an answer are left out.

        Raises:
            JournalError: The log cannot be read.
        """
        wanted = set(keys) - {""}
        found: dict[str, list[str]] = {}
        with self._reading() as connection:
            for ids, answers in connection.execute("SELECT ids, answers FROM chunks"):
                fields = unpack_answers(answers)
                for identity, key, error in zip(
                    unpack_ids(ids), fields["key"], fields["error"], strict=True
                ):
                    if key in wanted and not error:
                        found.setdefault(key, []).append(identity)
        return {key: sorted(ids) for key, ids in found.items()}

    def arms(self, *, generation: int, slow_s: Sequence[float] = ()) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under `generation` or later.

        Answers to requests that named their version themselves are not counted: nobody drew them.

        Args:
            generation: Generation of the deployment document.
            slow_s: Limits in seconds; answers that took longer are counted for each.

        Raises:
            JournalError: The log cannot be read.
        """
        limits = tuple(slow_s)
        asked = {"generation": generation, "scale": self._scale}
        with self._reading() as connection:
            totals = connection.execute(_ARMS, asked).fetchall()
            losses = {version: sums for version, *sums in connection.execute(_LOSSES, asked)}
            slow = self._slow.setdefault((generation, limits), _Slow(limits))
            if limits:
                unseen = {"generation": generation, "seen": slow.seen}
                slow.add(connection.execute(_LATENCIES, unseen))
        nothing = (0, 0.0, 0.0)
        return {
            version: ArmCounts(
                version=version,
                requests=requests,
                errors=errors,
                slow=slow.of(version),
                outcomes=losses.get(version, nothing)[0],
                outcome_sum=float(losses.get(version, nothing)[1]),
                outcome_squares=float(losses.get(version, nothing)[2]),
            )
            for version, requests, errors in totals
        }

    def span(self) -> tuple[float, float, int]:
        """Return first and last instant and the number of answers; (0, 0, 0) when empty.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._reading() as connection:
            first, last, count = connection.execute(
                "SELECT MIN(first_at), MAX(last_at), SUM(rows) FROM chunks"
            ).fetchone()
        return (first, last, count) if count else (0.0, 0.0, 0)

    def close(self) -> None:
        """Close the file; what was acknowledged is on disk already."""
        with self._lock:
            self._connection.close()

    def _prepare(self) -> None:
        """Put the file into WAL mode and make its tables."""
        connection = self._connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout == _LAYOUT:
            return
        if layout:
            msg = (
                f"{self._path} has layout {layout}; this version of setpoint knows layout {_LAYOUT}"
            )
            raise JournalError(msg)
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_LAYOUT}; COMMIT;"
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock of the file; commit at the end, or roll back and translate the error."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                msg = f"cannot write the prediction log {self._path}: {error}"
                raise JournalError(msg) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """Read one consistent state of the file."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN")
                yield connection
            except sqlite3.Error as error:
                msg = f"cannot read the prediction log {self._path}: {error}"
                raise JournalError(msg) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


class _Slow:
    """Answers that took longer than some limits, counted chunk by chunk as these come.

    Args:
        limits: In seconds.

    Attributes:
        seen: Number of the last chunk that was counted.
    """

    def __init__(self, limits: tuple[float, ...]) -> None:
        self.seen = 0
        self._limits = limits
        self._counts: dict[int, list[int]] = {}

    def add(self, chunks: Iterable[tuple[int, int, bytes]]) -> None:
        """Count the chunks that came since."""
        for number, version, answers in chunks:
            fields = unpack_answers(answers)
            taken = np.array(fields["latency_s"])[np.array(fields["propensity"]) > 0]
            counts = self._counts.setdefault(version, [0] * len(self._limits))
            for place, limit in enumerate(self._limits):
                counts[place] += int(np.count_nonzero(taken > limit))
            self.seen = number

    def of(self, version: int) -> dict[float, int]:
        """Return the count of each limit."""
        counts = self._counts.get(version, [0] * len(self._limits))
        return dict(zip(self._limits, counts, strict=True))


def _number_of(connection: sqlite3.Connection, by: Answerer) -> int:
    """Return the number of an answerer, which is noted when it appears first."""
    document = msgspec.json.encode(by)
    connection.execute(_NOTE, (document, by.version, by.generation))
    (number,) = connection.execute(
        "SELECT number FROM answerers WHERE document = ?", (document,)
    ).fetchone()
    return int(number)


def _parts(
    connection: sqlite3.Connection, chosen: str, asked: Mapping[str, Any], *, inputs: bool
) -> list[Part]:
    """Return chunks, with their inputs or without."""
    blobs = "c.ids, c.answers, c.inputs" if inputs else "c.ids, c.answers, x''"
    found = connection.execute(f"SELECT {_HEAD}, {blobs} {chosen}", asked)
    answerers: dict[bytes, Answerer] = {}
    parts = []
    for first_id, last_id, rows, document, *packed in found:
        by = answerers.get(document)
        if by is None:
            by = answerers[document] = _read_answerer(document)
        parts.append(Part(first_id, last_id, rows, by, *packed))
    return parts


def _parts_at(
    connection: sqlite3.Connection, first: int, last: int, *, inputs: bool
) -> tuple[list[Part], int]:
    """Return the chunks that hold the positions from `first` up to `last`, and the position of their first answer."""
    chosen: list[int] = []
    start = position = 0
    for number, count in connection.execute("SELECT number, rows FROM chunks ORDER BY number"):
        if position < last and position + count > first:
            if not chosen:
                start = position
            chosen.append(number)
        position += count
    if not chosen:
        return [], 0
    asked = {"first": chosen[0], "last": chosen[-1]}
    return _parts(connection, _NUMBERED, asked, inputs=inputs), start


def _outcomes_of(connection: sqlite3.Connection, parts: Sequence[Part]) -> Outcomes:
    """Return value and instant of every outcome known of the answers in some chunks."""
    if not parts:
        return {}
    between = (min(part.first_id for part in parts), max(part.last_id for part in parts))
    found = connection.execute(
        "SELECT prediction, value, at FROM outcomes WHERE prediction BETWEEN ? AND ?", between
    )
    return {prediction: (value, at) for prediction, value, at in found}


def _ids_between(connection: sqlite3.Connection, first: str, last: str) -> set[str]:
    """Return the ids of the chunks that reach into a range of ids."""
    found = connection.execute(_HOLDING, {"first": first, "last": last})
    return {identity for (ids,) in found for identity in unpack_ids(ids)}


def _record(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> int:
    """Record outcomes and return how many were new."""
    answered = _answers_of(connection, [outcome.prediction for outcome in outcomes])
    new = 0
    for outcome in outcomes:
        known = connection.execute(
            "SELECT value FROM outcomes WHERE prediction = ?", (outcome.prediction,)
        ).fetchone()
        if known is None:
            line = (outcome.prediction, outcome.value, outcome.at, *answered[outcome.prediction])
            connection.execute("INSERT INTO outcomes VALUES (?, ?, ?, ?, ?, ?)", line)
            new += 1
        elif known[0] != outcome.value:
            raise OutcomeConflictError(outcome.prediction, known=known[0], given=outcome.value)
    return new


def _answers_of(
    connection: sqlite3.Connection, predictions: Sequence[str]
) -> dict[str, tuple[int, str | float | None, bool]]:
    """Return answerer, answer and whether it was drawn, of each prediction.

    Raises:
        UnknownPredictionError: The log does not hold one of them.
    """
    wanted = set(predictions)
    found: dict[str, tuple[int, str | float | None, bool]] = {}
    asked = {"first": min(wanted, default=""), "last": max(wanted, default="")}
    for answerer, ids, answers in connection.execute(_ANSWERED, asked):
        places = [(at, one) for at, one in enumerate(unpack_ids(ids)) if one in wanted]
        if places:
            fields = unpack_answers(answers)
            for at, one in places:
                found[one] = (answerer, fields["prediction"][at], fields["propensity"][at] > 0)
    if len(found) < len(wanted):
        raise UnknownPredictionError([one for one in predictions if one not in found])
    return found


_read_answerer = msgspec.json.Decoder(Answerer).decode
