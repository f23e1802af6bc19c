"""Stored tables as Arrow IPC files that every process can map; implements `setpoint.ports.tables.Tables`."""

import hashlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from setpoint.digest import sha256_bytes, sha256_json
from setpoint.errors import DataError

_BLOCK_ROWS = 1 << 20  # rows that are made canonical at a time


class ArrowTables:
    """Keeps tables under `tables/<digest>.arrow` and arrays of row positions under `rows/<digest>.npz`.

    A digest is over the content: equal rows have equal digests however they are chunked, and whatever bytes lie under
    missing values. A file is checked against its name when this process first maps it, and again when its size,
    modification time or inode differ from those it was checked with.

    Args:
        store: The project's store, such as `.setpoint`.
    """

    def __init__(self, store: Path) -> None:
        self._tables = store / "tables"
        self._rows = store / "rows"
        self._checked: dict[str, tuple[int, int, int]] = {}

    def put(self, table: pa.Table) -> str:
        """Store a table and return its content digest; storing it again changes nothing."""
        table = table.replace_schema_metadata(None)
        digest = table_digest(table)
        path = self.path(digest)
        if path.is_file():
            return digest
        self._tables.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{digest}-{os.getpid()}")
        try:
            with (
                pa.OSFile(str(beside), "wb") as sink,
                pa.ipc.new_file(sink, table.schema) as writer,
            ):
                writer.write_table(table.combine_chunks())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        self._checked[digest] = _stamp(path)
        return digest

    def get(self, digest: str) -> pa.Table:
        """Return a stored table, memory-mapped.

        Raises:
            DataError: There is no such table, or it was altered.
        """
        path = self.path(digest)
        try:
            stamp = _stamp(path)
            table = mapped_table(path)
        except FileNotFoundError as error:
            msg = f"there is no stored table {digest}"
            raise DataError(msg) from error
        except (OSError, pa.ArrowException) as error:
            msg = f"the stored table {path} was altered: {error}"
            raise DataError(msg) from error
        if self._checked.get(digest) != stamp:
            self._require_whole(digest, table, path)
            self._checked[digest] = stamp
        return table

    def path(self, digest: str) -> Path:
        """Return the file of a stored table."""
        return self._tables / f"{digest}.arrow"

    def put_rows(self, rows: dict[str, Any]) -> str:
        """Store arrays of row positions as `.npz` and return the file's path; named by content."""
        arrays = {name: np.ascontiguousarray(values) for name, values in sorted(rows.items())}
        parts = {
            name: [str(values.dtype), list(values.shape), sha256_bytes(values.tobytes())]
            for name, values in arrays.items()
        }
        path = self._rows / f"{sha256_json(parts)}.npz"
        if path.is_file():
            return str(path)
        self._rows.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.stem}-{os.getpid()}.npz")
        try:
            np.savez(beside, allow_pickle=False, **arrays)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        return str(path)

    def _require_whole(self, digest: str, table: pa.Table, path: Path) -> None:
        try:
            found = table_digest(table)
        except (pa.ArrowException, ValueError) as error:
            msg = f"the stored table {path} was altered: {error}"
            raise DataError(msg) from error
        if found != digest:
            msg = f"the stored table {path} was altered: its content is {found}"
            raise DataError(msg)


def mapped_table(path: Path) -> pa.Table:
    """Return the table in an Arrow IPC file, memory-mapped and unchecked.

    Raises:
        FileNotFoundError: There is no such file.
        pa.ArrowInvalid: It is not an Arrow file.
    """
    with pa.memory_map(str(path)) as source:
        return pa.ipc.open_file(source).read_all()


def table_digest(table: pa.Table) -> str:
    """Return the digest of a table's column names, types and values."""
    columns = [
        [field.name, str(field.type), _column_digest(table.column(at))]
        for at, field in enumerate(table.schema)
    ]
    return sha256_json({"rows": table.num_rows, "columns": columns})


def _column_digest(column: pa.ChunkedArray) -> str:
    digest = hashlib.sha256()
    for start in range(0, len(column), _BLOCK_ROWS):
        block = column.slice(start, _BLOCK_ROWS).combine_chunks()
        if isinstance(block, pa.ChunkedArray):
            block = pa.concat_arrays(block.chunks)
        if pa.types.is_dictionary(block.type):
            block = block.cast(block.type.value_type)
        for part in _canonical(block):
            digest.update(len(part).to_bytes(8, "little"))
            digest.update(part)
    return digest.hexdigest()


def _canonical(block: pa.Array) -> list[Any]:
    """Return the bytes that say an array's values: which are missing, then the others one after the other."""
    valid = (
        np.packbits(block.is_valid().to_numpy(zero_copy_only=False)) if block.null_count else b""
    )
    values = block.drop_null()
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        wide = values.cast(pa.large_binary())
        _, offsets, text = wide.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[wide.offset : wide.offset + len(wide) + 1]
        return [bytes(valid), np.diff(ends).tobytes(), _between(text, int(ends[0]), int(ends[-1]))]
    if pa.types.is_boolean(kind):
        return [bytes(valid), values.to_numpy(zero_copy_only=False).tobytes()]
    if pa.types.is_temporal(kind):
        values = values.view(pa.int64() if kind.bit_width == 64 else pa.int32())  # noqa: PLR2004  bits
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return [bytes(valid), np.ascontiguousarray(values.to_numpy(zero_copy_only=False)).tobytes()]
    return [bytes(valid), repr(values.to_pylist()).encode()]


def _between(buffer: Any, start: int, end: int) -> Any:
    return memoryview(buffer)[start:end] if buffer is not None else b""


def _stamp(path: Path) -> tuple[int, int, int]:
    about = path.stat()
    return (about.st_ino, about.st_size, about.st_mtime_ns)
