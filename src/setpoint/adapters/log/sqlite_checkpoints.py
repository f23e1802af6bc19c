"""Copies what was committed from a SQLite file's write-ahead log into the file, beside commits.

SQLite lets one connection copy while another commits. Versions before 3.51.3 may corrupt the file in a rare moment of
that ("The WAL-reset bug" in https://sqlite.org/wal.html); `apsw` brings one that does not.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import apsw

_NICE = 19  # the thread yields the processor to whoever has answers to give or to write
_sync = getattr(os, "fdatasync", os.fsync)
_descriptors: dict[tuple[int, int], int] = {}  # of files, by device and inode


class Checkpoints:
    """Copies on a thread and a connection of its own. Safe to call from any thread.

    What was copied is fsynced as well, so that whoever makes the last step of a checkpoint has little left to do: a
    connection that has seen to it that no commit comes in between. Only then is the write-ahead log begun anew.

    Args:
        path: The file.

    Attributes:
        frames: Pages in the write-ahead log when it was copied last.
    """

    def __init__(self, path: Path) -> None:
        self.frames = 0
        self._path = path
        self._thread = ThreadPoolExecutor(1, "log-checkpoint", _step_back)
        self._connection: apsw.Connection | None = None
        self._running = False

    def ask(self) -> None:
        """Have a copy made, unless one is being made. Returns at once, and raises nothing."""
        if self._running:
            return
        self._running = True
        try:
            self._thread.submit(self._copy)
        except RuntimeError:
            # It is closed, or the machine has no thread left: SQLite has a threshold of its own.
            self._running = False

    def close(self) -> None:
        """Wait for the copy that is being made, and let go of the file."""
        self._thread.shutdown()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _copy(self) -> None:
        """Make a copy; what cannot be copied is as safe where it is."""
        try:
            with suppress(apsw.Error, OSError):
                if self._connection is None:
                    self._connection = _connect(self._path)
                frames, _ = self._connection.wal_checkpoint()  # a passive one waits for nobody
                _sync(_descriptor(self._path))
                self.frames = frames
        finally:
            self._running = False


def _step_back() -> None:
    """Lower the priority of this thread, which Linux allows of one alone."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)


def _connect(path: Path) -> apsw.Connection:
    """Return a connection that has its write-ahead log open; without that a checkpoint does nothing."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
    connection.execute("SELECT COUNT(*) FROM sqlite_schema").fetchone()
    return connection


def _descriptor(path: Path) -> int:
    """Return a descriptor of a file, which is never closed: with any of them a process drops all its locks on the file.

    Among these are SQLite's (https://sqlite.org/howtocorrupt.html, section 2.2).
    """
    found = path.stat()
    file = (found.st_dev, found.st_ino)
    if file not in _descriptors:
        _descriptors[file] = os.open(path, os.O_RDONLY)
    return _descriptors[file]
