"""The process that training jobs are forked from, and what each of them does."""

import importlib
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from setpoint.adapters.arrow_tables import mapped_table
from setpoint.adapters.bundle_scorer import add_project
from setpoint.adapters.fork_server import lift_memory_limit, serve
from setpoint.adapters.process_jobs import FAILURE, OUTPUT, Failure, Work
from setpoint.clock import SystemClock
from setpoint.errors import SetpointError, TrainingError
from setpoint.training.bundle import open_bundle
from setpoint.training.rehearsal import rehearse
from setpoint.training.result_file import RESULT, write_result
from setpoint.training.train import train

_TAIL = 10_000  # characters of output that a result keeps

# What fits import when they first need it; imported here it is shared by all jobs.
_PRELOADED = ("sklearn.ensemble", "sklearn.linear_model", "sklearn.pipeline", "scipy.sparse")


def main() -> None:
    """Serve jobs over the socket that is standard input until it closes."""
    for name in _PRELOADED:
        importlib.import_module(name)
    rehearse()
    with socket.socket(fileno=sys.stdin.fileno()) as channel:
        serve(channel, do)


def do(given: dict[str, Any]) -> None:
    """Do one job in this process and leave its results, or the reason for having none, in its folder."""
    work = msgspec.convert(given, type=Work)
    folder = Path(work.folder)
    try:
        add_project(Path(work.project))
        _train(work, folder)
    except MemoryError:
        lift_memory_limit()
        _give_up(folder, "memory", "out of memory")
    except TrainingError as error:
        _give_up(folder, error.kind, error.reason)
    except SetpointError as error:
        _give_up(folder, "raised", str(error))
    except SystemExit as error:
        _give_up(folder, "exited", f"the training function asked to exit with {error.code!r}")
    except BaseException as error:  # noqa: BLE001  the outermost edge of a process; the reason is recorded
        lift_memory_limit()
        traceback.print_exc()
        _give_up(folder, "raised", f"{type(error).__name__}: {error}")


def _train(work: Work, folder: Path) -> None:
    with np.load(work.job.rows, allow_pickle=False) as file:
        positions = dict(file)
    result = train(
        work.job,
        mapped_table(Path(work.table)),
        positions,
        folder,
        champion=open_bundle(Path(work.champion)) if work.champion else None,
        threads=work.threads,
        stopwatch=SystemClock().stopwatch,
    )
    sys.stdout.flush()
    sys.stderr.flush()
    printed = (folder / OUTPUT).read_text(encoding="utf-8", errors="replace")[-_TAIL:]
    if printed:
        write_result(msgspec.structs.replace(result, output=printed), folder)


def _give_up(folder: Path, kind: str, reason: str) -> None:
    (folder / RESULT).unlink(missing_ok=True)
    (folder / FAILURE).write_bytes(msgspec.json.encode(Failure(kind=kind, reason=reason[:2000])))


if __name__ == "__main__":
    main()
