"""Tables read and written in chunks, as Parquet or CSV; a file that is written is whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from setpoint.adapters.file_source import FileSource
from setpoint.contract.data import Format
from setpoint.errors import UsageError

_PARQUET = ".parquet"


def read_chunks(path: Path, *, form: Format, rows: int) -> tuple[int, Iterator[pa.Table]]:
    """Return the number of rows of a file, and its rows in order, at most `rows` at a time.

    Parquet is read piece by piece; a text file is read whole, as text.

    Args:
        path: Parquet, Arrow, CSV, or packed CSV.
        form: How a text file is written, as far as the contract says.
        rows: Most rows of a chunk, 1 or more.

    Raises:
        SourceError: The file is not there, truncated, or no table.
        EmptyTableError: There is not one row.
    """
    if path.suffix == _PARQUET and path.is_file():
        try:
            file = pa.parquet.ParquetFile(path)
        except (pa.ArrowInvalid, OSError):
            pass  # the reader below says what is wrong with it
        else:
            if file.metadata.num_rows:
                batches = file.iter_batches(batch_size=rows)
                return file.metadata.num_rows, (pa.Table.from_batches([one]) for one in batches)
    table, _ = FileSource(path.name, folder=path.parent, form=form).read()
    starts = range(0, table.num_rows, rows)
    return table.num_rows, (table.slice(start, rows) for start in starts)


class TableWriter:
    """Writes chunks of one schema into one file.

    Args:
        path: The file; Parquet where it is named so, else CSV.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: Any = None

    def write(self, chunk: pa.Table) -> None:
        """Append rows; the first chunk decides the columns and their types."""
        if self._writer is None:
            make = (
                pa.parquet.ParquetWriter
                if self._path.suffix.startswith(_PARQUET)
                else pa.csv.CSVWriter
            )
            self._writer = make(self._path, chunk.schema)
        self._writer.write_table(chunk)

    def close(self) -> None:
        """Finish the file."""
        if self._writer is not None:
            self._writer.close()


@contextmanager
def written_table(path: Path) -> Iterator[TableWriter]:
    """Give a writer whose file takes its place when all is written; after an error nothing is left of it.

    Raises:
        UsageError: The file is named neither Parquet nor CSV, or cannot be written.
    """
    if path.suffix not in (_PARQUET, ".csv"):
        msg = f"{path}: name it .parquet or .csv"
        raise UsageError(msg)
    beside = path.with_name(f".{path.stem}-{os.getpid()}{path.suffix}")
    writer = TableWriter(beside)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield writer
        writer.close()
        beside.replace(path)
    except OSError as error:
        msg = f"{path} cannot be written: {error.strerror or error}"
        raise UsageError(msg) from error
    finally:
        writer.close()
        beside.unlink(missing_ok=True)
