"""The SQLite file of the prediction log: its tables, its transactions, and which answers lie where.

Answers come as chunks. Those of hours that are over lie in Parquet files (`setpoint.adapters.log_compaction`), which
are listed here: a file that is not listed does not count. A chunk whose hour has a file that reaches its position was
moved there and does not count any more, whether its bytes are still here or not: the view `fresh` has the others.
"""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from setpoint.adapters.answer_chunk import Chunk
from setpoint.adapters.log_table import Part
from setpoint.errors import JournalError
from setpoint.facts.prediction import Answerer

_LAYOUT = 3
_BUSY_S = 15.0  # how long a writer waits for another process's transaction
_TABLES = """
CREATE TABLE IF NOT EXISTS answerers (
    number INTEGER PRIMARY KEY, document BLOB NOT NULL UNIQUE, model TEXT NOT NULL, version INTEGER NOT NULL,
    generation INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS chunks (
    position INTEGER PRIMARY KEY, answerer INTEGER NOT NULL REFERENCES answerers, hour INTEGER NOT NULL,
    first_id TEXT NOT NULL, last_id TEXT NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL, rows INTEGER NOT NULL,
    drawn INTEGER NOT NULL, errors INTEGER NOT NULL, ids BLOB NOT NULL, answers BLOB NOT NULL, inputs BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS chunks_at ON chunks (last_at, first_at);
CREATE INDEX IF NOT EXISTS chunks_id ON chunks (last_id, first_id);
CREATE TABLE IF NOT EXISTS files (
    number INTEGER PRIMARY KEY, model TEXT NOT NULL, hour INTEGER NOT NULL, name TEXT NOT NULL UNIQUE,
    rows INTEGER NOT NULL, size INTEGER NOT NULL, first_position INTEGER NOT NULL, last_position INTEGER NOT NULL,
    first_id TEXT NOT NULL, last_id TEXT NOT NULL, first_at REAL NOT NULL, last_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS files_hour ON files (model, hour, last_position);
CREATE INDEX IF NOT EXISTS files_position ON files (last_position);
CREATE INDEX IF NOT EXISTS files_at ON files (last_at);
CREATE INDEX IF NOT EXISTS files_id ON files (last_id);
CREATE TABLE IF NOT EXISTS filed (
    file INTEGER NOT NULL REFERENCES files, answerer INTEGER NOT NULL REFERENCES answerers, rows INTEGER NOT NULL,
    drawn INTEGER NOT NULL, errors INTEGER NOT NULL, PRIMARY KEY (file, answerer)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS fresh AS
SELECT c.*, a.model, a.version, a.generation, a.document FROM chunks c JOIN answerers a ON a.number = c.answerer
WHERE NOT EXISTS (
    SELECT 1 FROM files f WHERE f.model = a.model AND f.hour = c.hour AND f.last_position >= c.position
);
CREATE TABLE IF NOT EXISTS outcomes (
    prediction TEXT PRIMARY KEY, value NOT NULL, at REAL NOT NULL, answerer INTEGER NOT NULL REFERENCES answerers,
    answer, drawn INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outcomes_answerer ON outcomes (answerer);
"""
_INSERT = "INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_NOTE = """
INSERT INTO answerers (document, model, version, generation) VALUES (?, ?, ?, ?) ON CONFLICT (document) DO NOTHING
"""
_END = """
SELECT MAX(e) FROM (
    SELECT 0 AS e UNION ALL SELECT MAX(last_position) + 1 FROM files
    UNION ALL SELECT * FROM (SELECT position + rows FROM chunks ORDER BY position DESC LIMIT 1)
)
"""

Axis = Literal["at", "position", "id"]
"""What a stretch of the log is measured by."""

_PARTS = """
SELECT position, answerer, rows, document, ids, answers, CASE WHEN :inputs THEN inputs ELSE x'' END FROM fresh WHERE
"""
_NAMES = "SELECT name FROM files WHERE"
_FRESH: Mapping[Axis, str] = {
    "at": "last_at >= :low AND first_at < :high",
    # The chunk that holds the first position is the last to begin at or before it.
    "position": """
    position < :high AND position >= (SELECT COALESCE(MAX(position), 0) FROM chunks WHERE position <= :low)
    """,
    "id": "last_id >= :low AND first_id <= :high",
}
_FILES: Mapping[Axis, str] = {
    "at": "last_at >= :low AND first_at < :high",
    "position": "last_position >= :low AND first_position < :high",
    "id": "last_id >= :low AND first_id <= :high",
}
_PARTS_REST = "AND (:version IS NULL OR version = :version) AND generation >= :generation"
_NAMES_REST = """
AND EXISTS (
    SELECT 1 FROM filed JOIN answerers a ON a.number = answerer
    WHERE file = files.number AND (:version IS NULL OR a.version = :version) AND a.generation >= :generation
) ORDER BY hour, first_position
"""


class Stretch(NamedTuple):
    """Part of the log.

    Args:
        axis: What it is measured by.
        low: Where it begins, inclusive.
        high: Where it ends: of ids inclusive, else exclusive.
        version: Version that answered; None means any.
        generation: Earliest deployment document. Files and chunks without an answer under it or a later one are passed
            over; others are read with all that is in them.
    """

    axis: Axis
    low: Any
    high: Any
    version: int | None = None
    generation: int = 0


class LogFile:
    """One connection to the file. Safe to call from any thread; transactions of one object wait for each other.

    Args:
        path: The file; it and its folder are made where missing.

    Raises:
        JournalError: The file cannot be opened, or has a layout that this version does not know.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False
            )
            self._prepare()
        except (sqlite3.Error, OSError) as error:
            msg = f"cannot open the prediction log {path}: {error}"
            raise JournalError(msg) from error

    def close(self) -> None:
        """Close the file; what was acknowledged is on disk already."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock of the file; commit at the end, or roll back and translate the error."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                msg = f"cannot write the prediction log {self.path}: {error}"
                raise JournalError(msg) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read one consistent state of the file."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN")
                yield connection
            except sqlite3.Error as error:
                msg = f"cannot read the prediction log {self.path}: {error}"
                raise JournalError(msg) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _prepare(self) -> None:
        """Put the file into WAL mode and make its tables."""
        connection = self._connection
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = OFF")  # what is deleted here lies in a file
        (layout,) = connection.execute("PRAGMA user_version").fetchone()
        if layout == _LAYOUT:
            return
        if layout:
            msg = (
                f"{self.path} has layout {layout}; this version of setpoint knows layout {_LAYOUT}"
            )
            raise JournalError(msg)
        connection.executescript(
            f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_LAYOUT}; COMMIT;"
        )


def append_chunks(connection: sqlite3.Connection, chunks: list[Chunk]) -> None:
    """Append chunks at the end of the log."""
    position = end_of(connection)
    for chunk in chunks:
        number = _number_of(connection, chunk.by)
        connection.execute(_INSERT, (position, number, *chunk[1:]))
        position += chunk.rows


def end_of(connection: sqlite3.Connection) -> int:
    """Return the position after the last answer: the number of answers."""
    (end,) = connection.execute(_END).fetchone()
    return int(end)


def parts_of(connection: sqlite3.Connection, stretch: Stretch, *, inputs: bool) -> list[Part]:
    """Return the fresh chunks that reach into a stretch of the log, in no order, with their inputs or without."""
    query = " ".join((_PARTS, _FRESH[stretch.axis], _PARTS_REST))
    found = connection.execute(query, {**stretch._asdict(), "inputs": inputs})
    answerers: dict[bytes, Answerer] = {}
    parts = []
    for position, answerer, rows, document, *packed in found:
        by = answerers.get(document)
        if by is None:
            by = answerers[document] = read_answerer(document)
        parts.append(Part(position, answerer, rows, by, *packed))
    return parts


def files_of(connection: sqlite3.Connection, stretch: Stretch) -> list[str]:
    """Return the names of the files that reach into a stretch of the log, in order of time."""
    query = " ".join((_NAMES, _FILES[stretch.axis], _NAMES_REST))
    found = connection.execute(query, stretch._asdict())
    return [name for (name,) in found]


def inputs_of_answerers(connection: sqlite3.Connection) -> dict[int, tuple[str, ...]]:
    """Return the names of the inputs that each answerer was given, by its number."""
    found = connection.execute("SELECT number, document FROM answerers")
    return {number: read_answerer(document).columns for number, document in found}


read_answerer = msgspec.json.Decoder(Answerer).decode
"""Returns an answerer as its document has it."""


def _number_of(connection: sqlite3.Connection, by: Answerer) -> int:
    """Return the number of an answerer, which is noted when it appears first."""
    document = msgspec.json.encode(by)
    connection.execute(_NOTE, (document, by.model, by.version, by.generation))
    (number,) = connection.execute(
        "SELECT number FROM answerers WHERE document = ?", (document,)
    ).fetchone()
    return int(number)
