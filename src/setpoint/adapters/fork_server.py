"""A server that forks a process for each job, out of one in which everything heavy is already imported.

It talks JSON lines over the socket that is its standard input:

- in: `{"id": 1, "work": {…}, "output": "file", "memory": bytes}` starts a job, `{"kill": 1}` ends one;
- out: `{"ready": true}`, `{"started": 1}`, `{"ended": 1, "status": wait status, "peak": bytes}`.

`multiprocessing` would do, but it runs the caller's main script again in each child, which a script without a main
guard does not survive. When the socket closes, because the caller is gone however it went, all jobs are killed and the
server ends; when the server is killed, the kernel kills its jobs (Linux).

The server itself never enters a parallel region: OpenMP does not survive a fork after one.
"""

import contextlib
import gc
import os
import resource
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from setpoint.adapters.parent import die_with

Work = Callable[[dict[str, Any]], None]

_CHUNK = 1 << 16


def serve(channel: socket.socket, work: Work) -> None:
    """Fork a process for each job that comes in, until the other end closes.

    Args:
        channel: The socket.
        work: What a child does with a job's `work`; its return ends the child with exit code 0.
    """
    _Server(channel, work).run()


class _Server:
    def __init__(self, channel: socket.socket, work: Work) -> None:
        self._channel = channel
        self._work = work
        self._children: dict[int, int] = {}  # pid by job id
        self._rest = b""

    def run(self) -> None:
        gc.freeze()  # what is imported is shared with the children, and not to be written to
        woken, waker = socket.socketpair()
        woken.setblocking(False)  # noqa: FBT003  the standard library's way
        waker.setblocking(False)  # noqa: FBT003  the standard library's way
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._say({"ready": True})
        with selectors.DefaultSelector() as selector, woken, waker:
            selector.register(self._channel, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            try:
                while True:
                    ready = {key.fileobj for key, _ in selector.select()}
                    if woken in ready:
                        woken.recv(_CHUNK)
                        self._reap()
                    if self._channel in ready and not self._listen():
                        return
            except (BrokenPipeError, ConnectionResetError):
                return
            finally:
                for job in list(self._children):
                    self._kill(job)

    def _say(self, message: dict[str, Any]) -> None:
        self._channel.sendall(msgspec.json.encode(message) + b"\n")

    def _listen(self) -> bool:
        data = self._channel.recv(_CHUNK)
        if not data:
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            message = msgspec.json.decode(line)
            if "kill" in message:
                self._kill(message["kill"])
            else:
                self._start(message)
        return True

    def _start(self, message: dict[str, Any]) -> None:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._child(message, server)
        self._children[message["id"]] = pid
        self._say({"started": message["id"]})

    def _child(self, message: dict[str, Any], server: int) -> None:
        """Be the child: do the work and never return."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            die_with(server)
            self._channel.close()
            _redirect(Path(message["output"]))
            limit_memory(message["memory"])
            self._work(message["work"])
            code = 0
        finally:
            with contextlib.suppress(Exception):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        for job, pid in list(self._children.items()):
            ended, status, usage = os.wait4(pid, os.WNOHANG)
            if ended:
                del self._children[job]
                _kill_group(pid)  # what the job left running
                peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
                self._say({"ended": job, "status": status, "peak": peak})

    def _kill(self, job: int) -> None:
        if job in self._children:
            _kill_group(self._children[job])
            with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet
                os.kill(self._children[job], signal.SIGKILL)


def limit_memory(limit: int) -> None:
    """Let this process take `limit` bytes of private memory beyond what it has now (Linux; elsewhere nothing)."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return
    taken = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmData"))
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (taken * 1024 + limit, hard))


def lift_memory_limit() -> None:
    """Take the limit away again, so that a process that ran into it can report."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def _redirect(output: Path) -> None:
    file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
