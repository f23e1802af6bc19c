"""Where the rows of the prediction log lie: what its readers and writers ask of SQLite or PostgreSQL.

Answers come as chunks (`setpoint.adapters.log.answer_chunk`). Those of hours that are over lie in Parquet files
(`setpoint.adapters.log.compaction`), which are listed in the tables: a file that is not listed does not count. A chunk
whose hour has a file that reaches its position was moved there and does not count any more, whether its bytes are still
there or not: the view `fresh` has the others. The view `told` has the outcomes: `text` of classes, `number` of numbers.

Statements are written once for both, in the SQL that both have, with values by name: `:name`.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from setpoint.adapters.log.answer_chunk import Chunk
from setpoint.adapters.log.table import Part
from setpoint.facts.prediction import Answerer

Axis = Literal["at", "position", "id"]
"""What a stretch of the log is measured by."""


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


class Lines(Protocol):
    """What a statement found."""

    def fetchone(self) -> Any:
        """Return the next line, or None."""

    def fetchall(self) -> list[Any]:
        """Return the lines that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Statements(Protocol):
    """A transaction under way."""

    def execute(self, statement: str, values: Mapping[str, Any] = ..., /) -> Lines:
        """Carry out a statement."""

    def executemany(self, statement: str, values: Sequence[Mapping[str, Any]], /) -> object:
        """Carry out a statement for each of several sets of values."""


class Judged(NamedTuple):
    """An outcome beside the answer that it is about, as it is recorded.

    Args:
        prediction: Prediction id.
        value: The truth.
        at: When it was received.
        answerer: Number of who answered.
        answer: The answer; None where there was none.
        drawn: Whether the version was drawn.
    """

    prediction: str
    value: str | float
    at: float
    answerer: int
    answer: str | float | None
    drawn: bool


class LogStore(Protocol):
    """The tables of one log. Safe to call from any thread.

    Attributes:
        name: Where it is, for people; without a password.
        losses: Statement that sums losses by version and generation, of outcomes since `:generation`; of numbers, over
            `:scale`.
    """

    name: str
    losses: str

    def writing(self) -> AbstractContextManager[Statements]:
        """Hold the write lock of the log; commit at the end, or roll back.

        Raises:
            JournalError: The log cannot be written; nothing was.
        """

    def append(self, chunk: Chunk, answerer: int) -> bool:
        """Append a chunk in a transaction of its own; return False, and do nothing, where the log may have some of it.

        Args:
            chunk: The chunk.
            answerer: The number of who answered.

        Raises:
            JournalError: The log cannot be written; nothing was.
        """

    def reading(self) -> AbstractContextManager[Statements]:
        """Read one consistent state of the log.

        Raises:
            JournalError: The log cannot be read.
        """

    def alone(self) -> AbstractContextManager[bool]:
        """Give whether no other process moves or removes answers; none begins to until this is left.

        Raises:
            JournalError: That cannot be told.
        """

    def claim(self, connection: Statements, by: Answerer) -> None:
        """Check that somebody whose answers the log has not yet may have them in it.

        Raises:
            JournalError: It is the log of another model.
        """

    def known(self, connection: Statements, predictions: Sequence[str]) -> dict[str, str | float]:
        """Return the outcomes that are known of predictions."""

    def tell(self, connection: Statements, outcomes: Sequence[Judged]) -> None:
        """Insert outcomes that are not known."""

    def checkpoint(self) -> None:
        """Take note that much was committed. Quick, and raises nothing."""

    def scrub(self) -> str:
        """Have the bytes of what was deleted gone as well, and return why some may be left; empty where none are.

        Raises:
            JournalError: The tables cannot be written.
        """

    def close(self) -> None:
        """Let go of it; what was acknowledged is on disk already."""


FRESH = """
SELECT c.position, c.answerer, c.hour, c.first_id, c.last_id, c.first_at, c.last_at, c.rows, c.drawn, c.errors,
       c.ids, c.answers, c.inputs, a.model, a.version, a.generation, a.document
FROM chunks c JOIN answerers a ON a.number = c.answerer
WHERE NOT EXISTS (
    SELECT 1 FROM files f WHERE f.model = a.model AND f.hour = c.hour AND f.last_position >= c.position
)
"""
"""What the view `fresh` shows."""

_COLUMNS = Chunk._fields[1:]  # without `by`, which is `answerer`
_ENDS = """
SELECT COALESCE((SELECT position + rows FROM chunks ORDER BY position DESC LIMIT 1), 0) AS position
UNION ALL SELECT COALESCE((SELECT MAX(last_position) + 1 FROM files), 0)
UNION ALL SELECT COALESCE((SELECT MAX(last_position) + 1 FROM removed), 0)
"""
_END = f"SELECT MAX(position) FROM ({_ENDS}) AS ends"  # noqa: S608 (nobody else's words, here and below)
_HAS_SOME = """
EXISTS (SELECT 1 FROM chunks WHERE last_id >= :first_id AND first_id <= :last_id)
OR EXISTS (SELECT 1 FROM files WHERE last_id >= :first_id AND first_id <= :last_id)
"""
_BEFORE = f"SELECT ({_END}), {_HAS_SOME}"
_INTO = f"INSERT INTO chunks (position, answerer, {', '.join(_COLUMNS)})"
_VALUES = ", ".join(f":{name}" for name in ("answerer", *_COLUMNS))
_INSERT = f"{_INTO} VALUES (:position, {_VALUES})"
APPEND = f"{_INTO} SELECT ({_END}), {_VALUES} WHERE NOT ({_HAS_SOME})"
"""Inserts a chunk, as `line_of` has it, at the end of the log, unless that may have one of its answers."""
_NOTE = """
INSERT INTO answerers (document, model, version, generation) VALUES (:document, :model, :version, :generation)
ON CONFLICT DO NOTHING
"""
_NUMBER = "SELECT number FROM answerers WHERE document = :document"
_PARTS = """
SELECT position, answerer, rows, document, ids, answers, CASE WHEN :inputs THEN inputs ELSE :nothing END FROM fresh
WHERE
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
_PARTS_REST = (
    "AND (CAST(:version AS BIGINT) IS NULL OR version = :version) AND generation >= :generation"
)
_NAMES_REST = """
AND EXISTS (
    SELECT 1 FROM filed JOIN answerers a ON a.number = answerer
    WHERE file = files.number AND (CAST(:version AS BIGINT) IS NULL OR a.version = :version)
    AND a.generation >= :generation
) ORDER BY hour, first_position
"""

read_answerer = msgspec.json.Decoder(Answerer).decode
"""Returns an answerer as its document has it."""

write_answerer = msgspec.json.Encoder().encode
"""Returns the document of an answerer, which is the same for the same answerer."""


def append_chunks(
    store: LogStore,
    connection: Statements,
    chunks: Sequence[Chunk],
    numbers: dict[bytes, int],
    position: int,
) -> None:
    """Append chunks.

    Args:
        store: The log's tables.
        connection: The transaction.
        chunks: The chunks.
        numbers: Numbers of answerers that are known to be in the log, by document; those that are met are added, and
            hold once the transaction is committed.
        position: The end of the log.

    Raises:
        JournalError: It is the log of another model.
    """
    for chunk in chunks:
        document = write_answerer(chunk.by)
        if document not in numbers:
            numbers[document] = _number_of(store, connection, chunk.by, document)
        insert_chunk(connection, chunk, position, numbers[document])
        position += chunk.rows


def insert_chunk(connection: Statements, chunk: Chunk, position: int, answerer: int) -> None:
    """Insert a chunk at a position."""
    connection.execute(_INSERT, {"position": position, **line_of(chunk, answerer)})


def line_of(chunk: Chunk, answerer: int) -> dict[str, Any]:
    """Return a chunk as the table has it, but for its position."""
    line = chunk._asdict()
    del line["by"]
    line["answerer"] = answerer
    return line


def end_of(connection: Statements) -> int:
    """Return the position after the last answer: the number of answers."""
    return int(connection.execute(_END).fetchone()[0])


def before(connection: Statements, first_id: str, last_id: str) -> tuple[int, bool]:
    """Return the position after the last answer, and whether the log may have answers with ids in a range."""
    asked = {"first_id": first_id, "last_id": last_id}
    position, has_some = connection.execute(_BEFORE, asked).fetchone()
    return int(position), bool(has_some)


def parts_of(connection: Statements, stretch: Stretch, *, inputs: bool) -> list[Part]:
    """Return the fresh chunks that reach into a stretch of the log, in no order, with their inputs or without."""
    query = " ".join((_PARTS, _FRESH[stretch.axis], _PARTS_REST))
    found = connection.execute(query, {**_values(stretch), "inputs": inputs, "nothing": b""})
    answerers: dict[bytes, Answerer] = {}
    parts = []
    for position, answerer, rows, document, *packed in found:
        by = answerers.get(document)
        if by is None:
            by = answerers[document] = read_answerer(document)
        parts.append(Part(position, answerer, rows, by, *packed))
    return parts


def files_of(connection: Statements, stretch: Stretch) -> list[str]:
    """Return the names of the files that reach into a stretch of the log, in order of time."""
    query = " ".join((_NAMES, _FILES[stretch.axis], _NAMES_REST))
    return [name for (name,) in connection.execute(query, _values(stretch))]


def inputs_of_answerers(connection: Statements) -> dict[int, tuple[str, ...]]:
    """Return the names of the inputs that each answerer was given, by its number."""
    found = connection.execute("SELECT number, document FROM answerers")
    return {number: read_answerer(document).columns for number, document in found}


def _values(stretch: Stretch) -> dict[str, Any]:
    values = stretch._asdict()
    del values["axis"]
    return values


def _number_of(store: LogStore, connection: Statements, by: Answerer, document: bytes) -> int:
    """Return the number of an answerer, which is noted when it appears first."""
    asked = {"document": document}
    found = connection.execute(_NUMBER, asked).fetchone()
    if found is None:
        store.claim(connection, by)
        who = {"model": by.model, "version": by.version, "generation": by.generation}
        connection.execute(_NOTE, asked | who)
        found = connection.execute(_NUMBER, asked).fetchone()
    return int(found[0])
