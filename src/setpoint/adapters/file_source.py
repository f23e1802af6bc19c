"""Tables in files: CSV, CSV.gz, Parquet and Arrow, one file or many.

Text files are read as text: what a cell means is the contract's to say. Files of a glob are joined in the order of
their names. Nothing is skipped silently: a row of another length, a cut archive or a wrong encoding is an error that
names the place.
"""

import gzip
import io
import zlib
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from setpoint.adapters.text_table import (
    ARROW,
    GZIP,
    PARQUET,
    UNCLOSED,
    csv_options,
    ends_inside_quotes,
    first_line,
    found_form,
    header_of,
    ragged_reason,
    require_names,
    separator_of,
)
from setpoint.contract.data import Format
from setpoint.data.sniff import TextForm
from setpoint.digest import sha256_file, sha256_files
from setpoint.errors import EmptyTableError, SourceError
from setpoint.facts.snapshot import Origin

_TABLES = (
    ".csv",
    ".tsv",
    ".txt",
    ".csv.gz",
    ".tsv.gz",
    ".txt.gz",
    ".parquet",
    ".arrow",
    ".feather",
)


class FileSource:
    """Reads the files that a contract's `data.source` names.

    Args:
        source: Path, folder or glob, as the contract writes it.
        folder: Folder that relative paths start from: the contract's.
        form: `data.format` of the contract.
    """

    def __init__(self, source: str, *, folder: Path, form: Format | None = None) -> None:
        self._source = source
        self._folder = folder
        self._form = form or Format()

    def files(self) -> list[Path]:
        """Return the files, in order of their names.

        Raises:
            SourceError: There is none.
        """
        path = Path(self._source).expanduser()
        whole = path if path.is_absolute() else self._folder / path
        if any(char in self._source for char in "*?["):
            anchor = Path(whole.anchor)
            found = sorted(p for p in anchor.glob(str(whole.relative_to(anchor))) if p.is_file())
            if not found:
                raise SourceError(self._source, f"no file under {self._folder} matches it")
            return found
        if whole.is_dir():
            found = sorted(p for p in whole.iterdir() if p.name.endswith(_TABLES))
            if not found:
                raise SourceError(
                    self._source, "the folder holds no .csv, .csv.gz, .parquet or .arrow file"
                )
            return found
        if not whole.exists():
            raise SourceError(self._source, f"there is no file {whole}")
        return [whole]

    def fingerprint(self) -> str:
        """Return a digest of the files' bytes; equal bytes, equal digest.

        Raises:
            SourceError: A file is not there or not readable.
        """
        return sha256_files(self._digests(self.files()))

    def read(self) -> tuple[pa.Table, Origin]:
        """Read and parse the files, joined in the order of their names.

        Returns:
            Text columns for text files, typed ones otherwise; and each file with its digest.

        Raises:
            SourceError: A file is not there, truncated, not a table, or of other columns than the first.
            EmptyTableError: There is not one row.
        """
        files = self.files()
        tables = [self._read_file(path) for path in files]
        table = _joined(tables, files)
        if table.num_rows == 0:
            raise EmptyTableError(f"{self._source} has a header but no rows")
        details = {"rows": table.num_rows, "columns": table.num_columns}
        return table, Origin(source=self._source, files=self._digests(files), details=details)

    def text_form(self) -> TextForm | None:
        """Return how the first file is written, apart from what the contract says; None for Parquet and Arrow.

        Raises:
            SourceError: The file is not there, or is no text.
        """
        path = self.files()[0]
        data = _bytes_of(path)
        return None if data.startswith((PARQUET, ARROW)) else found_form(data, path)

    def _digests(self, files: Sequence[Path]) -> dict[str, str]:
        try:
            return {self._say(path): sha256_file(path) for path in files}
        except OSError as error:
            raise SourceError(self._source, f"{error.strerror}: {error.filename}") from error

    def _say(self, path: Path) -> str:
        """Name a file as seen from the contract, so that a moved project keeps its digests."""
        root = self._folder.resolve()
        resolved = path.resolve()
        return (
            resolved.relative_to(root).as_posix()
            if resolved.is_relative_to(root)
            else resolved.as_posix()
        )

    def _read_file(self, path: Path) -> pa.Table:
        data = _bytes_of(path)
        if not data:
            raise SourceError(str(path), "the file is empty (0 bytes)")
        try:
            if data.startswith(PARQUET):
                table = pa.parquet.read_table(pa.BufferReader(data))
            elif data.startswith(ARROW):
                table = pa.feather.read_table(pa.BufferReader(data))
            else:
                table = _read_text(data, path, self._form)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            reason = f"it is damaged or cut off ({first_line(error)}); fetch or write it again"
            raise SourceError(str(path), reason) from error
        require_names(table.column_names, path)
        return table


def _bytes_of(path: Path) -> bytes:
    """Return a file's bytes, unpacked."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(
            str(path), f"{error.strerror}; check the path and its permissions"
        ) from error
    if not data.startswith(GZIP):
        if data and path.suffix == ".gz":
            reason = f"it is named .gz and is not gzip; fetch it again, or name it {path.stem}"
            raise SourceError(str(path), reason)
        return data
    try:
        return gzip.decompress(data)
    except EOFError as error:
        raise SourceError(
            str(path), "the gzip archive is cut off before its end; fetch it again"
        ) from error
    except (OSError, zlib.error) as error:
        raise SourceError(
            str(path), f"the gzip archive is damaged ({error}); fetch it again"
        ) from error


def _read_text(data: bytes, path: Path, form: Format) -> pa.Table:
    found = found_form(data, path)
    encoding = form.encoding or found.encoding
    text = _decoded(data, encoding, path)
    if not text.strip():
        raise SourceError(str(path), "the file holds only blanks")
    separator = separator_of(form, found, path)
    return _parse(text, path, TextForm(encoding, separator, row_names=found.row_names))


def _decoded(data: bytes, encoding: str, path: Path) -> str:
    try:
        return data.decode(encoding)
    except LookupError as error:
        reason = f"data.format.encoding {encoding!r} is unknown; try utf-8 or cp1252"
        raise SourceError(str(path), reason) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"line {line} is not {encoding}; set data.format.encoding, for example to cp1252"
        raise SourceError(str(path), reason) from error


def _parse(text: str, path: Path, form: TextForm) -> pa.Table:
    ragged: list[pyarrow.csv.InvalidRow] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    block = max(1 << 20, len(text))
    options = csv_options(form, header_of(text, form), block, refuse)
    try:
        table = pa.csv.read_csv(io.BytesIO(text.encode("utf-8")), *options)
    except pa.ArrowInvalid as error:
        if ragged:
            raise SourceError(str(path), ragged_reason(ragged[0], form)) from error
        raise SourceError(
            str(path), f"it is not a table ({first_line(error)}); is it cut off?"
        ) from error
    if table.num_rows:
        last = str(table.column(table.num_columns - 1)[-1].as_py())
        if ends_inside_quotes(text.count('"'), text, last):
            raise SourceError(str(path), UNCLOSED)
    return table


def _joined(tables: list[pa.Table], files: list[Path]) -> pa.Table:
    first = tables[0]
    for table, path in zip(tables[1:], files[1:], strict=True):
        if table.column_names != first.column_names:
            missing = [name for name in first.column_names if name not in table.column_names]
            more = [name for name in table.column_names if name not in first.column_names]
            if missing or more:
                reason = f"its columns differ from those of {files[0].name}: missing {missing}, more {more}"
                raise SourceError(str(path), reason)
    try:
        return pa.concat_tables(
            [table.select(first.column_names) for table in tables], promote_options="permissive"
        )
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = f"its files have columns of different types ({first_line(error)})"
        raise SourceError(f"{files[0].parent}", reason) from error
