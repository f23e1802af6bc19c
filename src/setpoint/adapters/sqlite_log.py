"""The log of predictions and outcomes in one SQLite file.

Rules:
1. A call that returned is on disk: WAL mode with `synchronous=FULL` fsyncs every commit, so neither kill -9 nor a power
   cut takes back what was acknowledged.
2. Many processes may read while one writes; writers of several processes wait for each other.
3. Appending an answer again, or recording the same outcome again, changes nothing.

Rows go in by statements of many rows each: SQLite works on them without Python's interpreter lock, which a gateway's
event loop needs at the same time.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa

from setpoint.errors import JournalError, OutcomeConflictError, UnknownPredictionError
from setpoint.facts.prediction import Outcome, Prediction
from setpoint.facts.release import ArmCounts

_LAYOUT = 1
_BUSY_S = 15.0  # how long a writer waits for another process's transaction
_LATENCIES = 10_000
_CHUNKS = tuple(1 << power for power in range(8, -1, -1))  # rows of one statement: 256, 128 … 1
_COLUMNS = (
    "id",
    "at",
    "model",
    "version",
    "contract",
    "generation",
    "variant",
    "propensity",
    "key",
    "request",
    "features",
    "prediction",
    "probability",
    "latency_s",
    "error",
)
_TABLES = """
CREATE TABLE IF NOT EXISTS predictions (
    id TEXT PRIMARY KEY, at REAL NOT NULL, model TEXT NOT NULL, version INTEGER NOT NULL, contract TEXT NOT NULL,
    generation INTEGER NOT NULL, variant TEXT NOT NULL, propensity REAL NOT NULL, key TEXT NOT NULL,
    request TEXT NOT NULL, features BLOB NOT NULL, prediction, probability REAL, latency_s REAL NOT NULL,
    error TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS predictions_at ON predictions (at);
CREATE INDEX IF NOT EXISTS predictions_arm ON predictions (generation, version);
CREATE TABLE IF NOT EXISTS outcomes (prediction TEXT PRIMARY KEY, value NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
"""
_WINDOW = """
SELECT p.id, p.at, p.version, p.generation, p.variant, p.prediction, p.probability, p.latency_s, p.error,
       o.value, o.at, p.features
FROM predictions p LEFT JOIN outcomes o ON o.prediction = p.id
WHERE p.at >= ? AND p.at < ? AND (? IS NULL OR p.version = ?) ORDER BY p.at, p.id
"""
# Positions are given in the order of ids: these ascend with time, and the index of the table has them so.
_STRETCH = """
SELECT p.id, p.at, p.version, p.generation, p.variant, p.prediction, p.probability, p.latency_s, p.error,
       o.value, o.at, p.features, p.position
FROM (SELECT page.*, ROW_NUMBER() OVER (ORDER BY page.id) + :first - 1 AS position
      FROM (SELECT * FROM predictions ORDER BY id LIMIT :count OFFSET :first) page) p
LEFT JOIN outcomes o ON o.prediction = p.id
WHERE :version IS NULL OR p.version = :version ORDER BY p.position
"""
# Without the inputs: what a look at every answer since a promotion can afford.
_SCORED = """
SELECT p.at, p.prediction, p.probability, o.value
FROM predictions p LEFT JOIN outcomes o ON o.prediction = p.id
WHERE p.at >= :first AND p.at < :last AND p.version = :version AND p.error = '' ORDER BY p.at, p.id
"""
# Every version's, as they all have positions: counting them here takes a fifth of the time of ROW_NUMBER.
_SCORED_STRETCH = """
SELECT p.prediction, p.probability, o.value, p.version = :version AND p.error = ''
FROM predictions p LEFT JOIN outcomes o ON o.prediction = p.id
ORDER BY p.id LIMIT :last - :first OFFSET :first
"""
# An answer to a request that named its version was not drawn by a canary: its propensity is 0, and no arm counts it.
_ARMS = """
SELECT p.version, COUNT(*), SUM(p.error <> ''), COUNT(l.loss), COALESCE(SUM(l.loss), 0),
       COALESCE(SUM(l.loss * l.loss), 0)
FROM predictions p LEFT JOIN (
    SELECT p.id, CASE WHEN typeof(p.prediction) = 'text' THEN p.prediction <> CAST(o.value AS TEXT)
                      ELSE ABS(p.prediction - o.value) / :scale END AS loss
    FROM predictions p JOIN outcomes o ON o.prediction = p.id WHERE p.generation >= :generation
) l ON l.id = p.id
WHERE p.generation >= :generation AND p.propensity > 0 GROUP BY p.version ORDER BY p.version
"""
_LATENCY = """
SELECT latency_s FROM predictions WHERE generation >= ? AND version = ? AND propensity > 0
ORDER BY id DESC LIMIT ?
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
        self._encode = msgspec.json.Encoder().encode
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
        rows = [self._row(prediction) for prediction in predictions]
        with self._transaction() as connection:
            start = 0
            for size in _CHUNKS:
                statement = _insert(size)
                while len(rows) - start >= size:
                    connection.execute(statement, sum(rows[start : start + size], ()))
                    start += size

    def record(self, outcomes: Sequence[Outcome]) -> int:
        """Record outcomes, all or none, and return how many were new; the same again changes nothing.

        Raises:
            UnknownPredictionError: An outcome names a prediction that the log does not hold.
            OutcomeConflictError: An outcome contradicts an earlier one.
            JournalError: The log cannot be written.
        """
        with self._transaction() as connection:
            self._require_known(connection, outcomes)
            return sum(_record(connection, outcome) for outcome in outcomes)

    def window(self, start: float, end: float, *, version: int | None = None) -> pa.Table:
        """Return answers in [start, end) with their outcomes so far, in order of time.

        Columns: `id, at, version, generation, variant, prediction, probability, latency_s, error, outcome, outcome_at`,
        and every feature under its own name prefixed `feature.`. `prediction` and `outcome` are text for classes and
        float64 for numbers; a feature that some rows lack is null there.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._reading() as connection:
            rows = connection.execute(_WINDOW, (start, end, version, version)).fetchall()
        return _table(rows)

    def stretch(self, first: int, last: int, *, version: int | None = None) -> pa.Table:
        """Return the answers at the positions from `first` up to `last`, counted from 0, with their outcomes so far.

        Answers of every version have a position, in the order of their ids. Columns are those of `window`, and
        `position`.

        Args:
            first: First position, 0 or more.
            last: Position after the last.
            version: Only answers of this version; None means all.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = {"first": first, "count": max(last - first, 0), "version": version}
        with self._reading() as connection:
            rows = connection.execute(_STRETCH, asked).fetchall()
        positions = pa.array([row[-1] for row in rows], pa.int64())
        return _table([row[:-1] for row in rows]).append_column("position", positions)

    def scored(self, start: float, end: float, *, version: int) -> ScoredColumns:
        """Return the answers of one version in [start, end), in order of time and without their inputs.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = {"first": start, "last": end, "version": version}
        with self._reading() as connection:
            rows = connection.execute(_SCORED, asked).fetchall()
        return ScoredColumns(*zip(*rows, strict=True)) if rows else ScoredColumns()

    def scored_stretch(self, first: int, last: int, *, version: int) -> ScoredColumns:
        """Return the answers of one version at the positions of `stretch`, without their inputs.

        Raises:
            JournalError: The log cannot be read.
        """
        asked = {"first": first, "last": max(first, last), "version": version}
        with self._reading() as connection:
            found = connection.execute(_SCORED_STRETCH, asked)
            rows = [
                (position, *row[:3]) for position, row in enumerate(found, start=first) if row[3]
            ]
        return ScoredColumns(*zip(*rows, strict=True)) if rows else ScoredColumns()

    def of_keys(self, keys: Sequence[str]) -> dict[str, list[str]]:
        """Return the ids of the answers about each key, oldest first; keys without an answer are left out.

        Raises:
            JournalError: The log cannot be read.
        """
        wanted = set(keys)
        found: dict[str, list[str]] = {}
        query = "SELECT key, id FROM predictions WHERE key <> '' AND error = '' ORDER BY id"
        with self._reading() as connection:
            for key, identity in connection.execute(query):
                if key in wanted:
                    found.setdefault(key, []).append(identity)
        return found

    def arms(self, *, generation: int) -> dict[int, ArmCounts]:
        """Return counts by version over answers given under `generation` or later.

        Answers to requests that named their version themselves are not counted: nobody drew them.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._reading() as connection:
            totals = connection.execute(
                _ARMS, {"generation": generation, "scale": self._scale}
            ).fetchall()
            counts = {}
            for version, requests, errors, known, loss, squares in totals:
                latencies = connection.execute(_LATENCY, (generation, version, _LATENCIES))
                counts[version] = ArmCounts(
                    version=version,
                    requests=requests,
                    errors=errors,
                    latency_s=tuple(latency for (latency,) in latencies)[::-1],
                    outcome_sum=float(loss),
                    outcome_squares=float(squares),
                    outcomes=known,
                )
            return counts

    def span(self) -> tuple[float, float, int]:
        """Return first and last instant and the number of answers; (0, 0, 0) when empty.

        Raises:
            JournalError: The log cannot be read.
        """
        with self._reading() as connection:
            first, last, count = connection.execute(
                "SELECT MIN(at), MAX(at), COUNT(*) FROM predictions"
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
        if layout > _LAYOUT:
            msg = (
                f"{self._path} has layout {layout}; this version of setpoint knows up to {_LAYOUT}"
            )
            raise JournalError(msg)
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_LAYOUT}; COMMIT;"
        )

    def _row(self, prediction: Prediction) -> tuple[Any, ...]:
        """Return a prediction as the values of `_COLUMNS`."""
        return (
            prediction.id,
            prediction.at,
            prediction.model,
            prediction.version,
            prediction.contract,
            prediction.generation,
            prediction.variant,
            prediction.propensity,
            prediction.key,
            prediction.request,
            self._encode(prediction.features),
            prediction.prediction,
            prediction.probability,
            prediction.latency_s,
            prediction.error,
        )

    @staticmethod
    def _require_known(connection: sqlite3.Connection, outcomes: Sequence[Outcome]) -> None:
        """Refuse outcomes of predictions that the log does not hold."""
        held = "SELECT 1 FROM predictions WHERE id = ?"
        unknown = [
            outcome.prediction
            for outcome in outcomes
            if connection.execute(held, (outcome.prediction,)).fetchone() is None
        ]
        if unknown:
            raise UnknownPredictionError(unknown)

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


def _table(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return answers with their outcomes as columns; `rows` are as `_WINDOW` selects them."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    columns = list(zip(*rows, strict=True)) if rows else [()] * 12
    table = {
        "id": pa.array(columns[0], pa.string()),
        "at": pa.array(columns[1], pa.float64()),
        "version": pa.array(columns[2], pa.int64()),
        "generation": pa.array(columns[3], pa.int64()),
        "variant": pa.array(columns[4], pa.string()),
        "prediction": _array(columns[5]),
        "probability": pa.array(columns[6], pa.float64()),
        "latency_s": pa.array(columns[7], pa.float64()),
        "error": pa.array(columns[8], pa.string()),
        "outcome": _array(columns[9]),
        "outcome_at": pa.array(columns[10], pa.float64()),
    }
    features = [decode(text) for text in columns[11]]
    names = dict.fromkeys(name for row in features for name in row)
    for name in names:
        table[f"feature.{name}"] = _array([row.get(name) for row in features])
    return pa.table(table)


def _insert(rows: int) -> str:
    """Return the statement that inserts this many rows."""
    one = f"({', '.join('?' * len(_COLUMNS))})"
    names = ", ".join(_COLUMNS)
    return (
        f"INSERT INTO predictions ({names}) VALUES {', '.join([one] * rows)} "  # noqa: S608 (own constants)
        "ON CONFLICT (id) DO NOTHING"
    )


def _record(connection: sqlite3.Connection, outcome: Outcome) -> bool:
    """Record one outcome and return whether it was new."""
    known = connection.execute(
        "SELECT value FROM outcomes WHERE prediction = ?", (outcome.prediction,)
    ).fetchone()
    if known is None:
        connection.execute(
            "INSERT INTO outcomes (prediction, value, at) VALUES (?, ?, ?)",
            (outcome.prediction, outcome.value, outcome.at),
        )
        return True
    if known[0] != outcome.value:
        raise OutcomeConflictError(outcome.prediction, known=known[0], given=outcome.value)
    return False


def _array(values: Sequence[Any]) -> pa.Array:
    """Return values as float64, bool or text, whichever holds them all; of mixed kinds, text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float}:
        return pa.array([None if value is None else float(value) for value in values], pa.float64())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds == {str}:
        return pa.array(values, pa.string())
    return pa.array([None if value is None else class_text(value) for value in values], pa.string())


def class_text(value: str | float) -> str:
    """Return a class as text; one that was given as a number is the class of that name, 1 and 1.0 alike."""
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)
