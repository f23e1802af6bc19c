"""What the prediction log costs: to append, on disk, to read; before and after hours are moved into Parquet files.

120,000 answers in two hours, nine tenths of them with an outcome: of 30 numbers that never repeat, the worst there is
to pack, and of 15 such, 5 whole numbers and 10 categories. They come in groups of 1, as from a durable gateway with one
client; of 25, as from a busy one; and of 1,000, as from a batch. Appending is measured without fsync, which is the
disk's.
"""

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.facts.prediction import Answerer, Outcome, Prediction

ANSWERS = 120_000
NUMBERS = 30
ROUNDS = 3
START = 1_700_000_000.0
BY = Answerer(
    model="m",
    version=1,
    contract="c" * 64,
    generation=1,
    columns=tuple(f"x{place}" for place in range(NUMBERS)),
)


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(7)
    for kind, rows in (("numbers", numbers(rng)), ("mixed", mixed(rng))):
        for group in (1, 25, 1_000):
            with opened() as (log, path):
                measure(f"{kind}, groups of {group:,}", log, path, answers(rng, rows), group)


def measure(what: str, log: SqliteLog, path: Path, given: list[Prediction], group: int) -> None:
    """Measure and print one log."""
    started = time.process_time()
    for start in range(0, ANSWERS, group):
        log.append(given[start : start + group])
    took = (time.process_time() - started) / ANSWERS
    log._file._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # noqa: SLF001 (to know the size)
    size = path.stat().st_size / ANSWERS
    log.record(
        [Outcome(prediction=one.id, value="Yes", at=0.0) for one in given[: ANSWERS * 9 // 10]]
    )
    print(f"{what}: append {took * 1e6:.2f} us an answer, {size:.0f} bytes")
    read("  chunks ", log, given)
    started = time.perf_counter()
    done = log.compact(2e9)
    took = time.perf_counter() - started
    each = done.size / ANSWERS
    print(f"  moved into {done.files} files in {took:.1f} s: {each:.0f} bytes an answer")
    read("  Parquet", log, given)


def read(what: str, log: SqliteLog, given: list[Prediction]) -> None:
    """Measure and print what readers wait for."""
    window = best(lambda: log.window(0.0, 1e12))
    scored = best(lambda: log.scored(0.0, 1e12, version=1))
    part = best(lambda: log.stretch(50_000, 60_000))
    started = time.perf_counter()
    log.record([Outcome(prediction=given[ANSWERS // 2].id, value="Yes", at=0.0)])
    one = time.perf_counter() - started
    print(
        f"{what}: all {window:.2f} s, all without inputs {scored:.2f} s, 10,000 of them {part:.3f} s, "
        f"one outcome {one * 1e3:.1f} ms"
    )


def best(read: Callable[[], Any]) -> float:
    """Return the shortest of some times."""
    found = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        read()
        found.append(time.perf_counter() - started)
    return min(found)


def answers(rng: np.random.Generator, rows: list[tuple[Any, ...]]) -> list[Prediction]:
    """Return answers as a gateway logs them."""
    chance = rng.random(ANSWERS).tolist()
    return [
        Prediction(
            by=BY,
            id=identity(rng, number),
            at=START + number * 0.06,
            variant="champion",
            propensity=1.0,
            key=f"C-{number % 5_000}",
            values=row,
            prediction="Yes" if chance[number] > 0.5 else "No",
            probability=chance[number],
            latency_s=0.0003,
        )
        for number, row in enumerate(rows)
    ]


def identity(rng: np.random.Generator, number: int) -> str:
    """Return an id as gateways make them: time first, then chance."""
    head, tail = f"{int(START * 1000) + number * 60:012x}", rng.bytes(8).hex()
    return f"{head[:8]}-{head[8:]}-7{number % 4096:03x}-8{tail[1:4]}-{tail[4:]}"


def numbers(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Return rows of numbers."""
    return [tuple(row) for row in rng.normal(size=(ANSWERS, NUMBERS)).tolist()]


def mixed(rng: np.random.Generator) -> list[tuple[Any, ...]]:
    """Return rows of numbers, whole numbers and categories."""
    half = rng.normal(size=(ANSWERS, 15)).tolist()
    whole = rng.integers(0, 60, (ANSWERS, 5)).astype(float).tolist()
    texts = rng.choice(["monthly", "yearly", "weekly"], (ANSWERS, 10)).tolist()
    return [(*a, *b, *c) for a, b, c in zip(half, whole, texts, strict=True)]


@contextlib.contextmanager
def opened() -> Iterator[tuple[SqliteLog, Path]]:
    """Give a new log that does not wait for the disk."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.db"
        log = SqliteLog(path)
        log._file._connection.execute("PRAGMA synchronous = OFF")  # noqa: SLF001 (the disk is not measured)
        try:
            yield log, path
        finally:
            log.close()


if __name__ == "__main__":
    main()
