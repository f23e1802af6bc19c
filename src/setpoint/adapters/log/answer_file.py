"""Answers of one hour in one Parquet file: written once, in order of time, and never changed.

Columns are those of `setpoint.adapters.log.table`, so that DuckDB, Spark or pandas read such a file as it is. Pages
carry checksums: a damaged file is an error, not other numbers.
"""

import os
from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from setpoint.adapters.log.hour_files import HourFile
from setpoint.adapters.log.store import Stretch
from setpoint.adapters.log.table import ANSWER, FEATURE
from setpoint.errors import JournalError

GROUP = 16_384
"""Answers of one row group: what a reader of a few answers must unpack."""

_ENCODINGS = {"position": "DELTA_BINARY_PACKED", "id": "DELTA_BYTE_ARRAY"}
_REPEATED = 0.25  # share of distinct values up to which a dictionary is smaller than the values
_FOOTERS = 32  # that are kept unpacked


class AnswerFileWriter:
    """Writes a file; it is on disk when `close` returns.

    Args:
        path: The file; what is there is written over.
        kinds: Types of the columns `prediction` and `feature.…`; null where there is no value at all.
    """

    def __init__(self, path: Path, kinds: Mapping[str, pa.DataType]) -> None:
        self._path = path
        self._schema = _schema(kinds)
        self._held: list[pa.Table] = []
        self._writer: pq.ParquetWriter | None = None

    def write(self, table: pa.Table) -> None:
        """Append answers; every batch must be later than the one before."""
        self._held.append(_conformed(table, self._schema))
        if sum(held.num_rows for held in self._held) >= GROUP:
            table = pa.concat_tables(self._held)
            whole = table.num_rows // GROUP * GROUP
            self._append(table.slice(0, whole))
            self._held = [table.slice(whole)]

    def close(self) -> int:
        """Finish the file, have it on disk, and return its size in bytes."""
        self._append(pa.concat_tables(self._held))
        self.abandon()
        with self._path.open("rb+") as file:
            os.fsync(file.fileno())
            return os.fstat(file.fileno()).st_size

    def abandon(self) -> None:
        """Let go of the file as it is."""
        if self._writer is not None:
            self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abandon()

    def _append(self, table: pa.Table) -> None:
        if self._writer is None:
            split, repeated = _layout(table)
            self._writer = pq.ParquetWriter(
                self._path,
                self._schema,
                compression="zstd",
                use_dictionary=repeated,
                column_encoding=split,
                write_page_checksum=True,
                store_schema=False,
            )
        if table.num_rows:
            self._writer.write_table(table, row_group_size=GROUP)


def read_answers(
    of: HourFile, columns: Collection[str], stretch: Stretch, *, inputs: bool
) -> pa.Table:
    """Return the answers of a file that lie in a stretch of the log: the columns asked for, then the inputs.

    Raises:
        JournalError: The file is missing or damaged.
    """
    try:
        footer = _footer(of)
        names = [footer.schema.column(n).path for n in range(footer.num_columns)]
        wanted = {*columns, stretch.axis, "version"}
        chosen = [n for n in names if n in wanted or (inputs and n.startswith(FEATURE))]
        groups = _groups(footer, names.index(stretch.axis), stretch)
        with pq.ParquetFile(of.source(), metadata=footer, page_checksum_verification=True) as file:
            table = file.read_row_groups(groups, columns=chosen)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(of, error) from error
    return inside(table, stretch)


def kinds_in(of: HourFile) -> dict[str, pa.DataType]:
    """Return the kinds of values that a file has in the columns `prediction` and `feature.…`; null where it has none.

    Raises:
        JournalError: The file is missing or damaged.
    """
    try:
        footer = _footer(of)
        schema = footer.schema.to_arrow_schema()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _unreadable(of, error) from error
    return {
        name: pa.null() if _has_no_value(footer, place) else schema.field(place).type
        for place, name in enumerate(schema.names)
        if name == "prediction" or name.startswith(FEATURE)
    }


def _has_no_value(footer: pq.FileMetaData, column: int) -> bool:
    """Whether a column is known to be null throughout."""
    for number in range(footer.num_row_groups):
        known = footer.row_group(number).column(column).statistics
        if known is None or known.num_values:
            return False
    return True


def _unreadable(of: HourFile, error: Exception) -> JournalError:
    msg = (
        f"the prediction log lists {of}, which cannot be read: {error}; "
        "put the file back from a copy: answers of that hour are nowhere else"
    )
    return JournalError(msg)


def inside(table: pa.Table, stretch: Stretch) -> pa.Table:
    """Return the answers of a table that lie in a stretch of the log; the table has the column of its axis."""
    column = table[stretch.axis]
    below = pc.less_equal if stretch.axis == "id" else pc.less
    mask = pc.and_(pc.greater_equal(column, stretch.low), below(column, stretch.high))
    if stretch.version is not None:
        mask = pc.and_(mask, pc.equal(table["version"], stretch.version))
    return table.filter(mask)


@lru_cache(maxsize=_FOOTERS)
def _footer(of: HourFile) -> pq.FileMetaData:
    return pq.read_metadata(of.source())


def _groups(footer: pq.FileMetaData, column: int, stretch: Stretch) -> list[int]:
    """Return the row groups that may hold answers of a stretch, by what the footer says of its axis."""
    found = []
    for number in range(footer.num_row_groups):
        known = footer.row_group(number).column(column).statistics
        is_outside = (
            known is not None
            and known.has_min_max
            and (known.max < stretch.low or known.min > stretch.high)
        )
        if not is_outside:
            found.append(number)
    return found


def _schema(kinds: Mapping[str, pa.DataType]) -> pa.Schema:
    """Return the columns of a file; what has no value at all is float64."""
    fields = {name: kind for name, kind in ANSWER.items() if kind is not None}
    fields = {name: fields.get(name, pa.null()) for name in ANSWER} | dict(kinds)
    return pa.schema(
        [(name, pa.float64() if pa.types.is_null(kind) else kind) for name, kind in fields.items()]
    )


def _conformed(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the columns of a file, null where it has no values."""
    columns = []
    for field in schema:
        column = table[field.name] if field.name in table.column_names else None
        if column is None or (column.type != field.type and column.null_count == len(column)):
            column = pa.nulls(table.num_rows, field.type)
        columns.append(column)
    return pa.Table.from_arrays(columns, schema=schema)


def _layout(table: pa.Table) -> tuple[dict[str, str], list[str]]:
    """Return the encoding of columns whose values hardly repeat, and the columns whose values do.

    The first row group speaks for the others. Floats that do not repeat are split by byte, so that zstd sees their
    exponents side by side.
    """
    split, repeated = dict(_ENCODINGS), []
    sample = table.slice(0, GROUP)
    for field in table.schema:
        if field.name in split or pa.types.is_boolean(field.type):
            continue
        distinct = pc.count_distinct(sample[field.name]).as_py()
        if distinct <= _REPEATED * max(sample.num_rows, 1) or not pa.types.is_floating(field.type):
            repeated.append(field.name)
        else:
            split[field.name] = "BYTE_STREAM_SPLIT"
    return split, repeated
