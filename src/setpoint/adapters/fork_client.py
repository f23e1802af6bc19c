"""The caller's side of the fork server: starts it, hands it jobs, kills those that take too long."""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec

from setpoint.errors import TrainingError

_START_S = 120.0  # seconds that imports may take on a busy machine
_END_S = 20.0  # seconds from a kill to the end of the process
_CHUNK = 1 << 16
_TAIL = 10_000  # characters


@dataclass(frozen=True)
class Ended:
    """How a job's process ended.

    Args:
        status: Its wait status, as `os.wait` gives it.
        peak: Most memory that it held, in bytes.
        timed_out: It was killed because it took too long.
    """

    status: int
    peak: int
    timed_out: bool


class ForkClient:
    """One fork server, started when it is first needed or asked for, and ended with this process.

    Args:
        module: Module to run as the server, such as `setpoint.wiring.worker`.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._server: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._log: IO[bytes] | None = None
        self._end: Callable[[], object] = lambda: None
        self._rest = b""
        self._ready = False
        self._jobs = 0

    def start(self) -> None:
        """Start the server without waiting for it; again changes nothing while it lives."""
        if self._server is not None and self._server.poll() is None:
            return
        self.close()
        ours, theirs = socket.socketpair()
        log = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the server
        with theirs:
            self._server = subprocess.Popen(  # noqa: S603  our own module
                [sys.executable, "-m", self._module],
                stdin=theirs.fileno(),
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the caller, which then ends the server
            )
        self._channel, self._log, self._rest, self._ready = ours, log, b"", False
        self._end = weakref.finalize(self, _end, self._server, ours, log)

    def close(self) -> None:
        """End the server and whatever it runs."""
        self._end()
        self._server = self._channel = self._log = None

    def run(
        self, work: dict[str, Any], output: Path, memory: int, deadline_s: Callable[[], float]
    ) -> Ended:
        """Run one job to its end.

        Args:
            work: What the server's child gets.
            output: File for what it prints.
            memory: Most private memory beyond start-up, in bytes.
            deadline_s: Returns how many seconds the job may take in all; asked again when they are over.

        Raises:
            TrainingError: The server does not start, or died.
        """
        self.start()
        if not self._ready:
            self._expect("ready", _START_S)
            self._ready = True
        self._jobs += 1
        job = self._jobs
        self._say({"id": job, "work": work, "output": str(output), "memory": memory})
        ended: dict[str, Any] | None = None
        timed_out = False
        try:
            self._expect("started", _START_S)
            began = time.monotonic()
            while ended is None and not timed_out:
                left = began + deadline_s() - time.monotonic()
                if left <= 0:
                    timed_out = True
                else:
                    ended = self._read(left)
        finally:
            if ended is None:
                with contextlib.suppress(OSError, TrainingError):
                    self._say({"kill": job})
                    ended = self._expect("ended", _END_S)
        if ended is None:
            raise self._died()
        return Ended(ended["status"], ended["peak"], timed_out)

    def _say(self, message: dict[str, Any]) -> None:
        if self._channel is None:
            raise self._died()
        try:
            self._channel.sendall(msgspec.json.encode(message) + b"\n")
        except OSError as error:
            raise self._died() from error

    def _expect(self, kind: str, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while (message := self._read(max(0.0, until - time.monotonic()))) is not None:
            if kind in message:
                return message
        raise self._died()

    def _read(self, seconds: float) -> dict[str, Any] | None:
        """Return the next message, or None after so many seconds."""
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if self._channel is None or left <= 0:
                return None
            self._channel.settimeout(left)
            try:
                data = self._channel.recv(_CHUNK)
            except TimeoutError:
                return None
            except OSError as error:
                raise self._died() from error
            if not data:
                raise self._died()
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        message: dict[str, Any] = msgspec.json.decode(line)
        return message

    def _died(self) -> TrainingError:
        said = ""
        if self._log is not None:
            self._log.seek(0)
            said = self._log.read().decode(errors="replace")[-_TAIL:]
        self.close()
        return TrainingError("killed", "the process that starts training jobs ended", output=said)


def _end(server: subprocess.Popen[bytes], channel: socket.socket, log: IO[bytes]) -> None:
    channel.close()
    try:
        server.wait(_END_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
    log.close()
