"""Several worker processes that serve one socket, and a parent that does nothing but watch them."""

import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Self

from setpoint.adapters.hang_up import hang_up
from setpoint.adapters.parent import die_with
from setpoint.errors import UsageError

_YOUNG_S = 2.0  # a worker that dies younger than this is started again only after a pause
_PAUSES_S = (0.0, 0.2, 1.0, 5.0)


def run_workers(
    count: int, work: Callable[[], None], stopping: Callable[[], None] = lambda: None
) -> None:
    """Fork workers, start those again that die, and end all of them at SIGTERM, SIGINT or SIGHUP.

    Call it before the process has threads: only the caller's is forked.

    Args:
        count: Number of workers, 1 or more.
        work: What a worker does, until such a signal; it runs in the child, which then ends.
        stopping: What the parent does before it ends the workers.

    Raises:
        UsageError: This system cannot fork.
    """
    if not hasattr(os, "fork"):
        msg = f"--workers {count}: this system cannot fork; start several gateways on ports of their own"
        raise UsageError(msg)
    watched = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, *hang_up())
    with _Signals(watched) as signals:
        born = {_fork(work, watched): time.monotonic() for _ in range(count)}
        early = 0  # workers in a row that died young
        while (told := signals.next()) == signal.SIGCHLD:
            for pid, code in _ended(born):
                age = time.monotonic() - born.pop(pid)
                early = early + 1 if age < _YOUNG_S else 0
                sys.stderr.write(
                    f"setpoint gateway: worker {pid} ended with {code}; another is started\n"
                )
                time.sleep(_PAUSES_S[min(early, len(_PAUSES_S) - 1)])
                born[_fork(work, watched)] = time.monotonic()
        stopping()
        passed_on = told
        while born:
            if told != signal.SIGCHLD:
                for pid in born:
                    os.kill(pid, passed_on)
                # A second time it hurries them; another of the same kind could come together with the first, as one.
                passed_on = signal.SIGINT
            for pid, _ in _ended(born):
                del born[pid]
            if born:
                told = signals.next()


class _Signals:
    """The signals that are watched, one after the other.

    They are caught rather than blocked and waited for: a library's thread that does not block them would be given them
    instead, and a SIGCHLD that nobody catches is gone.

    Args:
        watched: The signals.
    """

    def __init__(self, watched: Sequence[signal.Signals]) -> None:
        self._watched = watched

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)  # noqa: FBT003 (the socket's own signature)
        self._before = {number: signal.signal(number, _note) for number in self._watched}
        self._fd_before = signal.set_wakeup_fd(self._writer.fileno())
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._fd_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def next(self) -> int:
        """Wait for a signal and return it; others than those that are watched are passed over."""
        while (number := self._reader.recv(1)[0]) not in self._watched:
            pass
        return number


def _note(*_: object) -> None:
    """Do nothing: that it came was written to the socket by then."""


def _fork(work: Callable[[], None], watched: Sequence[signal.Signals]) -> int:
    """Start a worker, to which the signals that its parent watches mean nothing yet, and return its process id."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(
        signal.SIG_BLOCK, watched
    )  # none may come to the child's copy of the parent's watch
    pid = os.fork()
    if pid:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        return pid
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        for number in watched:
            signal.signal(number, signal.SIG_DFL)
        die_with(parent, by=signal.SIGTERM)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, watched)
        work()
        code = 0
    except BaseException:  # noqa: BLE001 (the child's outermost frame: it must not go on as the parent)
        traceback.print_exc(file=sys.stderr)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(born: dict[int, float]) -> list[tuple[int, str]]:
    """Return the workers that ended, and how; each once."""
    found = []
    for pid in tuple(born):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            found.append((pid, f"signal {-code}" if code < 0 else f"code {code}"))
    return found
