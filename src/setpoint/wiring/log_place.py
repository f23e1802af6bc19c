"""Where a project's prediction log lies, and how it is opened."""

from dataclasses import dataclass
from pathlib import Path

from setpoint.adapters.chunk_log import ChunkLog
from setpoint.adapters.hour_files import FolderFiles
from setpoint.adapters.log_file import LogFile
from setpoint.adapters.log_lines import LogLines
from setpoint.adapters.log_secret import LogSecret
from setpoint.adapters.sqlite_log import SqliteLog
from setpoint.errors import UsageError
from setpoint.settings import Settings


@dataclass(frozen=True)
class LogPlace:
    """Where a prediction log lies.

    Args:
        tables: The SQLite file.
    """

    tables: Path

    @property
    def shown(self) -> str:
        """Where it lies, for people."""
        return str(self.tables)


def place_of(settings: Settings) -> LogPlace:
    """Return where a project's log lies."""
    return LogPlace(settings.store / "log.db")


def require_log(settings: Settings) -> LogPlace:
    """Return where a project's log lies.

    Raises:
        UsageError: There is none yet.
    """
    place = place_of(settings)
    if not place.tables.is_file():
        raise UsageError(f"there is no prediction log yet: {place.shown}; begin with: setpoint up")
    return place


def open_log(place: LogPlace) -> ChunkLog:
    """Open a log; it is made where it is missing.

    Raises:
        JournalError: It cannot be opened.
    """
    return SqliteLog(place.tables)


def open_lines(place: LogPlace) -> LogLines:
    """Open a log for people to look at.

    Raises:
        JournalError: It cannot be opened.
    """
    return LogLines(LogFile(place.tables), FolderFiles(place.tables.with_suffix("")))


def secret_of(place: LogPlace, key: str) -> LogSecret:
    """Return what gives the secret that a log hashes columns with.

    Args:
        place: Where the log lies.
        key: The team's key, or empty.
    """
    return LogSecret(place.tables, key)
