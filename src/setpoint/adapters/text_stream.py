"""A text table read in pieces: CSV, or packed CSV, of any size, in memory that does not grow with it.

What is read is what `setpoint.adapters.file_source` reads: the same cells, and the same faults are refused.
"""

import codecs
import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

import pyarrow as pa
import pyarrow.csv

from setpoint.adapters.text_table import (
    GZIP,
    ROW_NAMES,
    SAMPLE,
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
from setpoint.errors import SourceError

BLOCK = 4 << 20
"""Bytes that are parsed at once; a row has fewer."""

_PIECE = 1 << 20  # bytes that are unpacked at once
_BOM = b"\xef\xbb\xbf"


class TextStream:
    """One text file.

    Args:
        path: The file.
        form: How it is written, as far as the contract says. What it leaves open is found out: the encoding from all of
            its bytes, the rest from the first.
        block: Bytes that are parsed at once.

    Attributes:
        names: Names of the columns.

    Raises:
        SourceError: The file cannot be read, or is no text table.
    """

    def __init__(self, path: Path, form: Format, *, block: int = BLOCK) -> None:
        self._path = path
        self._block = block
        with _Unpacked(path) as file:
            sample = file.read(SAMPLE)
        if not sample:
            raise SourceError(str(path), "the file is empty (0 bytes)")
        found = found_form(sample, path)
        encoding = form.encoding or _encoding_of(path)
        separator = separator_of(form, found, path)
        self._form = TextForm(encoding, separator, row_names=found.row_names)
        head = _head(sample, encoding, path)
        if not head.strip():
            raise SourceError(str(path), "the file holds only blanks")
        self._header = header_of(head, self._form)
        self.names = [ROW_NAMES, *self._header] if found.row_names else self._header
        require_names(self.names, path)

    def tables(self) -> Iterator[tuple[pa.Table, float]]:
        """Return the rows in order, as text, in pieces, each with the share of the file that is read by then.

        Raises:
            SourceError: A row does not fit the header, bytes are not of the encoding, or the file is cut off.
        """
        ragged: list[pyarrow.csv.InvalidRow] = []

        def refuse(row: pyarrow.csv.InvalidRow) -> str:
            ragged.append(row)
            return "error"

        with _Unpacked(self._path) as file:
            text = _Utf8(file, self._form.encoding, self._path, keep=2 * self._block)
            options = csv_options(self._form, self._header, self._block, refuse)
            last = ""
            try:
                reader = pa.csv.open_csv(io.BufferedReader(text, _PIECE), *options)
                for batch in reader:
                    if batch.num_rows:
                        last = str(batch.column(batch.num_columns - 1)[-1].as_py())
                        yield pa.Table.from_batches([batch]), file.share()
            except pa.ArrowInvalid as error:
                raise SourceError(str(self._path), self._reason(error, ragged)) from error
            if ends_inside_quotes(text.quotes, text.end(), last):
                raise SourceError(str(self._path), UNCLOSED)

    def _reason(self, error: pa.ArrowInvalid, ragged: list[pyarrow.csv.InvalidRow]) -> str:
        if ragged:
            return ragged_reason(ragged[0], self._form)
        if "straddling" in str(error):
            size = f"{self._block >> 20} MB" if self._block >> 20 else f"{self._block} bytes"
            return f"a row has more than {size}: {UNCLOSED}"
        return f"it is not a table ({first_line(error)}); is it cut off?"


class _Unpacked:
    """The bytes of a file, unpacked where it is packed.

    Raises:
        SourceError: The file cannot be read, or the archive is damaged or cut off.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._size = path.stat().st_size
            self._raw = path.open("rb")
        except OSError as error:
            reason = f"{error.strerror}; check the path and its permissions"
            raise SourceError(str(path), reason) from error
        packed = self._raw.read(len(GZIP)) == GZIP
        self._raw.seek(0)
        if not packed and path.suffix == ".gz" and self._size:
            self._raw.close()
            reason = f"it is named .gz and is not gzip; fetch it again, or name it {path.stem}"
            raise SourceError(str(path), reason)
        self._file: IO[bytes] | gzip.GzipFile = self._raw
        if packed:
            self._file = gzip.GzipFile(fileobj=self._raw, mode="rb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._raw.close()

    def read(self, size: int) -> bytes:
        """Return this many bytes, or what is left."""
        try:
            return self._file.read(size)
        except EOFError as error:
            reason = "the gzip archive is cut off before its end; fetch it again"
            raise SourceError(str(self._path), reason) from error
        except (OSError, zlib.error) as error:
            reason = f"the gzip archive is damaged ({error}); fetch it again"
            raise SourceError(str(self._path), reason) from error

    def share(self) -> float:
        """Return the share of the file that is read."""
        return min(self._raw.tell() / self._size, 1.0) if self._size else 1.0


class _Utf8(io.RawIOBase):
    """Bytes of an encoding as UTF-8, counted on their way.

    Args:
        file: The bytes.
        encoding: Their encoding.
        path: The file, for errors.
        keep: Bytes of the end that are kept, or more.

    Attributes:
        quotes: Quotes that went by.

    Raises:
        SourceError: The encoding is unknown.
    """

    def __init__(self, file: _Unpacked, encoding: str, path: Path, *, keep: int) -> None:
        self._file = file
        self._encoding = encoding
        self._path = path
        self._decoder = _decoder(encoding, path)
        self._ready = memoryview(b"")
        self._kept: deque[bytes] = deque(
            maxlen=keep // _PIECE + 2
        )  # whole pieces: cheaper than a cut
        self._lines = 1
        self._ended = False
        self.quotes = 0

    def readable(self) -> bool:
        """Return that it is."""
        return True

    def readinto(self, buffer: object) -> int:
        """Fill a buffer, or as much of it as there is, and return how much that is.

        Raises:
            SourceError: Bytes are not of the encoding, or the archive is damaged.
        """
        while not self._ready and not self._ended:
            self._ready = memoryview(self._piece())
        target = memoryview(buffer).cast("B")  # type: ignore[arg-type]  # any buffer
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def end(self) -> str:
        """Return the last that went by."""
        return b"".join(self._kept).decode("utf-8", errors="ignore")

    def _piece(self) -> bytes:
        given = self._file.read(_PIECE)
        self._ended = not given
        try:
            text = self._decoder.decode(given, final=self._ended)
        except UnicodeDecodeError as error:
            line = self._lines + error.object[: error.start].count(b"\n")
            reason = (
                f"line {line} is not {self._encoding}; set data.format.encoding, "
                "for example to cp1252"
            )
            raise SourceError(str(self._path), reason) from error
        piece = text.encode("utf-8")
        self.quotes += piece.count(b'"')
        self._lines += piece.count(b"\n")
        self._kept.append(piece)
        return piece


def _decoder(encoding: str, path: Path) -> codecs.IncrementalDecoder:
    try:
        return codecs.getincrementaldecoder(encoding)()
    except LookupError as error:
        reason = f"data.format.encoding {encoding!r} is unknown; try utf-8 or cp1252"
        raise SourceError(str(path), reason) from error


def _head(sample: bytes, encoding: str, path: Path) -> str:
    """Return the first bytes as text; a last character may be cut."""
    try:
        return _decoder(encoding, path).decode(sample)
    except UnicodeDecodeError as error:
        line = sample.count(b"\n", 0, error.start) + 1
        reason = f"line {line} is not {encoding}; set data.format.encoding, for example to cp1252"
        raise SourceError(str(path), reason) from error


def _encoding_of(path: Path) -> str:
    """Return the encoding that all bytes of a file tell, as `setpoint.data.sniff` says it."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with _Unpacked(path) as file:
        piece = file.read(_PIECE)
        name = "utf-8-sig" if piece.startswith(_BOM) else "utf-8"
        if name == "utf-8-sig":
            return name
        try:
            while piece:
                decoder.decode(piece)
                piece = file.read(_PIECE)
        except UnicodeDecodeError:
            return "cp1252"
    return name
