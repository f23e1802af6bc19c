"""Answers on their way: one object of an object store for each group that a gateway commits.

    fresh/2024-01-31T14/05-59.123-<digest>.arrow

An object is an Arrow file with a line for each chunk of the group, in the columns of the table `chunks`. Its name
begins with the instant of its first answer, in UTC, and is its own: gateways need not know of each other, and storing
the same group again changes nothing.
"""

import datetime as dt
from collections.abc import Sequence

import msgspec
import pyarrow as pa

from setpoint.adapters.log.answer_chunk import Chunk
from setpoint.adapters.log.store import read_answerer
from setpoint.adapters.object_folder import ObjectFolder
from setpoint.digest import sha256_bytes
from setpoint.errors import JournalError

_PLACE = "fresh"
_DIGITS = 16
_SCHEMA = pa.schema(
    [
        ("document", pa.binary()),
        ("model", pa.string()),
        ("version", pa.int64()),
        ("generation", pa.int64()),
        ("hour", pa.int64()),
        ("first_id", pa.string()),
        ("last_id", pa.string()),
        ("first_at", pa.float64()),
        ("last_at", pa.float64()),
        ("rows", pa.int64()),
        ("drawn", pa.int64()),
        ("errors", pa.int64()),
        ("ids", pa.binary()),
        ("answers", pa.binary()),
        ("inputs", pa.binary()),
    ]
)
_FORM = pa.ipc.IpcWriteOptions(compression="zstd")


class AnswerSpool:
    """The objects that wait to be taken into the tables of a log. Safe to call from any thread.

    Args:
        folder: The folder of the log.
    """

    def __init__(self, folder: ObjectFolder) -> None:
        self._folder = folder

    @property
    def where(self) -> str:
        """Where they lie, for people."""
        return f"{self._folder.url}/{_PLACE}"

    def add(self, chunks: Sequence[Chunk]) -> None:
        """Store a group of answers; the object store has it when this returns.

        Raises:
            JournalError: It was not acknowledged.
        """
        content = _written(chunks)
        place = _place(min(one.first_at for one in chunks))
        name = f"{place}-{sha256_bytes(content)[:_DIGITS]}.arrow"
        try:
            self._folder.put(name, content)
        except OSError as error:
            msg = f"cannot write the prediction log {self._folder.url}: {error}"
            raise JournalError(msg) from error

    def waiting(self, since: float | None = None) -> list[str]:
        """Return the names of objects in order of time.

        Args:
            since: Only those whose first answer was given then or later; None means all.

        Raises:
            JournalError: The store does not say.
        """
        after = "" if since is None else _place(since)
        try:
            return [name for name in self._folder.names(_PLACE, after) if name.endswith(".arrow")]
        except OSError as error:
            msg = f"cannot read the prediction log {self._folder.url}: {error}"
            raise JournalError(msg) from error

    def read(self, names: Sequence[str]) -> list[list[Chunk]]:
        """Return the groups of some objects, in the order of their names; an empty one where there is none any more.

        Raises:
            JournalError: One cannot be read.
        """
        try:
            found = self._folder.get_all(names)
        except OSError as error:
            msg = f"cannot read the prediction log {self._folder.url}: {error}"
            raise JournalError(msg) from error
        return [
            [] if content is None else self._read(name, content)
            for name, content in zip(names, found, strict=True)
        ]

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects whose answers are elsewhere.

        Raises:
            JournalError: One cannot be removed.
        """
        try:
            self._folder.remove(names)
        except OSError as error:
            msg = f"cannot clear the prediction log {self._folder.url}: {error}"
            raise JournalError(msg) from error

    def _read(self, name: str, content: bytes) -> list[Chunk]:
        try:
            lines = pa.ipc.open_file(content).read_all().cast(_SCHEMA).to_pylist()
            return [
                Chunk(read_answerer(line["document"]), *(line[name] for name in Chunk._fields[1:]))
                for line in lines
            ]
        except (pa.ArrowException, msgspec.MsgspecError, ValueError, TypeError) as error:
            msg = f"{self._folder.url}/{name} is damaged: {error}; put it back from a copy"
            raise JournalError(msg) from error


def _place(at: float) -> str:
    """Return how names begin of objects whose first answer was given at an instant."""
    moment = dt.datetime.fromtimestamp(max(at, 0.0), dt.UTC)
    return f"{_PLACE}/{moment:%Y-%m-%dT%H/%M-%S}.{moment.microsecond // 1000:03d}"


def _written(chunks: Sequence[Chunk]) -> bytes:
    """Return an Arrow file of chunks."""
    lines = [
        {
            "document": msgspec.json.encode(one.by),
            "model": one.by.model,
            "version": one.by.version,
            "generation": one.by.generation,
            **one._asdict(),
        }
        for one in chunks
    ]
    columns = [pa.array([line[field.name] for line in lines], field.type) for field in _SCHEMA]
    out = pa.BufferOutputStream()
    with pa.ipc.new_file(out, _SCHEMA, options=_FORM) as writer:
        writer.write(pa.record_batch(columns, schema=_SCHEMA))
    content: bytes = out.getvalue().to_pybytes()
    return content
