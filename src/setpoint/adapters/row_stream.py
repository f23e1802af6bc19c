"""Tables of any size, read a few rows at a time: CSV, packed CSV, Parquet and Arrow, one file or many.

Rows come in the order of the files' names, in tables of exactly as many rows as are asked for, so that a part of a
whole is always the same part. Memory does not grow with the table.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet

from setpoint.adapters.file_source import FileSource
from setpoint.adapters.text_stream import TextStream
from setpoint.adapters.text_table import ARROW, PARQUET, first_line, require_names
from setpoint.contract.data import Format
from setpoint.digest import sha256_bytes
from setpoint.errors import EmptyTableError, SourceError

Piece = tuple[pa.Table, float]
"""Rows, and the share of their file that is read by then."""

_ENDS = 1 << 16  # bytes of a file's start and end that are looked at, to know it again
_BATCH = 1 << 14  # rows of Parquet that are unpacked at once
_BUFFER = 1 << 20  # bytes of a Parquet column that are read at once


class RowStream:
    """The files of a table.

    Args:
        source: Path, folder or glob.
        folder: Folder that relative paths start from.
        form: How text is written, as far as the contract says.

    Attributes:
        files: The files, in order.
        schema: The columns of all of them; text columns for text files.

    Raises:
        SourceError: There is no file, or one is damaged or of other columns than the first.
    """

    def __init__(self, source: str, *, folder: Path, form: Format) -> None:
        self.files = FileSource(source, folder=folder).files()
        self._parts = [_part_of(path, form) for path in self.files]
        self._sizes = [path.stat().st_size for path in self.files]
        self._source = source
        self.schema = _joined([part.schema for part in self._parts], self.files)

    def marks(self) -> dict[str, str]:
        """Return what each file is known again by: its size, its age, and a digest of its start and end."""
        return {str(path.resolve()): _mark(path) for path in self.files}

    def tables(self, rows: int, *, first: int = 0) -> Iterator[Piece]:
        """Return the rows in tables of `rows`, the last one of fewer; each with the share of all that is read by then.

        Args:
            rows: Rows of a table, 1 or more.
            first: Rows to pass over.

        Raises:
            SourceError: A file is damaged, or cut off.
            EmptyTableError: There is not one row.
        """
        waiting: list[pa.Table] = []
        count, share, seen = 0, 0.0, False
        for table, reached in self._pieces(first, min(rows, _BATCH)):
            share, seen = reached, True
            while table.num_rows:
                taken = table.slice(0, rows - count)
                waiting.append(taken)
                count += taken.num_rows
                table = table.slice(taken.num_rows)  # noqa: PLW2901 (what is left of it)
                if count == rows:
                    yield pa.concat_tables(waiting), share
                    waiting, count = [], 0
        if count:
            yield pa.concat_tables(waiting), 1.0
        if not seen and not first:
            raise EmptyTableError(f"{self._source} has a header but no rows")

    def _pieces(self, first: int, batch: int) -> Iterator[Piece]:
        """Return the rows behind the first ones, as the files give them."""
        whole = sum(self._sizes) or 1
        before = 0
        for part, size, path in zip(self._parts, self._sizes, self.files, strict=True):
            known = part.rows
            if known is not None and known <= first:
                first -= known
                before += size
                continue
            for table, share in part.tables(first, batch):
                skipped = min(first, table.num_rows) if known is None else 0
                first -= skipped
                if skipped < table.num_rows:
                    typed = self._typed(table.slice(skipped), path)
                    yield typed, (before + size * share) / whole
            if known is not None:
                first = 0
            before += size

    def _typed(self, table: pa.Table, path: Path) -> pa.Table:
        try:
            return table.select(self.schema.names).cast(self.schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            reason = f"its columns are not of the types of the others ({first_line(error)})"
            raise SourceError(str(path), reason) from error


class _Part(Protocol):
    """One file; `rows` is None where only reading tells."""

    schema: pa.Schema
    rows: int | None

    def tables(self, first: int, batch: int) -> Iterator[Piece]:
        """Return the rows, about so many at a time; where `rows` is known, those behind the first ones."""


class _Text:
    """A text file: its rows are known when they are read."""

    rows: int | None = None

    def __init__(self, path: Path, form: Format) -> None:
        self._stream = TextStream(path, form)
        self.schema = pa.schema([(name, pa.string()) for name in self._stream.names])

    def tables(self, first: int, batch: int) -> Iterator[Piece]:
        """Return all rows."""
        del first, batch
        return self._stream.tables()


class _Parquet:
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _faults(path), self._open() as file:
            self._groups = [
                file.metadata.row_group(place).num_rows
                for place in range(file.metadata.num_row_groups)
            ]
            self.schema = _plain(file.schema_arrow)
        self.rows = sum(self._groups)
        require_names(self.schema.names, path)

    def tables(self, first: int, batch: int) -> Iterator[Piece]:
        """Return the rows behind the first ones; groups of rows before them are not read."""
        start = 0
        while start < len(self._groups) and self._groups[start] <= first:
            first -= self._groups[start]
            start += 1
        done = self.rows - sum(self._groups[start:])
        with _faults(self._path), self._open() as file:
            groups = list(range(start, len(self._groups)))
            for found in file.iter_batches(batch_size=batch, row_groups=groups):
                done += found.num_rows
                skipped = min(first, found.num_rows)
                first -= skipped
                if skipped < found.num_rows:
                    yield pa.Table.from_batches([found.slice(skipped)]), done / self.rows

    def _open(self) -> pyarrow.parquet.ParquetFile:
        return pa.parquet.ParquetFile(self._path, pre_buffer=False, buffer_size=_BUFFER)


class _Arrow:
    """An Arrow file, which Feather is too: its rows are known when they are read."""

    rows: int | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        with _faults(path), pa.memory_map(str(path)) as file:
            self.schema = _plain(pa.ipc.open_file(file).schema)
        require_names(self.schema.names, path)

    def tables(self, first: int, batch: int) -> Iterator[Piece]:
        """Return all rows."""
        del first, batch
        with _faults(self._path), pa.memory_map(str(self._path)) as file:
            reader = pa.ipc.open_file(file)
            count = reader.num_record_batches
            for place in range(count):
                found = reader.get_batch(place)
                if found.num_rows:
                    yield pa.Table.from_batches([found]), (place + 1) / count


def _part_of(path: Path, form: Format) -> _Part:
    """Return a file by what it begins with, whatever it is named."""
    try:
        with path.open("rb") as file:
            head = file.read(len(ARROW))
    except OSError as error:
        reason = f"{error.strerror}; check the path and its permissions"
        raise SourceError(str(path), reason) from error
    if head.startswith(PARQUET):
        return _Parquet(path)
    return _Arrow(path) if head == ARROW else _Text(path, form)


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Say of a file that it is damaged, where reading it fails."""
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        reason = f"it is damaged or cut off ({first_line(error)}); fetch or write it again"
        raise SourceError(str(path), reason) from error


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return columns with dictionaries written out: those of two pieces need not be the same."""
    for place, column in enumerate(schema):
        if pa.types.is_dictionary(column.type):
            schema = schema.set(place, column.with_type(column.type.value_type))
    return schema


def _joined(schemas: Sequence[pa.Schema], files: Sequence[Path]) -> pa.Schema:
    """Return the columns of several files, in the order of the first, of types that hold what all of them hold."""
    first = schemas[0]
    for schema, path in zip(schemas[1:], files[1:], strict=True):
        missing = [name for name in first.names if name not in schema.names]
        more = [name for name in schema.names if name not in first.names]
        if missing or more:
            reason = (
                f"its columns differ from those of {files[0].name}: missing {missing}, more {more}"
            )
            raise SourceError(str(path), reason)
    try:
        return pa.unify_schemas(schemas, promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = f"its files have columns of different types ({first_line(error)})"
        raise SourceError(str(files[0].parent), reason) from error


def _mark(path: Path) -> str:
    about = path.stat()
    with path.open("rb") as file:
        ends = file.read(_ENDS)
        file.seek(max(about.st_size - _ENDS, 0))
        ends += file.read(_ENDS)
    return f"{about.st_size} bytes, {about.st_mtime_ns} ns, {sha256_bytes(ends)}"
