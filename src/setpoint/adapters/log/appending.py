"""Appends answers to the tables of a log, each once."""

from collections.abc import Sequence

from setpoint.adapters.log.answer_chunk import Chunk, select, unpack_ids
from setpoint.adapters.log.answer_file import read_answers
from setpoint.adapters.log.reader import LogReader
from setpoint.adapters.log.store import (
    LogStore,
    Statements,
    Stretch,
    append_chunks,
    before,
    files_of,
    write_answerer,
)

_HOLDING = "SELECT ids FROM chunks WHERE last_id >= :low AND first_id <= :high"


class Appending:
    """Appends chunks.

    Args:
        store: The log's tables.
        reader: Reads its files.
    """

    def __init__(self, store: LogStore, reader: LogReader) -> None:
        self._store = store
        self._reader = reader
        self._numbers: dict[bytes, int] = {}  # of answerers, as committed

    def append(self, chunks: Sequence[Chunk]) -> None:
        """Append chunks in one transaction; answers that are already there are left as they are.

        Raises:
            JournalError: The log cannot be written; nothing was.
        """
        if len(chunks) == 1 and self._append_alone(chunks[0]):
            return
        numbers = dict(self._numbers)
        with self._store.writing() as connection:
            self.append_within(connection, chunks, numbers)
        self._numbers = numbers

    def append_within(
        self, connection: Statements, chunks: Sequence[Chunk], numbers: dict[bytes, int]
    ) -> tuple[int, int]:
        """Append chunks in a transaction, and return the positions from the first up to the last.

        Args:
            connection: The transaction.
            chunks: The chunks, one at least.
            numbers: Numbers of answerers that are known to be in the log; see `log_store.append_chunks`.

        Raises:
            JournalError: It is the log of another model, or a file cannot be read.
        """
        first, last = min(one.first_id for one in chunks), max(one.last_id for one in chunks)
        position, has_some = before(connection, first, last)
        if has_some:
            held = self.held(connection, first, last)
            chunks = [rest for one in chunks if (rest := _without(one, held)) is not None]
        append_chunks(self._store, connection, chunks, numbers, position)
        return position, position + sum(one.rows for one in chunks)

    def _append_alone(self, chunk: Chunk) -> bool:
        """Append a chunk without a look at what is there; return whether that was possible.

        It nearly always is where one process writes. The ids of several reach into each other, which looks like answers
        that are there already.
        """
        number = self._numbers.get(write_answerer(chunk.by))
        return number is not None and self._store.append(chunk, number)

    def held(self, connection: Statements, first: str, last: str) -> set[str]:
        """Return the ids of the chunks that reach into a range of ids, and those that files have in it."""
        stretch = Stretch("id", first, last)
        found = connection.execute(_HOLDING, {"low": first, "high": last})
        held = {identity for (ids,) in found for identity in unpack_ids(ids)}
        for name in files_of(connection, stretch):
            file = self._reader.file(name)
            held.update(read_answers(file, ("id",), stretch, inputs=False)["id"].to_pylist())
        return held


def _without(chunk: Chunk, held: set[str]) -> Chunk | None:
    """Return a chunk without some answers; None where none is left."""
    ids = unpack_ids(chunk.ids)
    places = [place for place, one in enumerate(ids) if one not in held]
    if len(places) == len(ids):
        return chunk
    return select(chunk, places) if places else None
