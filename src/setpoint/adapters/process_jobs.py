"""Training jobs, each in a process of its own; implements `setpoint.ports.jobs.Jobs`.

A job's results appear under `jobs/<key>` at once and whole, by a rename. Until then they lie in a folder whose owner
holds a lock on it; a folder without an owner is what a dead run left, and is removed.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import msgspec

from setpoint.adapters.arrow_tables import ArrowTables
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.fork_client import Ended, ForkClient
from setpoint.errors import TrainingError
from setpoint.facts.training import TrainingJob, TrainingResult
from setpoint.training.result_file import BUNDLE, NATIVE, RESULT, read_result

FAILURE = "failure.json"
OUTPUT = "output.txt"

_WORKER = "setpoint.wiring.worker"
_MEASURING_S = 300.0  # seconds for everything after the fit, at least
_TAIL = 10_000  # characters of output that an error carries
_NO_MEMORY = ("bad_alloc", "MemoryError", "Cannot allocate memory", "Thread creation failed")


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What the child process is handed.

    Args:
        job: The job.
        table: File of the stored table.
        champion: Folder of the champion's bundle, or empty.
        project: The project's folder, for its own modules.
        folder: Where the results go.
        threads: Threads that a large job may take.
    """

    job: TrainingJob
    table: str
    champion: str
    project: str
    folder: str
    threads: int


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Why the child gave up, where it could still say so."""

    kind: str
    reason: str


class ProcessJobs:
    """Does training jobs one at a time, each in a process of its own, and keeps their results by key.

    Args:
        store: The project's store, such as `.setpoint`.
        tables: Stored tables.
        project: The project's folder: `module:function` is looked for in it and in its `src`.
        threads: Threads that a large job may take.
    """

    def __init__(self, store: Path, tables: ArrowTables, project: Path, threads: int) -> None:
        self._jobs = store.absolute() / "jobs"
        self._tables = tables
        self._bundles = BundleStore(store.absolute())
        self._project = project.absolute()
        self._threads = threads
        self._client = ForkClient(_WORKER)
        self._turn = threading.Lock()
        self._clean = False

    def warm(self) -> None:
        """Start what jobs are forked from, in the background: its imports take seconds."""
        with self._turn:
            self._client.start()

    def close(self) -> None:
        """End the process that jobs are forked from."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def finished(self, key: str) -> TrainingResult | None:
        """Return the result of a finished job, or None."""
        return read_result(self.folder(key))

    def folder(self, key: str) -> Path:
        """Return the folder of the job with this key: `result.json`, `evidence.npz`, `native/`, `bundle/`."""
        return self._jobs / key

    def train(self, job: TrainingJob) -> TrainingResult:
        """Do the job, or return the result that an earlier call finished.

        Raises:
            TrainingError: The training function raised, hung, exited, ate too much memory or answered nonsense.
            DataError: The table is missing or altered.
            BundleError: The champion's bundle is missing.
        """
        if (found := self.finished(job.key)) is not None:
            # Whoever finished it may have died before it could note its bundle.
            self._bundles.note(found.artifact, self.folder(job.key) / BUNDLE)
            return found
        self._tables.get(job.table)  # checks it, once
        champion = str(self._bundles.find(job.champion).absolute()) if job.champion else ""
        with self._turn, self._own_place(job.key) as folder:
            work = Work(
                job=job,
                table=str(self._tables.path(job.table).absolute()),
                champion=champion,
                project=str(self._project),
                folder=str(folder),
                threads=self._threads,
            )
            self._run(work, folder)
            return self._take_over(job.key, folder)

    def _run(self, work: Work, folder: Path) -> None:
        recipe = work.job.recipe
        measuring = max(_MEASURING_S, recipe.time_limit_s)

        def deadline() -> float:
            fitted = (folder / NATIVE).exists()
            return recipe.time_limit_s + (measuring if fitted else 0.0)

        output = folder / OUTPUT
        ended = self._client.run(msgspec.to_builtins(work), output, recipe.memory_limit, deadline)
        if ended.status != 0 or not (folder / RESULT).is_file():
            raise _failure(ended, folder, recipe.time_limit_s, recipe.memory_limit)

    def _take_over(self, key: str, folder: Path) -> TrainingResult:
        """Make the finished folder the job's, unless another process was first."""
        result = read_result(folder)
        if result is None:
            raise TrainingError("nonsense", "the job's result is unreadable", output=_tail(folder))
        target = self.folder(key)
        if target.exists() and self.finished(key) is None:
            shutil.rmtree(target, ignore_errors=True)  # damaged from outside
        with contextlib.suppress(OSError):  # not empty: another process finished the same job
            folder.rename(target)
        if (found := self.finished(key)) is None:
            msg = f"the finished job could not be moved to {target}"
            raise TrainingError("killed", msg)
        self._bundles.note(found.artifact, target / BUNDLE)
        return found

    @contextlib.contextmanager
    def _own_place(self, key: str) -> Iterator[Path]:
        """Make a folder that this process owns for as long as it works there."""
        self._jobs.mkdir(parents=True, exist_ok=True)
        folder = self._jobs / f".running-{key[:32]}-{os.getpid()}-{threading.get_ident()}"
        lock = folder.with_name(folder.name + ".lock")
        with contextlib.ExitStack() as stack:
            with self._making():
                held = stack.enter_context(lock.open("wb"))
                fcntl.flock(held, fcntl.LOCK_EX)
                if not self._clean:
                    self._remove_leftovers(lock)
                    self._clean = True
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                lock.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _making(self) -> Iterator[None]:
        """Keep other processes from making or removing folders meanwhile."""
        with (self._jobs / ".making.lock").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _remove_leftovers(self, own: Path) -> None:
        for lock in self._jobs.glob(".running-*.lock"):
            if lock == own:
                continue
            with lock.open("wb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    continue  # its owner lives
                shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
                lock.unlink(missing_ok=True)


def _failure(ended: Ended, folder: Path, time_limit_s: float, memory_limit: int) -> TrainingError:
    """Return the error that says how a job's process ended."""
    output = _tail(folder)
    if ended.timed_out:
        during = "measuring" if (folder / NATIVE).exists() else "the fit"
        reason = f"{during} took longer than {time_limit_s:g} s allow; raise train.limits.time"
        return TrainingError("timeout", reason, output=output)
    said = _said(folder)
    if _is_out_of_memory(ended, said, output, memory_limit):
        reason = f"the fit needs more memory than {memory_limit / 1e6:,.0f} MB; raise train.limits.memory"
        return TrainingError("memory", reason, output=output)
    if said is not None:
        return TrainingError(said.kind, said.reason, output=output)
    if os.WIFSIGNALED(ended.status):
        name = signal.Signals(os.WTERMSIG(ended.status)).name
        reason = (
            f"the training process was ended by {name}; it held up to {ended.peak / 1e6:,.0f} MB"
        )
        return TrainingError("killed", reason, output=output)
    code = os.waitstatus_to_exitcode(ended.status)
    reason = f"the training function ended its process with exit code {code}"
    return TrainingError("exited", reason, output=output)


def _said(folder: Path) -> Failure | None:
    try:
        return msgspec.json.decode((folder / FAILURE).read_bytes(), type=Failure)
    except (OSError, msgspec.DecodeError):
        return None


def _is_out_of_memory(ended: Ended, said: Failure | None, output: str, limit: int) -> bool:
    """Return whether it died of its memory limit, which compiled code reports in many ways."""
    if said is not None:
        return said.kind == "memory"
    if any(sign in output[-2000:] for sign in _NO_MEMORY):
        return True
    crashed = os.WIFSIGNALED(ended.status) and os.WTERMSIG(ended.status) != signal.SIGKILL
    return crashed and ended.peak > limit


def _tail(folder: Path) -> str:
    try:
        return (folder / OUTPUT).read_text(encoding="utf-8", errors="replace")[-_TAIL:]
    except OSError:
        return ""
