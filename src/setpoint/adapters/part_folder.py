"""A table that is written in parts, so that whoever is stopped in the midst goes on from the last whole part.

Beside `OUT` lies a hidden folder until `OUT` is whole:

```
.OUT.parts/job.json      what the table is made of, and what was drawn when it was begun
.OUT.parts/000007.json   what came of part 7
.OUT.parts/000007.part   part 7: once it has this name, it is whole and on disk
.OUT.parts/lock          held by the process that writes
```

A part is an Arrow file, which costs little to write and to read, or lines of CSV. The finished table follows from the
parts alone, so that it is the same to the byte however often its making was stopped.
"""

import fcntl
import io
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from setpoint.errors import UsageError

SUFFIXES = (".parquet", ".csv")
"""What a table may be written as."""

_LAYOUT = 1
_SHOWN = 3  # changes that a message tells
_LONGEST = 60  # characters of each


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a table is made of.

    Args:
        made_of: Whatever decides the table, by what people call it; equal only if nothing changed.
        at: When it was begun, in seconds since 1970-01-01 UTC.
        seed: What was drawn for it, in hexadecimal digits.
        layout: How the folder is written.
    """

    made_of: dict[str, str]
    at: float
    seed: str
    layout: int = _LAYOUT


class PartFolder:
    """The parts of one table that is being made.

    Args:
        out: The table's file.

    Raises:
        UsageError: It is named neither Parquet nor CSV.
    """

    def __init__(self, out: Path) -> None:
        if out.suffix not in SUFFIXES:
            msg = f"{out}: name it {' or '.join(SUFFIXES)}"
            raise UsageError(msg)
        self.out = out
        self.folder = out.with_name(f".{out.name}.parts")

    def begun(self, made_of: Mapping[str, str]) -> Job | None:
        """Return what was begun and not finished, where it is of the same; None where there is nothing.

        Args:
            made_of: What the table is to be made of now.

        Raises:
            UsageError: What was begun was of something else.
        """
        path = self.folder / "job.json"
        try:
            job = msgspec.json.decode(path.read_bytes(), type=Job)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            msg = f"{path} cannot be read: {error}; begin anew with --restart"
            raise UsageError(msg) from error
        changes = _changes(job, made_of)
        if changes:
            msg = (
                f"{self.out} was begun and not finished, and cannot be gone on with: {changes}. "
                "Begin anew with --restart; what was logged stays logged"
            )
            raise UsageError(msg)
        return job

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes away; the folder is made where there is none.

        Raises:
            UsageError: Another process holds it, or it cannot be made.
        """
        with _writing(self.out):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / "lock").open("w")
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                msg = f"another process is writing {self.out}"
                raise UsageError(msg) from error
            yield

    def begin(self, job: Job) -> None:
        """Forget whatever was begun, and begin anew. Only while it is held."""
        with _writing(self.out):
            for path in self.folder.iterdir():
                if path.name != "lock":
                    path.unlink()
            self._put("job.json", lambda file: file.write(msgspec.json.encode(job)))

    def notes(self) -> list[dict[str, Any]]:
        """Return what came of each whole part, in order."""
        found: list[dict[str, Any]] = []
        while (self.folder / f"{len(found):06}.part").exists():
            note = (self.folder / f"{len(found):06}.json").read_bytes()
            found.append(msgspec.json.decode(note))
        return found

    def add(self, number: int, table: pa.Table, note: Mapping[str, Any]) -> None:
        """Write a part: when this returns it is on disk.

        Args:
            number: Its number, from 0.
            table: Its rows, of the same columns as all parts.
            note: What came of it.

        Raises:
            UsageError: It cannot be written, or its columns cannot be written as CSV.
        """
        write = _write_arrow if self._is_parquet else _write_lines
        with _writing(self.out):
            self._put(f"{number:06}.json", lambda file: file.write(msgspec.json.encode(note)))
            self._put(f"{number:06}.part", lambda file: write(table, file))

    def finish(self, schema: pa.Schema) -> None:
        """Put the parts together: the table appears whole, and its parts are gone.

        Args:
            schema: Its columns.

        Raises:
            UsageError: It cannot be written.
        """
        parts = [self.folder / f"{number:06}.part" for number in range(len(self.notes()))]
        with _writing(self.out):
            if self._is_parquet:
                self._put("whole", lambda file: _join_parquet(parts, schema, file))
            else:
                self._put("whole", lambda file: _join_lines(parts, schema, file))
            (self.folder / "whole").replace(self.out)
            _sync(self.out.parent)
            shutil.rmtree(self.folder)

    def drop(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _is_parquet(self) -> bool:
        return self.out.suffix == ".parquet"

    def _put(self, name: str, write: Callable[[IO[bytes]], Any]) -> None:
        """Write a file of the folder that is whole and on disk, or not there."""
        beside = self.folder / f"{name}.new"
        with beside.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.folder / name)
        _sync(self.folder)


def _write_arrow(table: pa.Table, file: IO[bytes]) -> None:
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(file, table.schema, options=options) as writer:
        writer.write_table(table)


def _write_lines(table: pa.Table, file: IO[bytes]) -> None:
    options = pa.csv.WriteOptions(include_header=False)
    pa.csv.write_csv(table, file, options)


def _join_parquet(parts: list[Path], schema: pa.Schema, file: IO[bytes]) -> None:
    """Write a file of which every part is a group of rows."""
    with pa.parquet.ParquetWriter(file, schema) as writer:
        for part in parts:
            with pa.OSFile(str(part)) as arrow:
                writer.write_table(pa.ipc.open_file(arrow).read_all())


def _join_lines(parts: list[Path], schema: pa.Schema, file: IO[bytes]) -> None:
    """Write a header and the lines of every part."""
    header = io.BytesIO()
    pa.csv.write_csv(schema.empty_table(), header)
    file.write(header.getvalue())
    for part in parts:
        with part.open("rb") as lines:
            shutil.copyfileobj(lines, file, 1 << 20)


def _changes(job: Job, made_of: Mapping[str, str]) -> str:
    """Return what is not as it was when a table was begun; empty where all is."""
    if job.layout != _LAYOUT:
        return "another version of setpoint began it"
    names = dict.fromkeys([*job.made_of, *made_of])
    told = []
    for name in names:
        was, now = job.made_of.get(name, "nothing"), made_of.get(name, "nothing")
        if was != now:
            told.append(f"{name} was {was[:_LONGEST]}, is {now[:_LONGEST]}")
    more = f", and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "; ".join(told[:_SHOWN]) + more


def _sync(folder: Path) -> None:
    """Bring the names in a folder to disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Translate what stands in the way of a file."""
    try:
        yield
    except OSError as error:
        msg = f"{out} cannot be written: {error.strerror or error}"
        raise UsageError(msg) from error
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        msg = f"{out} cannot be written: {error}"
        raise UsageError(msg) from error
