"""Servers as processes: started on a core of their own, asked until they answer, stopped with their children."""

import contextlib
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

CORE = "0"
"""The core of servers; the load generator has core 1."""
_START_S = 180.0
_STOP_S = 15.0


@dataclass(frozen=True)
class Server:
    """One server with one model.

    Args:
        name: How the report calls it.
        command: How it is started; it stays in the foreground.
        url: Where rows are posted.
        body: One row, as this server takes it.
        read: Probability of the positive class in the body of an answer; None for a server that only echoes.
        cwd: Folder that it is started in.
        environment: Its whole environment.
        cores: Cores that it may use, as taskset writes them.
        content_type: Of `body`.
    """

    name: str
    command: Sequence[str]
    url: str
    body: bytes
    read: Callable[[bytes], float] | None = None
    cwd: Path | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    cores: str = CORE
    content_type: str = "application/json"


class DeadServerError(Exception):
    """A server ended, did not answer in time, or answered something else than it should."""


def spare_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running(server: Server) -> Iterator[psutil.Process]:
    """Run a server until the end of the block; give its process once it answers.

    Raises:
        DeadServerError: It does not answer.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            ["/usr/bin/env", "taskset", "-c", server.cores, *server.command],
            cwd=server.cwd,
            env=dict(server.environment) or None,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_for_answer(server, process)
            yield psutil.Process(process.pid)
        except DeadServerError as error:
            output.seek(0)
            tail = output.read().decode(errors="replace")[-2000:]
            msg = f"{server.name}: {error}\n{tail}"
            raise DeadServerError(msg) from error
        finally:
            _stop(process)


def ask(server: Server, timeout_s: float = 10.0) -> bytes:
    """Post one row and return the body of the answer."""
    headers = {"content-type": server.content_type}
    request = urllib.request.Request(server.url, server.body, headers)  # noqa: S310 (an own address)
    with urllib.request.urlopen(request, timeout=timeout_s) as response:  # noqa: S310 (as above)
        content: bytes = response.read()
    return content


def cpu_seconds(process: psutil.Process) -> float:
    """Return the processor time that a process and its children have taken so far."""
    total = 0.0
    for one in family(process):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def family(process: psutil.Process) -> list[psutil.Process]:
    """Return a process and all that descend from it, those in sessions of their own too."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _wait_for_answer(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            msg = f"ended with code {process.returncode}"
            raise DeadServerError(msg)
        with contextlib.suppress(urllib.error.URLError, OSError):
            ask(server)
            return
        time.sleep(0.1)
    msg = f"did not answer within {_START_S:.0f} s"
    raise DeadServerError(msg)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM to the server; what it leaves of its own children goes after it, by pid."""
    try:
        members = family(psutil.Process(process.pid))
    except psutil.NoSuchProcess:
        members = []
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_STOP_S)
    left = [member for member in members if member.is_running()]
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.terminate()
    _, left = psutil.wait_procs(left, timeout=5)
    for member in left:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    psutil.wait_procs(left, timeout=5)
    process.wait()
