"""The disk under the log: how long it takes until a small write is on it."""

import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_WRITES = 400
_PAUSE_S = 0.0005  # about as long as a log pauses between two commits: a disk that is never left alone is faster
_PAGE = 4096 + 24  # bytes: one page of SQLite's write-ahead log with its head


@dataclass(frozen=True)
class Disk:
    """Latencies of write and fsync, in milliseconds."""

    p50_ms: float
    p99_ms: float


def measure_disk(folder: Path) -> Disk:
    """Append and fsync page by page in `folder`, as a log does that is asked by one after the other."""
    path = folder / "fsync.probe"
    taken: list[float] = []
    with path.open("wb", buffering=0) as file:
        for _ in range(_WRITES):
            begun = time.perf_counter()
            file.write(bytes(_PAGE))
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1e3)
            time.sleep(_PAUSE_S)
    path.unlink()
    cuts = statistics.quantiles(taken, n=100)
    return Disk(p50_ms=cuts[49], p99_ms=cuts[98])


def median_disk(found: Sequence[Disk]) -> Disk:
    """Return the medians of several measurements: disks are fast at one time and slow at another."""
    return Disk(
        statistics.median(one.p50_ms for one in found),
        statistics.median(one.p99_ms for one in found),
    )
