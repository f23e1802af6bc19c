"""Tables in files: CSV, CSV.gz, Parquet and Arrow, one file or many.

Text files are read as text: what a cell means is the contract's to say. Files of a glob are joined in the order of
their names. Nothing is skipped silently: a row of another length, a cut archive or a wrong encoding is an error that
names the place.
"""

import gzip
import io
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from setpoint.contract.data import Format
from setpoint.data.sniff import TextForm, is_binary, sniff, sniff_encoding
from setpoint.digest import sha256_file, sha256_files
from setpoint.errors import EmptyTableError, SourceError
from setpoint.facts.snapshot import Origin

SAMPLE = 1 << 20  # bytes that tell how a text file is written
ROW_NAMES = "row_name"
"""Name of the column of row names that a header does not have."""

_PARQUET = b"PAR1"
_ARROW = b"ARROW1"
_GZIP = b"\x1f\x8b"
_TYPED = (".parquet", ".arrow", ".feather")
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
        return None if data.startswith((_PARQUET, _ARROW)) else _found(data, path)

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
            if data.startswith(_PARQUET):
                table = pa.parquet.read_table(pa.BufferReader(data))
            elif data.startswith(_ARROW):
                table = pa.feather.read_table(pa.BufferReader(data))
            else:
                table = _read_text(data, path, self._form)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
            reason = f"it is damaged or cut off ({_first_line(error)}); fetch or write it again"
            raise SourceError(str(path), reason) from error
        _require_names(table, path)
        return table


def _bytes_of(path: Path) -> bytes:
    """Return a file's bytes, unpacked."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SourceError(
            str(path), f"{error.strerror}; check the path and its permissions"
        ) from error
    if not data.startswith(_GZIP):
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
    found = _found(data, path)
    encoding = form.encoding or found.encoding
    text = _decoded(data, encoding, path)
    if not text.strip():
        raise SourceError(str(path), "the file holds only blanks")
    separator = form.separator or found.separator
    if len(separator) != 1:
        raise SourceError(
            str(path), f"data.format.separator is {separator!r}; it must be one character"
        )
    return _parse(text, path, TextForm(encoding, separator, row_names=found.row_names))


def _found(data: bytes, path: Path) -> TextForm:
    if path.suffix in _TYPED:
        reason = f"the file is named {path.suffix} but is none; write it again"
        raise SourceError(str(path), reason)
    if is_binary(data[:SAMPLE]):
        reason = "it is neither text nor Parquet nor Arrow; convert it to one of these"
        raise SourceError(str(path), reason)
    return replace(sniff(data[:SAMPLE]), encoding=sniff_encoding(data))


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
    names = None
    ragged: list[pyarrow.csv.InvalidRow] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    header = _header(text, form)
    if form.row_names:
        names = [ROW_NAMES, *header]
    # One thread, so that a row that does not fit has its number.
    reading = pa.csv.ReadOptions(
        use_threads=False,
        block_size=max(1 << 20, len(text)),
        column_names=names,
        skip_rows=1 if names else 0,
    )
    parsing = pa.csv.ParseOptions(
        delimiter=form.separator, newlines_in_values=True, invalid_row_handler=refuse
    )
    converting = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names or header, pa.string()), strings_can_be_null=False
    )
    try:
        table = pa.csv.read_csv(io.BytesIO(text.encode("utf-8")), reading, parsing, converting)
    except pa.ArrowInvalid as error:
        if ragged:
            row = ragged[0]
            number = "" if row.number is None else f" {row.number + (1 if names else 0)}"
            reason = (
                f"row{number} has {row.actual_columns} cells, the header has {row.expected_columns}: "
                f"{row.text[:80]!r}; mend the row, or set data.format.separator"
            )
            raise SourceError(str(path), reason) from error
        raise SourceError(
            str(path), f"it is not a table ({_first_line(error)}); is it cut off?"
        ) from error
    if _ends_inside_quotes(text, table):
        reason = "a quote is opened and never closed; is the file cut off?"
        raise SourceError(str(path), reason)
    return table


def _ends_inside_quotes(text: str, table: pa.Table) -> bool:
    """Whether the last cell swallowed the end of the file, because its quote is never closed."""
    if text.count('"') % 2 == 0 or table.num_rows == 0:
        return False
    last = str(table.column(table.num_columns - 1)[-1].as_py()).rstrip()
    return text.rstrip().endswith('"' + last)


def _header(text: str, form: TextForm) -> list[str]:
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


def _require_names(table: pa.Table, path: Path) -> None:
    names = table.column_names
    if len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        shown = ", ".join(map(repr, twice[:5]))
        raise SourceError(
            str(path), f"columns {shown} come more than once; rename all but one of each"
        )
    if any(not name.strip() for name in names):
        at = next(i for i, name in enumerate(names) if not name.strip())
        raise SourceError(str(path), f"column {at + 1} has no name; name it in the header")


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
        reason = f"its files have columns of different types ({_first_line(error)})"
        raise SourceError(f"{files[0].parent}", reason) from error


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
