"""What text tables have in common, whether they are read whole or in pieces: their form, header and faults."""

import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv

from setpoint.contract.data import Format
from setpoint.data.sniff import TextForm, is_binary, sniff, sniff_encoding
from setpoint.errors import SourceError

SAMPLE = 1 << 20
"""Bytes that tell how a text file is written."""

ROW_NAMES = "row_name"
"""Name of the column of row names that a header does not have."""

PARQUET, ARROW, GZIP = b"PAR1", b"ARROW1", b"\x1f\x8b"
"""What files of these kinds begin with."""

UNCLOSED = "a quote is opened and never closed; is the file cut off?"
"""What is wrong with a file that ends inside a cell."""

_TYPED = (".parquet", ".arrow", ".feather")


def found_form(data: bytes, path: Path) -> TextForm:
    """Return how a text file is written.

    Args:
        data: Its bytes from their start, unpacked; what they tell of the encoding counts.
        path: The file.

    Raises:
        SourceError: It is no text, or named as something else.
    """
    if path.suffix in _TYPED:
        reason = f"the file is named {path.suffix} but is none; write it again"
        raise SourceError(str(path), reason)
    if is_binary(data[:SAMPLE]):
        reason = "it is neither text nor Parquet nor Arrow; convert it to one of these"
        raise SourceError(str(path), reason)
    return replace(sniff(data[:SAMPLE]), encoding=sniff_encoding(data))


def separator_of(form: Format, found: TextForm, path: Path) -> str:
    """Return what stands between two cells: as the contract says, or as it was found.

    Raises:
        SourceError: The contract says more than one character.
    """
    separator = form.separator or found.separator
    if len(separator) != 1:
        reason = f"data.format.separator is {separator!r}; it must be one character"
        raise SourceError(str(path), reason)
    return separator


def header_of(text: str, form: TextForm) -> list[str]:
    """Return the names in the first line of a text, as they stand there."""
    head = pa.csv.open_csv(
        io.BytesIO(text[: text.find("\n", text.find("\n") + 1) + 1 or len(text)].encode()),
        read_options=pa.csv.ReadOptions(use_threads=False, autogenerate_column_names=True),
        parse_options=pa.csv.ParseOptions(
            delimiter=form.separator, invalid_row_handler=lambda _: "skip"
        ),
        convert_options=pa.csv.ConvertOptions(strings_can_be_null=False),
    )
    first = head.read_next_batch()
    return [str(column[0].as_py()) for column in first.columns]


def csv_options(
    form: TextForm,
    header: Sequence[str],
    block_size: int,
    on_ragged: Callable[[pyarrow.csv.InvalidRow], str],
) -> tuple[pyarrow.csv.ReadOptions, pyarrow.csv.ParseOptions, pyarrow.csv.ConvertOptions]:
    """Return how a text table is read: as text, and in one thread, so that a row that does not fit has its number.

    Args:
        form: How it is written.
        header: Names in its first line.
        block_size: Bytes that are read at once; a row has fewer.
        on_ragged: Told of a row of another length; returns `error` or `skip`.
    """
    names = [ROW_NAMES, *header] if form.row_names else None
    reading = pa.csv.ReadOptions(
        use_threads=False,
        block_size=block_size,
        column_names=names,
        skip_rows=1 if names else 0,
    )
    parsing = pa.csv.ParseOptions(
        delimiter=form.separator, newlines_in_values=True, invalid_row_handler=on_ragged
    )
    converting = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names or header, pa.string()), strings_can_be_null=False
    )
    return reading, parsing, converting


def ragged_reason(row: pyarrow.csv.InvalidRow, form: TextForm) -> str:
    """Return what is wrong with a row of another length than the header."""
    number = "" if row.number is None else f" {row.number + (1 if form.row_names else 0)}"
    return (
        f"row{number} has {row.actual_columns} cells, the header has {row.expected_columns}: "
        f"{row.text[:80]!r}; mend the row, or set data.format.separator"
    )


def ends_inside_quotes(quotes: int, end: str, last_cell: str) -> bool:
    """Return whether the last cell swallowed the end of a file, because its quote is never closed.

    Args:
        quotes: Quotes in the file.
        end: The end of the file, longer than its last cell.
        last_cell: The last cell of the last row.
    """
    return quotes % 2 == 1 and end.rstrip().endswith('"' + last_cell.rstrip())


def require_names(names: Sequence[str], path: Path) -> None:
    """Check that the columns of a file have names, each its own.

    Raises:
        SourceError: Two share a name, or one has none.
    """
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        shown = ", ".join(map(repr, twice[:5]))
        raise SourceError(
            str(path), f"columns {shown} come more than once; rename all but one of each"
        )
    if any(not name.strip() for name in names):
        at = next(i for i, name in enumerate(names) if not name.strip())
        raise SourceError(str(path), f"column {at + 1} has no name; name it in the header")


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
