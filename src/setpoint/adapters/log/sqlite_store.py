"""The SQLite file of the prediction log: its tables and its transactions. See `setpoint.adapters.log.store`."""

import fcntl
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import apsw

from setpoint.adapters.log.answer_chunk import Chunk
from setpoint.adapters.log.sqlite_checkpoints import Checkpoints
from setpoint.adapters.log.store import APPEND, FRESH, Judged, Statements, line_of
from setpoint.errors import JournalError
from setpoint.facts.prediction import Answerer

_LAYOUT = 4
_READABLE = (0, 3)  # earlier layouts, to which only tables and views are added; 0 is an empty file
_LONG_FRAMES = 2_000  # pages in the write-ahead log at which it is begun anew
_LONGEST_FRAMES = 16_000  # at which a commit makes a checkpoint itself
_TRIES, _PAUSE_S = 50, 0.1  # to empty a write-ahead log that somebody reads or moves just now
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
CREATE TABLE IF NOT EXISTS outcomes (
    prediction TEXT PRIMARY KEY, value NOT NULL, at REAL NOT NULL, answerer INTEGER NOT NULL REFERENCES answerers,
    answer, drawn INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS outcomes_answerer ON outcomes (answerer);
CREATE VIEW IF NOT EXISTS told AS
SELECT prediction, CASE WHEN typeof(value) = 'text' THEN value END AS text,
       CASE WHEN typeof(value) <> 'text' THEN value END AS number, at
FROM outcomes;
CREATE TABLE IF NOT EXISTS removed (
    at REAL NOT NULL, why TEXT NOT NULL, answers INTEGER NOT NULL, outcomes INTEGER NOT NULL,
    last_position INTEGER NOT NULL, last_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS taken (
    name TEXT PRIMARY KEY, first_position INTEGER NOT NULL, last_position INTEGER NOT NULL
) WITHOUT ROWID;
"""
_LOSSES = """
SELECT version, generation, COUNT(loss), COALESCE(SUM(loss), 0), COALESCE(SUM(loss * loss), 0) FROM (
    SELECT a.version, a.generation,
           CASE WHEN typeof(o.answer) = 'text' THEN o.answer <> CAST(o.value AS TEXT)
                ELSE MIN(ABS(o.answer - o.value) / :scale, 1.0) END AS loss
    FROM outcomes o JOIN answerers a ON a.number = o.answerer WHERE a.generation >= :generation AND o.drawn
) GROUP BY version, generation
"""
_KNOWN = "SELECT value FROM outcomes WHERE prediction = :prediction"
_TELL = "INSERT INTO outcomes VALUES (:prediction, :value, :at, :answerer, :answer, :drawn)"


class LogFile:
    """One connection to the file; a `setpoint.adapters.log.store.LogStore`. Its transactions wait for each other.

    Nothing else in its process may open the file but by `apsw`: what closes it would drop the locks of this one.

    Args:
        path: The file; it and its folder are made where missing.

    Raises:
        JournalError: The file cannot be opened, or has a layout that this version does not know.
    """

    losses = _LOSSES

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        self._lock = threading.RLock()
        self._checkpoints = Checkpoints(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = apsw.Connection(str(path))
            self._prepare()
        except (apsw.Error, OSError) as error:
            msg = f"cannot open the prediction log {path}: {error}"
            raise JournalError(msg) from error

    def scrub(self) -> str:
        """Write the file anew without what was deleted, and empty the log beside it.

        Raises:
            JournalError: The file cannot be written.
        """
        with self._lock:
            try:
                self._connection.execute("VACUUM")
                busy = self._truncate()
            except apsw.Error as error:
                msg = f"cannot write the prediction log {self.path} anew: {error}"
                raise JournalError(msg) from error
        if busy:
            return f"somebody reads {self.path}-wal just now, which may hold some still"
        return ""

    def checkpoint(self) -> None:
        """Have what was committed moved from the write-ahead log into the file, before a commit has to do it.

        It is copied beside commits. Once the write-ahead log is long, the last step is made here, under the lock that
        keeps commits away, so that the next one begins it anew.
        """
        if self._checkpoints.frames < _LONG_FRAMES:
            self._checkpoints.ask()
            return
        self._checkpoints.frames = 0
        with self._lock, suppress(apsw.Error):  # what stays is as safe where it is
            self._connection.wal_checkpoint()

    def close(self) -> None:
        """Close the file; what was acknowledged is on disk already."""
        self._checkpoints.close()
        with self._lock:
            self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[Statements]:
        """Hold the write lock of the file; commit at the end, or roll back and translate the error."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except apsw.Error as error:
                raise self._unwritable(error) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def append(self, chunk: Chunk, answerer: int) -> bool:
        """Append a chunk in a transaction of its own; see `setpoint.adapters.log.store.LogStore.append`.

        It is one statement, which begins and commits by itself: each further one would have the thread wait for the
        interpreter again. Within a transaction of this thread it would be committed by that, or not at all.
        """
        with self._lock:
            if self._connection.in_transaction:
                msg = f"cannot append to the prediction log {self.path} within another transaction"
                raise JournalError(msg)
            try:
                self._connection.execute(APPEND, line_of(chunk, answerer))
                return self._connection.changes() > 0
            except apsw.Error as error:
                raise self._unwritable(error) from error

    @contextmanager
    def reading(self) -> Iterator[Statements]:
        """Read one consistent state of the file."""
        with self._lock:
            connection = self._connection
            try:
                connection.execute("BEGIN")
                yield connection
            except apsw.Error as error:
                msg = f"cannot read the prediction log {self.path}: {error}"
                raise JournalError(msg) from error
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Give whether no other process moves or removes answers; none begins to until this is left.

        Raises:
            JournalError: The lock cannot be taken.
        """
        folder = self.path.with_suffix("")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = (folder / ".lock").open("w")
        except OSError as error:
            msg = f"cannot lock the prediction log {self.path}: {error}"
            raise JournalError(msg) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True

    def claim(self, connection: Statements, by: Answerer) -> None:
        """Let anybody have answers in the file."""

    def known(self, connection: Statements, predictions: Sequence[str]) -> dict[str, str | float]:
        """Return the outcomes that are known of predictions."""
        found = (
            (one, connection.execute(_KNOWN, {"prediction": one}).fetchone()) for one in predictions
        )
        return {one: line[0] for one, line in found if line is not None}

    def tell(self, connection: Statements, outcomes: Sequence[Judged]) -> None:
        """Insert outcomes that are not known."""
        connection.executemany(_TELL, [one._asdict() for one in outcomes])

    def _unwritable(self, error: apsw.Error) -> JournalError:
        return JournalError(f"cannot write the prediction log {self.path}: {error}")

    def _truncate(self) -> bool:
        """Empty the write-ahead log, and return whether somebody was in the way all the time."""
        self._wait_for_others(_PAUSE_S)
        try:
            for _ in range(_TRIES):
                with suppress(apsw.BusyError):
                    self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                    return False
                time.sleep(_PAUSE_S)  # SQLite does not wait for another's checkpoint
            return True
        finally:
            self._wait_for_others(_BUSY_S)

    def _wait_for_others(self, seconds: float) -> None:
        """Say how long statements wait for other processes from now on."""
        self._connection.set_busy_timeout(round(seconds * 1e3))

    def _prepare(self) -> None:
        """Put the file into WAL mode and make its tables."""
        connection = self._connection
        self._wait_for_others(_BUSY_S)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LONGEST_FRAMES}")
        connection.execute(
            "PRAGMA secure_delete = OFF"
        )  # what is deleted lies in a file; erasing vacuums
        layout = connection.pragma("user_version")
        if layout == _LAYOUT:
            return
        if layout not in _READABLE:
            msg = (
                f"{self.path} has layout {layout}; this version of setpoint knows layout {_LAYOUT}"
            )
            raise JournalError(msg)
        view = f"CREATE VIEW IF NOT EXISTS fresh AS {FRESH};"
        end = f"PRAGMA user_version = {_LAYOUT}; COMMIT;"
        connection.execute(f"BEGIN IMMEDIATE; {_TABLES} {view} {end}")
