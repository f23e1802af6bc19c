"""Checkpoints of a SQLite file on a thread and a connection of their own, so that no commit has to make one."""

import contextlib
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path


class Checkpoints:
    """Moves what was committed from the write-ahead log into the file, while commits go on.

    SQLite lets both happen at once. The file is fsynced, and the write-ahead log used anew, when no commit came in
    between: commits that follow each other without a pause leave that to SQLite's own threshold.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="log-checkpoint")
        self._connection: sqlite3.Connection | None = None
        self._running = False

    def ask(self) -> None:
        """Have a checkpoint made, unless one is being made. Returns at once, and raises nothing."""
        if not self._running:
            self._running = True
            self._thread.submit(self._make)

    def close(self) -> None:
        """Wait for the checkpoint that is being made, and let go of the file."""
        self._thread.shutdown()
        self._running = True  # nothing is asked for any more
        if self._connection is not None:
            self._connection.close()

    def _make(self) -> None:
        """Make one; what cannot be moved stays where it is, and is as safe there."""
        try:
            with contextlib.suppress(sqlite3.Error):
                if self._connection is None:
                    self._connection = sqlite3.connect(
                        self._path, isolation_level=None, check_same_thread=False
                    )
                    self._connection.execute("PRAGMA synchronous = FULL")
                self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        finally:
            self._running = False
