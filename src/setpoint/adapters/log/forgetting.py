"""Removes the answers about somebody, with their outcomes, wherever they lie.

What is left of a file is written under another name and listed in its place in one transaction; what is left of a chunk
takes the chunk's place, each answer at its position. Then the bytes go: of files by removing them, of tables as the
tables can (`LogStore.scrub`).
"""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from setpoint.adapters.log.answer_chunk import Chunk, select, unpack_answers, unpack_ids
from setpoint.adapters.log.answer_file import AnswerFileWriter, kinds_in, read_answers
from setpoint.adapters.log.hour_files import Kept
from setpoint.adapters.log.removal import (
    EVERYTHING,
    Listed,
    Log,
    Removed,
    delete_outcomes,
    note,
    uncover,
    unlist,
)
from setpoint.adapters.log.store import insert_chunk, read_answerer
from setpoint.adapters.log.table import ANSWER
from setpoint.errors import JournalError

_PAGE = 64  # chunks that are looked at together
_TIMES = re.compile(r"(?:-without-(\d+))?(?:-[0-9a-f]{12})?\.parquet$")
_FILES = """
SELECT number, model, hour, name, rows, size, last_position, last_at FROM files ORDER BY hour, first_position
"""
_CHUNKS = """
SELECT c.position, c.answerer, a.document, c.hour, c.first_id, c.last_id, c.first_at, c.last_at, c.rows, c.drawn,
       c.errors, c.ids, c.answers, c.inputs
FROM chunks c JOIN answerers a ON a.number = c.answerer WHERE c.position >= :low ORDER BY c.position LIMIT :most
"""
_DELETE = "DELETE FROM chunks WHERE position = :position"
_RENAME = "UPDATE files SET name = :name, rows = :rows, size = :size WHERE number = :number"
_RECOUNT = """
UPDATE filed SET rows = :rows, drawn = :drawn, errors = :errors WHERE file = :file AND answerer = :answerer
"""


class Forgetting:
    """Removes what is about somebody.

    Args:
        log: From what.
        keys: Whom, by the keys as the log has them.
    """

    def __init__(self, log: Log, keys: Collection[str]) -> None:
        self._log = log
        self._keys = frozenset(keys) - {""}
        self._about = pa.array(sorted(self._keys), pa.string())

    def count(self) -> int:
        """Return how many answers there are about them.

        Raises:
            JournalError: The log cannot be read.
        """
        tables = self._log.reader.pieces(EVERYTHING, ("key",), inputs=False)
        return sum(int(pc.sum(self._is_about(one)).as_py() or 0) for one in tables)

    def forget(self, *, at: float) -> Removed:
        """Remove them.

        Args:
            at: The present, for the record.

        Raises:
            JournalError: The log cannot be read or written, or another process moves or removes answers. What was done
                stays done.
        """
        with self._log.alone():
            for name in self._log.left():
                if self._ids_about(name):
                    self._log.delete_files([name])
            with self._log.store.reading() as connection:
                listed = [Listed(*line) for line in connection.execute(_FILES)]
            done = Removed()
            for file in listed:
                done = done.plus(self._forget_in_file(file, at))
            for line in self._chunks():
                done = done.plus(self._forget_in_chunk(line, at))
            return done

    def _is_about(self, table: pa.Table) -> pa.ChunkedArray:
        return pc.is_in(table["key"], value_set=self._about)

    def _ids_about(self, name: str) -> list[str]:
        """Return the ids of a file's answers about them."""
        file = self._log.reader.file(name)
        found = read_answers(file, ("key", "id"), EVERYTHING, inputs=False)
        ids: list[str] = found.filter(self._is_about(found))["id"].to_pylist()
        return ids

    def _forget_in_file(self, file: Listed, at: float) -> Removed:
        ids = self._ids_about(file.name)
        if not ids:
            return Removed()
        source = self._log.reader.file(file.name)
        whole = read_answers(source, ANSWER, EVERYTHING, inputs=True)
        rest = whole.filter(pc.invert(self._is_about(whole)))
        kept = self._write(file.name, rest, kinds_in(source)) if rest.num_rows else None
        with self._log.store.writing() as connection:
            uncover(connection, file)
            if kept is None:
                unlist(connection, file)
            else:
                line = {**kept._asdict(), "rows": rest.num_rows, "number": file.number}
                connection.execute(_RENAME, line)
                connection.executemany(_RECOUNT, _counts(whole, rest, file.number))
            outcomes = delete_outcomes(self._log.store, connection, ids)
            last = {"last_position": file.last_position, "last_at": file.last_at}
            removed = {"answers": len(ids), "outcomes": outcomes, **last}
            note(connection, {"at": at, "why": "forgotten", **removed})
        self._log.reached("listed anew")
        self._log.delete_files([file.name])
        self._log.reached("file deleted")
        return Removed(len(ids), outcomes, 1, file.size - (kept.size if kept else 0))

    def _write(self, name: str, table: pa.Table, kinds: dict[str, pa.DataType]) -> Kept:
        """Write what is left of a file, under another name."""

        def write(path: Path) -> int:
            with AnswerFileWriter(path, kinds) as writer:
                writer.write(table)
                return writer.close()

        files = self._log.files
        if files is None:
            msg = f"nobody said where the files of the prediction log {self._log.store.name} lie"
            raise JournalError(msg)
        try:
            return files.keep(_next(name), write, self._log.reached)
        except OSError as error:
            msg = f"a file of the prediction log cannot be written anew: {error}"
            raise JournalError(msg) from error

    def _forget_in_chunk(self, line: Sequence[Any], at: float) -> Removed:
        position, answerer, document, *packed = line
        chunk = Chunk(read_answerer(document), *packed)
        told = unpack_answers(chunk.answers, ("key",))["key"]
        gone = [place for place, key in enumerate(told) if key in self._keys]
        if not gone:
            return Removed()
        ids = unpack_ids(chunk.ids)
        with self._log.store.writing() as connection:
            connection.execute(_DELETE, {"position": position})
            for run in _runs(place for place, key in enumerate(told) if key not in self._keys):
                insert_chunk(connection, select(chunk, run), position + run[0], answerer)
            outcomes = delete_outcomes(self._log.store, connection, [ids[place] for place in gone])
            last = {"last_position": position + chunk.rows - 1, "last_at": chunk.last_at}
            removed = {"answers": len(gone), "outcomes": outcomes, **last}
            note(connection, {"at": at, "why": "forgotten", **removed})
        self._log.reached("chunk rewritten")
        return Removed(len(gone), outcomes)

    def _chunks(self) -> Iterator[Sequence[Any]]:
        """Yield all chunks, some at a time."""
        low = 0
        while True:
            with self._log.store.reading() as connection:
                found = connection.execute(_CHUNKS, {"low": low, "most": _PAGE}).fetchall()
            yield from found
            if len(found) < _PAGE:
                return
            low = found[-1][0] + 1


def _runs(places: Iterator[int]) -> Iterator[list[int]]:
    """Yield places that follow each other, as long as they do."""
    for _, run in groupby(enumerate(places), key=lambda pair: pair[1] - pair[0]):
        yield [place for _, place in run]


def _next(name: str) -> str:
    """Return the name of a file that takes the place of another: `…-without-2.parquet` of `…-without-1.parquet`."""
    found = _TIMES.search(name)
    times = int(found[1] or 0) + 1 if found else 1
    stem = name[: found.start()] if found else name
    return f"{stem}-without-{times}.parquet"


def _counts(whole: pa.Table, rest: pa.Table, number: int) -> list[dict[str, int]]:
    """Return what each answerer of a file has in it now."""
    drawn = pc.greater(rest["propensity"], 0.0)
    failed = pc.and_(drawn, pc.not_equal(rest["error"], ""))
    counts = []
    for answerer in whole["answerer"].unique().to_pylist():
        own = pc.equal(rest["answerer"], answerer)
        counted = (own, pc.and_(own, drawn), pc.and_(own, failed))
        rows, of_drawn, errors = (int(pc.sum(one).as_py() or 0) for one in counted)
        line = {"rows": rows, "drawn": of_drawn, "errors": errors}
        counts.append({"file": number, "answerer": answerer, **line})
    return counts
