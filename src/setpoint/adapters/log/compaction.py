"""Moves answers of hours that are over from the log's tables into Parquet files, one for each model and hour.

    <model>/date=2024-01-31/hour=14/part-000000120000.parquet

It may die between any two lines: nothing is lost and nothing is there twice.
1. The file is written under a name that nobody reads, and is on disk before it gets its own. Until step 2 it does not
   count: the next attempt, which finds the same chunks and perhaps more, has the same name for it and writes it over.
2. One transaction lists the file. From then on its answers count and the chunks that it was made of do not.
3. The bytes of these chunks are deleted a few at a time, so that no writer waits; what is left over goes the next time.

A file is never changed again, so that a reader who has its name may take its time. Answers that come in when their hour
is over get a further file for that hour; so do those that have another kind of value in some column. One process
compacts at a time. Memory follows from how many answers overlap in time as they come in, not from how many there are.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from setpoint.adapters.log.answer_chunk import hour_of, kind_of, kinds_of, unpack_answers
from setpoint.adapters.log.answer_file import GROUP, AnswerFileWriter
from setpoint.adapters.log.hour_files import HourFiles
from setpoint.adapters.log.store import LogStore, Statements, read_answerer
from setpoint.adapters.log.table import ANSWER, FEATURE, Part, stacked, tables_of
from setpoint.errors import JournalError

LATE_S = 300.0
"""How long after its end an hour may still get answers: some are logged a while after they were given."""

_LOAD = 2 * GROUP  # answers that are unpacked at a time
_DELETE = 256  # chunks of one transaction
_HOURS = """
SELECT model, hour FROM fresh WHERE hour < :before GROUP BY model, hour ORDER BY hour, model
"""
_HEADS = """
SELECT position, answerer, first_id, last_id, first_at, last_at, rows, drawn, errors FROM fresh
WHERE model = :model AND hour = :hour ORDER BY position
"""
_CHUNK = """
SELECT c.position, c.answerer, c.rows, a.document, c.ids, c.answers, c.inputs
FROM chunks c JOIN answerers a ON a.number = c.answerer WHERE c.position = :position
"""
_LIST = """
INSERT INTO files (model, hour, name, rows, size, first_position, last_position, first_id, last_id, first_at, last_at)
VALUES (:model, :hour, :name, :rows, :size, :first_position, :last_position, :first_id, :last_id, :first_at, :last_at)
RETURNING number
"""
_FILED = "INSERT INTO filed VALUES (:file, :answerer, :rows, :drawn, :errors)"
_LISTED = """
SELECT 1 FROM files WHERE model = :model AND hour = :hour AND last_position >= :position
"""
_MOVED = "SELECT position FROM chunks WHERE hour < :before EXCEPT SELECT position FROM fresh"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Compacted(NamedTuple):
    """What was moved.

    Args:
        hours: Hours of a model.
        files: Files that were written.
        answers: Answers in them.
        size: Their size in bytes.
    """

    hours: int = 0
    files: int = 0
    answers: int = 0
    size: int = 0


class _Head(NamedTuple):
    """What is known of a chunk before it is unpacked; see `answer_chunk.Chunk`."""

    position: int
    answerer: int
    first_id: str
    last_id: str
    first_at: float
    last_at: float
    rows: int
    drawn: int
    errors: int


@dataclass
class _File:
    """A file to be: chunks whose columns agree on the kinds of their values."""

    kinds: dict[str, pa.DataType] = field(default_factory=dict)
    heads: list[_Head] = field(default_factory=list)
    name: str = ""
    size: int = 0

    def takes(self, kinds: dict[str, pa.DataType]) -> bool:
        """Whether a chunk of these kinds contradicts none that is in it."""
        nothing = pa.null()
        return all(
            kind == nothing or self.kinds.get(name, nothing) in (nothing, kind)
            for name, kind in kinds.items()
        )

    def add(self, head: _Head, kinds: dict[str, pa.DataType]) -> None:
        """Take in a chunk."""
        nothing = pa.null()
        for name, kind in kinds.items():
            if self.kinds.setdefault(name, nothing) == nothing:
                self.kinds[name] = kind
        self.heads.append(head)


class Compaction:
    """Moves answers into files.

    Args:
        store: The log's tables.
        files: Where the Parquet files go.
        reached: Told each step that is done, for tests that cut there.
    """

    def __init__(
        self, store: LogStore, files: HourFiles, reached: Callable[[str], None] = lambda _: None
    ) -> None:
        self._store = store
        self._files = files
        self._reached = reached

    def compact(
        self, now: float, *, everything: bool = False, most: int | None = None
    ) -> Compacted:
        """Move answers of hours that are over; does nothing while another process does it.

        Args:
            now: Seconds since 1970-01-01 UTC.
            everything: Whether answers of hours that are not over are moved as well.
            most: Most hours to move; None means all.

        Raises:
            JournalError: The log or a file cannot be read or written. What was done stays done.
        """
        before = 2**53 if everything else hour_of(now - LATE_S)
        with self._store.reading() as connection:
            (oldest,) = connection.execute("SELECT MIN(last_at) FROM chunks").fetchone()
        if oldest is None or hour_of(oldest) >= before:
            return Compacted()
        try:
            with self._store.alone() as alone:
                return self._compact(before, most) if alone else Compacted()
        except OSError as error:
            msg = f"cannot compact the prediction log into {self._files.where}: {error}"
            raise JournalError(msg) from error

    def _compact(self, before: int, most: int | None) -> Compacted:
        """Move the hours before one; the caller is alone."""
        self._delete_moved(before)
        with self._store.reading() as connection:
            hours = connection.execute(_HOURS, {"before": before}).fetchall()
        done: list[_File] = []
        for model, hour in hours[:most]:
            done += self._move(model, hour)
            self._delete_moved(before)
        return Compacted(
            hours=len(hours[:most]),
            files=len(done),
            answers=sum(head.rows for file in done for head in file.heads),
            size=sum(file.size for file in done),
        )

    def _move(self, model: str, hour: int) -> list[_File]:
        """Move one hour of a model."""
        with self._store.reading() as connection:
            found = connection.execute(_HEADS, {"model": model, "hour": hour})
            heads = [_Head(*line) for line in found]
        files = self._planned(heads)
        self._reached("planned")
        for file in files:
            file.name = _name(model, hour, file.heads[0].position)
            file.name, file.size = self._files.keep(
                file.name, partial(self._write, file), self._reached
            )
        with self._store.writing() as connection:
            _list(connection, model, hour, files)
            self._reached("listed, not committed")
        self._reached("listed")
        return files

    def _planned(self, heads: Sequence[_Head]) -> list[_File]:
        """Divide chunks into files; nearly always they are one."""
        files: list[_File] = []
        for batch in _batches(heads):
            for head, part in zip(batch, self._load(batch), strict=True):
                kinds = {FEATURE + n: k for n, k in kinds_of(part.inputs, part.by.columns).items()}
                answers = unpack_answers(part.answers, ("prediction",))["prediction"]
                kinds["prediction"] = kind_of(answers)
                file = next((one for one in files if one.takes(kinds)), None)
                if file is None:
                    files.append(file := _File())
                file.add(head, kinds)
        return files

    def _write(self, file: _File, path: Path) -> int:
        """Write a file in order of time and return its size; it is on disk then."""
        with AnswerFileWriter(path, file.kinds) as writer:
            heads = sorted(file.heads, key=lambda head: (head.first_at, head.position))
            held: list[pa.Table] = []
            done = 0
            for batch in _batches(heads):
                done += len(batch)
                held.extend(tables_of(self._load(batch), ANSWER, inputs=True))
                table = stacked(held, ANSWER).sort_by([("at", "ascending"), ("id", "ascending")])
                # Whatever comes next is not earlier than the next chunk.
                end = table.num_rows
                if done < len(heads):
                    end = int(np.searchsorted(table["at"].to_numpy(), heads[done].first_at))
                writer.write(table.slice(0, end))
                held = [table.slice(end)]
            return writer.close()

    def _load(self, heads: Sequence[_Head]) -> list[Part]:
        """Return chunks with all that is in them."""
        with self._store.reading() as connection:
            found = [
                connection.execute(_CHUNK, {"position": one.position}).fetchone() for one in heads
            ]
        return [
            Part(position, answerer, rows, read_answerer(document), *packed)
            for position, answerer, rows, document, *packed in found
        ]

    def _delete_moved(self, before: int) -> None:
        """Delete the bytes of chunks that lie in files."""
        with self._store.reading() as connection:
            moved = connection.execute(_MOVED, {"before": before}).fetchall()
        for start in range(0, len(moved), _DELETE):
            with self._store.writing() as connection:
                some = [{"position": one} for (one,) in moved[start : start + _DELETE]]
                connection.executemany("DELETE FROM chunks WHERE position = :position", some)
            self._reached("some deleted")


def _batches(heads: Sequence[_Head]) -> Iterator[list[_Head]]:
    """Yield chunks in the given order, as many at a time as are unpacked together."""
    batch: list[_Head] = []
    rows = 0
    for head in heads:
        batch.append(head)
        rows += head.rows
        if rows >= _LOAD:
            yield batch
            batch, rows = [], 0
    if batch:
        yield batch


def _name(model: str, hour: int, position: int) -> str:
    """Return the name of a file below the folder; the position of its first chunk tells files of an hour apart."""
    folder = quote(model, safe="")
    if folder.startswith("."):
        folder = folder.replace(".", "%2E", 1)
    start = _EPOCH + dt.timedelta(hours=hour)
    return f"{folder}/date={start:%Y-%m-%d}/hour={start:%H}/part-{position:012d}.parquet"


def _list(connection: Statements, model: str, hour: int, files: Sequence[_File]) -> None:
    """List files of an hour, so that they count and the chunks in them do not."""
    first = min(file.heads[0].position for file in files)
    asked = {"model": model, "hour": hour, "position": first}
    if connection.execute(_LISTED, asked).fetchone():
        msg = f"another process moved answers of {model} meanwhile; a lock on the log does not hold"
        raise JournalError(msg)
    for file in files:
        heads = file.heads
        line = {
            "model": model,
            "hour": hour,
            "name": file.name,
            "rows": sum(head.rows for head in heads),
            "size": file.size,
            "first_position": heads[0].position,
            "last_position": max(head.position + head.rows for head in heads) - 1,
            "first_id": min(head.first_id for head in heads),
            "last_id": max(head.last_id for head in heads),
            "first_at": min(head.first_at for head in heads),
            "last_at": max(head.last_at for head in heads),
        }
        ((number,),) = connection.execute(_LIST, line).fetchall()
        counts: dict[int, list[int]] = {}
        for head in heads:
            count = counts.setdefault(head.answerer, [0, 0, 0])
            for place, more in enumerate((head.rows, head.drawn, head.errors)):
                count[place] += more
        names = ("rows", "drawn", "errors")
        connection.executemany(
            _FILED,
            [
                {"file": number, "answerer": answerer, **dict(zip(names, count, strict=True))}
                for answerer, count in counts.items()
            ],
        )
