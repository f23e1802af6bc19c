"""Where a project's prediction log lies, and how it is opened.

| it is said to be | answers and outcomes | past hours |
|---|---|---|
| nowhere | `log.db` in the store, SQLite; PostgreSQL where state is there | in the folder `log` beside it |
| a file | that SQLite file | in the folder of its name |
| `postgresql://…` | tables there | stay there, or go where `SETPOINT_LOG_FILES` says |
"""

import importlib
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from setpoint.adapters.chunk_log import ChunkLog
from setpoint.adapters.hour_files import FolderFiles, HourFiles
from setpoint.adapters.log_file import LogFile
from setpoint.adapters.log_lines import LogLines
from setpoint.adapters.log_secret import LogSecret
from setpoint.adapters.log_store import LogStore
from setpoint.adapters.shadow_file import shadow_file
from setpoint.clock import Clock, SystemClock
from setpoint.errors import UsageError
from setpoint.settings import LogSettings, Settings

_POSTGRES = re.compile(r"postgres(ql)?(\+\w+)?://")
_ADDRESS = re.compile(r"\w+(\+\w+)?://")


@dataclass(frozen=True)
class LogPlace:
    """Where a prediction log lies.

    Args:
        tables: A SQLite file, or an address of PostgreSQL; the latter is in no text, since it may hold a password.
        files: Where past hours go: a folder; empty for the one beside a SQLite file, or for the tables.
    """

    tables: Path | str = field(repr=False)
    files: str = ""

    @property
    def shadows(self) -> "LogPlace":
        """Where the log of the shadows lies: beside it, and of the same form."""
        if isinstance(self.tables, Path):
            return replace(self, tables=shadow_file(self.tables), files="")
        return replace(
            self, tables=_adapter("setpoint.wiring.postgres").shadows_of(self.tables), files=""
        )


def place_of(settings: Settings) -> LogPlace:
    """Return where a project's log lies.

    Raises:
        UsageError: It is said to be where none can be.
    """
    return place_at(settings.log, settings.store / "log.db")


def place_at(told: LogSettings, file: Path) -> LogPlace:
    """Return where a log lies.

    Args:
        told: Where it is said to be.
        file: The SQLite file where nobody said.

    Raises:
        UsageError: It is said to be where none can be.
    """
    where = told.url
    if not where and _POSTGRES.match(told.database_url):
        where = told.database_url
    if not where:
        return LogPlace(file, told.files)
    if _POSTGRES.match(where):
        return LogPlace(where, told.files)
    if _ADDRESS.match(where):
        kind = where.partition("://")[0]
        raise UsageError(f"a prediction log is a file or postgresql://…; found {kind}://…")
    return LogPlace(Path(where), told.files)


def require_log(settings: Settings) -> LogPlace:
    """Return where a project's log lies.

    Raises:
        UsageError: There is none yet, or it is said to be where none can be.
    """
    place = place_of(settings)
    if isinstance(place.tables, Path) and not place.tables.is_file():
        msg = f"there is no prediction log yet: {place.tables}; begin with: setpoint up"
        raise UsageError(msg)
    return place


def open_log(place: LogPlace, clock: Clock | None = None) -> ChunkLog:
    """Open a log; it is made where it is missing. PostgreSQL is not asked before the first use.

    Args:
        place: Where it lies.
        clock: For pauses between attempts to reach a database.

    Raises:
        UsageError: What it needs is not installed.
        JournalError: It cannot be opened.
    """
    return ChunkLog(_store(place, clock), _files(place))


def find_shadows(place: LogPlace, clock: Clock | None = None) -> ChunkLog | None:
    """Open the log of the shadows beside a log; None where there never was a shadow.

    Raises:
        JournalError: It cannot be opened.
    """
    beside = place.shadows
    return open_log(beside, clock) if _is_there(beside) else None


class LateShadows:
    """The log of the shadows beside a log, opened when there is one.

    Args:
        place: Where the log lies.
        clock: For pauses between attempts to reach a database.
    """

    def __init__(self, place: LogPlace, clock: Clock | None = None) -> None:
        self._place = place
        self._clock = clock
        self._log: ChunkLog | None = None

    def __call__(self) -> ChunkLog | None:
        """Return the log, or None where there never was a shadow.

        Raises:
            JournalError: It cannot be opened.
        """
        if self._log is None:
            self._log = find_shadows(self._place, self._clock)
        return self._log

    def close(self) -> None:
        """Let go of it."""
        if self._log is not None:
            self._log.close()


def find_shadow_lines(place: LogPlace) -> LogLines | None:
    """Open the log of the shadows beside a log for people to look at; None where there never was a shadow.

    Raises:
        JournalError: It cannot be opened.
    """
    beside = place.shadows
    if not _is_there(beside):
        return None
    return LogLines(_store(beside, None), _files(beside), _store(place, None))


def open_lines(place: LogPlace) -> LogLines:
    """Open a log for people to look at; see `open_log`."""
    return LogLines(_store(place, None), _files(place))


def secret_of(place: LogPlace, key: str) -> LogSecret:
    """Return what gives the secret that a log hashes columns with: the team's key, or a salt that lies with the log.

    Args:
        place: Where the log lies.
        key: The team's key, or empty.
    """
    if isinstance(place.tables, Path):
        return LogSecret(place.tables, key)
    secret: LogSecret = _adapter("setpoint.wiring.postgres").secret(place.tables, key)
    return secret


def _store(place: LogPlace, clock: Clock | None) -> LogStore:
    if isinstance(place.tables, Path):
        return LogFile(place.tables)
    adapter = _adapter("setpoint.wiring.postgres")
    store: LogStore = adapter.open_store(place.tables, clock or SystemClock())
    return store


def _is_there(place: LogPlace) -> bool:
    """Whether a log is there; whether a database has one is seen when it is asked."""
    return not isinstance(place.tables, Path) or place.tables.is_file()


def _files(place: LogPlace) -> HourFiles | None:
    if place.files:
        return FolderFiles(Path(place.files))
    return FolderFiles(place.tables.with_suffix("")) if isinstance(place.tables, Path) else None


def _adapter(name: str) -> Any:
    """Return a module that needs what not everybody installs.

    Raises:
        UsageError: It is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        extra = name.rpartition(".")[2]
        msg = f"this needs {error.name}: pip install 'setpoint[{extra}]'"
        raise UsageError(msg) from error
