"""The log of predictions and outcomes in one SQLite file, and beside it Parquet files of the hours that are over.

A call that returned is on disk: WAL mode with `synchronous=FULL` fsyncs every commit, so neither kill -9 nor a power
cut takes back what was acknowledged.
"""

from pathlib import Path

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.hour_files import FolderFiles, HourFiles
from setpoint.adapters.log.sqlite_store import LogFile


class SqliteLog(ChunkLog):
    """A log of one machine; see `setpoint.adapters.log.chunk_log.ChunkLog`.

    Args:
        path: The SQLite file, such as `.setpoint/log.db`; it and its folder are made where missing.
        files: The Parquet files; by default in the folder of the file's name, such as `.setpoint/log`.

    Raises:
        JournalError: The file cannot be opened, or has a layout that this version does not know.
    """

    def __init__(self, path: Path, files: HourFiles | None = None) -> None:
        self._file = LogFile(path)
        super().__init__(self._file, files or FolderFiles(path.with_suffix("")))
