"""The access log: one line of JSON for each request, written by a thread of its own.

Rules:
1. Answering never waits: a request costs an append to a queue in memory. The thread looks for more every so often.
2. Nothing is unbounded: what finds the queue full, or the disk or the pipe, is dropped and counted.
3. Lines are whole, also where several workers write to one file or pipe: a file is appended to by one call for many
   lines, a pipe is written to in pieces that the system keeps together.
4. A file that was moved away is opened anew under its name, so that any log rotation works without a signal.
5. No bodies, no queries, no headers but the ids that the client gave, no keys but their names.
"""

import contextlib
import os
import select
import stat
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import msgspec

from setpoint.errors import UsageError
from setpoint.gateway.watching.metrics import Metric, Reading
from setpoint.gateway.watching.trail import Trail

STDOUT = "stdout"
"""What stands for the standard output where a file could be named."""

_EVERY_S = 0.2
_CAPACITY = 100_000  # lines that wait
_AT_ONCE = 1_000  # lines that are made to text and written together
_PIPE_BUF = (
    4096  # bytes that Linux writes to a pipe without another's between them; no line is longer
)
_WAIT_S = 0.5  # how long a pipe may be full before lines are dropped
_CLOSE_S = 3.0
_PATH, _CALLER = (
    250,
    100,
)  # characters that are shown: a line must fit, also where each of them is escaped
_STDOUT_FD = 1


class AccessLine(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """What the log says of one request; what is empty is left out, except in the fields that every line has.

    Args:
        time: When the request was there, UTC, ISO 8601 with microseconds.
        status: HTTP status of the answer.
        seconds: From the whole request to its answer.
        received: Bytes of the request's body.
        sent: Bytes of the answer's body.
        pid: Process id of the worker.
        method: HTTP method.
        path: Path without the query.
        route: The route that it matched; `unknown` for none.
        refused: Kind of refusal.
        peer: Address of the client, and its port.
        request_id: Id that the client gave.
        trace_id: The trace that it is part of.
        caller: Whose key or token it is.
        model: Name of the model that answered.
        version: Its version.
        variant: The part that it plays.
        rows: Rows that were answered.
        prediction_id: Prediction id of the first of them.
    """

    time: str
    status: int
    seconds: float
    received: int
    sent: int
    pid: int
    method: str = ""
    path: str = ""
    route: str = ""
    refused: str = ""
    peer: str = ""
    request_id: str = ""
    trace_id: str = ""
    caller: str = ""
    model: str = ""
    version: str = ""
    variant: str = ""
    rows: int = 0
    prediction_id: str = ""


_encode = msgspec.json.Encoder().encode


class AccessLog:
    """The access log of one process; it writes until it is closed.

    Args:
        target: A file, or `STDOUT`.
        capacity: Lines that may wait.
        every_s: Seconds between two looks for lines.

    Attributes:
        written: Lines that were written.
        dropped: Lines that were not.

    Raises:
        UsageError: The file cannot be opened.
    """

    def __init__(
        self, target: str, *, capacity: int = _CAPACITY, every_s: float = _EVERY_S
    ) -> None:
        self.written = 0
        self._crowded = 0  # dropped on the event loop
        self._failed = 0  # dropped on the thread
        self._path = None if target == STDOUT else Path(target)
        self._capacity = capacity
        self._every_s = every_s
        self._waiting: deque[Trail] = deque()
        self._closing = threading.Event()
        self._torn = False  # the last line was not written to its end
        self._is_file = False  # which many lines can be appended to by one call
        self._fd = -1
        try:
            self._open()
        except OSError as error:
            msg = f"the access log {target} cannot be opened: {error}"
            raise UsageError(msg) from error
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that found no room, in memory or on the disk."""
        return self._crowded + self._failed

    def put(self, trail: Trail) -> None:
        """Have a line written, or drop it."""
        if len(self._waiting) >= self._capacity:
            self._crowded += 1
        else:
            self._waiting.append(trail)

    def close(self) -> None:
        """Write what waits, for a few seconds at most."""
        self._closing.set()
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            self._write_all()
        self._write_all()

    def _write_all(self) -> None:
        """Write the lines that wait now, and no others: who is faster than the disk must not hold the thread."""
        left, pid = len(self._waiting), os.getpid()
        while left > 0:
            batch = [self._waiting.popleft() for _ in range(min(left, _AT_ONCE))]
            left -= len(batch)
            written = 0
            with contextlib.suppress(OSError):
                self._reopen()
                for piece, lines in self._pieces([_encode(line_of(trail, pid)) for trail in batch]):
                    self._write(piece)
                    written += lines
            self.written += written
            self._failed += len(batch) - written

    def _pieces(self, lines: Sequence[bytes]) -> Iterator[tuple[bytes, int]]:
        """Yield what is written by one call each, and the number of its lines."""
        if self._is_file:
            yield b"\n".join((*lines, b"")), len(lines)
            return
        piece: list[bytes] = []
        size = 0
        for line in lines:
            if piece and size + len(line) + 1 > _PIPE_BUF:
                yield b"\n".join((*piece, b"")), len(piece)
                piece, size = [], 0
            piece.append(line)
            size += len(line) + 1
        yield b"\n".join((*piece, b"")), len(piece)

    def _write(self, piece: bytes) -> None:
        """Write a piece to its end, or raise `OSError`."""
        if self._torn:
            piece = b"\n" + piece
        while piece:
            if not self._ready.poll(_WAIT_S * 1000):
                msg = "the access log's reader does not read"
                raise TimeoutError(msg)
            done = os.write(self._fd, piece)
            piece = piece[done:]
            self._torn = bool(piece)

    def _open(self) -> None:
        if self._path is None:
            self._fd = _STDOUT_FD
        else:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
            if self._path.is_fifo():  # opened for writing alone, it would wait for somebody to read
                flags = os.O_RDWR | os.O_CLOEXEC
            self._fd = os.open(self._path, flags, 0o640)
            self._is_file = stat.S_ISREG(os.fstat(self._fd).st_mode)
        self._ready = select.poll()
        self._ready.register(self._fd, select.POLLOUT)

    def _reopen(self) -> None:
        """Open the file anew where another, or none, has its name."""
        if self._path is None:
            return
        if self._fd >= 0:
            try:
                found = self._path.stat()
            except FileNotFoundError:
                found = None
            mine = os.fstat(self._fd)
            if found is not None and (found.st_ino, found.st_dev) == (mine.st_ino, mine.st_dev):
                return
            os.close(self._fd)
            self._fd = -1
        self._open()
        self._torn = False


def line_of(trail: Trail, pid: int) -> AccessLine:
    """Return what the log says of a request.

    Args:
        trail: What became of it.
        pid: Process id of the worker.
    """
    micros = round(trail.at * 1e6)
    # By position, in the order of the fields: their names would cost more than everything else here.
    return AccessLine(
        f"{_second(micros // 1_000_000)}.{micros % 1_000_000:06d}+00:00",
        trail.status,
        round(trail.ended - trail.started, 7),
        trail.received,
        trail.sent,
        pid,
        trail.method[:20],
        trail.path[:_PATH],
        trail.route,
        trail.refused,
        trail.peer,
        trail.request,
        trail.trace_id,
        trail.caller[:_CALLER],
        trail.model,
        trail.version,
        trail.variant,
        len(trail.ids),
        trail.ids[0] if trail.ids else "",
    )


@lru_cache(maxsize=64)  # lines of one second stand together
def _second(seconds: int) -> str:
    """Return a whole second as ISO 8601 without its zone."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


def access_log_metrics(log: AccessLog | None) -> tuple[Metric, ...]:
    """Return how the access log does; zeros where there is none."""
    return (
        Reading(
            "setpoint_access_log_lines",
            "Lines of the access log that were written.",
            lambda: {(): float(log.written if log else 0)},
            kind="counter",
        ),
        Reading(
            "setpoint_access_log_dropped",
            "Lines of the access log that were dropped: nobody read it, or the disk was full.",
            lambda: {(): float(log.dropped if log else 0)},
            kind="counter",
        ),
    )
