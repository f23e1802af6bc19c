"""Where a project's prediction log lies, and how it is opened.

| it is said to be | answers are acknowledged by | they lie with the outcomes in | past hours go to |
|---|---|---|---|
| nowhere | these tables | PostgreSQL where state is there, or `log.db` in the store | the folder beside it |
| a file | the file | that SQLite file | the folder of its name |
| `postgresql://…` | the database | tables there | nowhere: they stay |
| `s3://…` | the object store | the tables that it would have without | the object store |

`SETPOINT_LOG_FILES` sends past hours elsewhere, to a folder or an object store.
"""

import importlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.hour_files import FolderFiles, HourFiles
from setpoint.adapters.log.lines import LogLines
from setpoint.adapters.log.secret import LogSecret
from setpoint.adapters.log.shadow_file import shadow_file
from setpoint.adapters.log.sqlite_store import LogFile
from setpoint.adapters.log.store import LogStore
from setpoint.clock import Clock, SystemClock
from setpoint.errors import UsageError
from setpoint.gateway.log_writer import AnswerLog
from setpoint.settings import LogSettings, Settings

_POSTGRES = re.compile(r"postgres(ql)?(\+\w+)?://")
_LANES = 8
_OBJECTS = re.compile(r"(s3|gs|az)://")
_ADDRESS = re.compile(r"\w+(\+\w+)?://")


@dataclass(frozen=True)
class LogPlace:
    """Where a prediction log lies.

    Args:
        tables: A SQLite file, or an address of PostgreSQL, which is in no text, as it may hold a password; None where
            they are out of reach, so that answers can be added and nothing else.
        files: Where past hours go: a folder, or an address of an object store; empty for the folder beside a SQLite
            file, or for the tables.
        answers: Address of an object store that acknowledges answers; empty where the tables do.
    """

    tables: Path | str | None = field(repr=False)
    files: str = ""
    answers: str = ""

    @property
    def shadows(self) -> "LogPlace":
        """Where the log of the shadows lies: beside it, and of the same form."""
        tables = self.tables
        if isinstance(tables, Path):
            tables = shadow_file(tables)
        elif tables is not None:
            tables = _adapter("setpoint.wiring.postgres").shadows_of(tables)
        return LogPlace(tables, _beside(self.files), _beside(self.answers))


def place_of(settings: Settings) -> LogPlace:
    """Return where a project's log lies.

    Raises:
        UsageError: It is said to be where none can be.
    """
    return place_at(settings.log, settings.store / "log.db")


def place_at(told: LogSettings, file: Path, *, apart: bool = False) -> LogPlace:
    """Return where a log lies.

    Args:
        told: Where it is said to be.
        file: The SQLite file where nobody said.
        apart: Whether that file would be nobody else's, so that outcomes in it would be lost on others.

    Raises:
        UsageError: It is said to be where none can be.
    """
    database = told.database_url if _POSTGRES.match(told.database_url) else ""
    where = told.url or database
    if not where:
        return LogPlace(file, told.files)
    if _POSTGRES.match(where):
        return LogPlace(where, told.files)
    if _OBJECTS.match(where):
        tables = database or (None if apart else file)
        return LogPlace(tables, told.files or where, where)
    if _ADDRESS.match(where):
        kind = where.partition("://")[0]
        msg = f"a prediction log is a file, postgresql://… or s3://…; found {kind}://…"
        raise UsageError(msg)
    return LogPlace(Path(where), told.files)


def require_log(settings: Settings) -> LogPlace:
    """Return where a project's log lies.

    Raises:
        UsageError: There is none yet, or it is said to be where none can be.
    """
    place = place_of(settings)
    if not _is_there(place):
        msg = f"there is no prediction log yet: {place.tables}; begin with: setpoint up"
        raise UsageError(msg)
    return place


def make_log(place: LogPlace) -> None:
    """Make a log's file where it is missing; a database is made ready by the first who asks it.

    Raises:
        JournalError: It cannot be opened.
    """
    if isinstance(place.tables, Path):
        LogFile(place.tables).close()


def open_log(place: LogPlace, clock: Clock | None = None) -> ChunkLog:
    """Open a log; it is made where it is missing. PostgreSQL is not asked before the first use.

    Args:
        place: Where it lies.
        clock: For pauses between attempts to reach a database.

    Raises:
        UsageError: What it needs is not installed.
        JournalError: It cannot be opened.
    """
    files = _files(place)
    if not place.answers or files is None:
        return ChunkLog(_tables(place, clock), files)
    adapter = _adapter("setpoint.wiring.s3")
    clock = clock or SystemClock()
    log: ChunkLog = adapter.open_spooled(place.answers, _tables(place, clock), files, clock)
    return log


def lanes_of(place: LogPlace | None) -> int:
    """Return how many commits of a gateway may be under way at a time.

    A disk or a database takes one after the other. An object store takes long over each and any number at once.
    """
    return _LANES if place is not None and place.answers else 1


def open_answers(place: LogPlace, clock: Clock) -> AnswerLog:
    """Open a log as a gateway needs it; see `open_log`."""
    if place.tables is not None:
        return open_log(place, clock)
    log: AnswerLog = _adapter("setpoint.wiring.s3").open_answers(place.answers)
    return log


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
    return LogLines(_store(beside), _files(beside), _store(place))


def open_lines(place: LogPlace) -> LogLines:
    """Open a log for people to look at; see `open_log`."""
    return LogLines(_store(place), _files(place))


def secret_of(place: LogPlace, key: str) -> LogSecret:
    """Return what gives the secret that a log hashes columns with: the team's key, or a salt that lies with the log.

    Args:
        place: Where the log lies.
        key: The team's key, or empty.
    """
    if place.answers:  # all who add answers reach it
        secret: LogSecret = _adapter("setpoint.wiring.s3").secret(place.answers, key)
    elif isinstance(place.tables, Path):
        secret = LogSecret(place.tables, key)
    else:
        secret = _adapter("setpoint.wiring.postgres").secret(place.tables, key)
    return secret


def _beside(where: str) -> str:
    """Return where the shadows' part of a folder or an object store lies."""
    return f"{where.rstrip('/')}.shadows" if where else ""


def _store(place: LogPlace) -> LogStore:
    """Return the tables as readers have them: with what waits in an object store."""
    store, files = _tables(place, None), _files(place)
    if place.answers and files is not None:
        adapter = _adapter("setpoint.wiring.s3")
        store = adapter.spooled_store(place.answers, store, files, SystemClock())
    return store


def _tables(place: LogPlace, clock: Clock | None) -> LogStore:
    if isinstance(place.tables, Path):
        return LogFile(place.tables)
    if place.tables is None:
        msg = (
            f"the tables of the log in {place.answers} are out of reach: set SETPOINT_DATABASE_URL"
        )
        raise UsageError(msg)
    adapter = _adapter("setpoint.wiring.postgres")
    store: LogStore = adapter.open_store(place.tables, clock or SystemClock())
    return store


def _is_there(place: LogPlace) -> bool:
    """Whether a log is there; whether a database has one is seen when it is asked."""
    return bool(place.answers) or not isinstance(place.tables, Path) or place.tables.is_file()


def _files(place: LogPlace) -> HourFiles | None:
    if _ADDRESS.match(place.files):
        files: HourFiles = _adapter("setpoint.wiring.s3").open_files(place.files)
        return files
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
