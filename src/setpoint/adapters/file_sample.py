"""A copy of a table's file, whole or its first rows, in the file's own format."""

import csv
import gzip
import io
import shutil
from pathlib import Path

import pyarrow.feather
import pyarrow.parquet

from setpoint.data.sniff import sniff
from setpoint.errors import SourceError

_SAMPLE = 1 << 20
_GZIP = b"\x1f\x8b"
_PARQUET = b"PAR1"
_ARROW = b"ARROW1"


def copy_table(source: Path, target: Path, *, rows: int | None = None) -> None:
    """Copy a file that can be read, whole or its header and first rows.

    Args:
        source: CSV, CSV.gz, Parquet or Arrow.
        target: File to write; its folder exists.
        rows: Rows to keep; all unless given.

    Raises:
        SourceError: A file cannot be read or written.
    """
    try:
        if rows is None:
            if source.resolve() != target.resolve():
                shutil.copyfile(source, target)
            return
        with source.open("rb") as file:
            head = file.read(len(_ARROW))
        if head.startswith(_PARQUET):
            pyarrow.parquet.write_table(pyarrow.parquet.read_table(source).slice(0, rows), target)
        elif head.startswith(_ARROW):
            pyarrow.feather.write_feather(
                pyarrow.feather.read_table(source).slice(0, rows), str(target)
            )
        elif head.startswith(_GZIP):
            data = _first_rows(gzip.decompress(source.read_bytes()), rows)
            target.write_bytes(gzip.compress(data, mtime=0))  # the same rows, the same bytes
        else:
            target.write_bytes(_first_rows(source.read_bytes(), rows))
    except OSError as error:
        raise SourceError(str(error.filename or source), f"{error.strerror or error}") from error


def _first_rows(data: bytes, rows: int) -> bytes:
    """Return the header and the first rows byte for byte; a quoted cell may hold line breaks."""
    form = sniff(data[:_SAMPLE])
    text = data.decode(form.encoding)
    lines = text.splitlines(keepends=True)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=form.separator)
    for _, _ in zip(range(rows + 1), reader, strict=False):
        pass
    return "".join(lines[: reader.line_num]).encode(form.encoding)
