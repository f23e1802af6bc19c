"""How fast the stores of the prediction log acknowledge answers, group by group, on this machine's own disk.

    python -m benchmarks.log_stores

SQLite in a file, PostgreSQL over loopback, both with fsync; one writer, 30 numbers a row, medians of interleaved runs.
"""

import random
import statistics
import tempfile
import time
from pathlib import Path

from tests.real_parts import started_postgres

from setpoint.adapters.log.chunk_log import ChunkLog
from setpoint.adapters.log.postgres_log import PostgresLog
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.postgres_address import read_address
from setpoint.clock import SystemClock
from setpoint.facts.prediction import Answerer, Prediction

GROUPS = (1, 16, 64, 256)
ROUNDS = 5
COMMITS = 60
COLUMNS = 30
BY = Answerer(
    model="m",
    version=1,
    contract="c",
    generation=1,
    columns=tuple(f"c{number}" for number in range(COLUMNS)),
)


def answers(count: int, start: int, chance: random.Random) -> list[Prediction]:
    return [
        Prediction(
            by=BY,
            id=f"{number:020d}",
            at=1.7e9 + number / 1000,
            variant="champion",
            propensity=1.0,
            values=tuple(chance.random() for _ in range(COLUMNS)),
            prediction="1",
            probability=0.5,
        )
        for number in range(start, start + count)
    ]


def measure(log: ChunkLog, group: int, chance: random.Random) -> tuple[float, float]:
    """Return seconds of a commit at the median, and answers a second."""
    start = log.span()[2]
    groups = [answers(group, start + number * group, chance) for number in range(COMMITS)]
    taken = []
    for one in groups:
        began = time.perf_counter()
        log.append(one)
        taken.append(time.perf_counter() - began)
    return statistics.median(taken), COMMITS * group / sum(taken)


def main() -> None:
    chance = random.Random(7)  # noqa: S311 (rows, not secrets)
    found: dict[tuple[str, int], list[tuple[float, float]]] = {}
    with started_postgres(fsync=True) as server, tempfile.TemporaryDirectory() as folder:
        address = read_address(server.database())
        logs: dict[str, ChunkLog] = {
            "SQLite": SqliteLog(Path(folder) / "log.db"),
            "PostgreSQL": PostgresLog(address, SystemClock()),
        }
        for _ in range(ROUNDS):
            for group in GROUPS:
                for name, log in logs.items():
                    found.setdefault((name, group), []).append(measure(log, group, chance))
        for log in logs.values():
            log.close()
    print("store       answers a commit   ms a commit   answers/s")
    for (name, group), rounds in found.items():
        commit, rate = (statistics.median(one) for one in zip(*rounds, strict=True))
        print(f"{name:<12}{group:>16}{commit * 1e3:>14.2f}{rate:>12,.0f}")


if __name__ == "__main__":
    main()
