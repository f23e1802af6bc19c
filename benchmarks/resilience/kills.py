"""kill -9 under load, again and again: a worker, then the whole gateway, with each promise of the log.

`durable`: every answer that a client was given is in the log. `buffered`: those that are missing came within the last
200 ms before the kill. The log reads, and a gateway that is started again answers within 2 s.
"""

import asyncio
import math
import random
import signal
import time
from pathlib import Path

import psutil

from benchmarks.resilience.asking import Told, keep_asking
from benchmarks.resilience.book import logged
from benchmarks.resilience.stage import Gateway, Stage, gateway

_WORKERS = 2
_BUFFER_S = 0.2
_RESTART_S = 2.0
_READ_S = 0.5  # an answer that left before the kill may be read by its client only after it
_EARLIEST_S, _LATEST_S = 0.15, 0.6


def measure(stage: Stage, times: int) -> bool:
    """Kill so many times with each promise, print what was found, and return whether every promise was kept."""
    durable, buffered = (_measured(stage, log, times) for log in ("durable", "buffered"))
    return durable and buffered


def _measured(stage: Stage, log: str, times: int) -> bool:
    path = stage.publish(f"kills-{log}", stage.document(1, 1, log))
    chance = random.Random(7)  # noqa: S311 (moments of kills, not secrets)
    given: list[tuple[str, float]] = []
    kills: list[float] = []
    starts: list[float] = []
    while len(kills) < times:
        with gateway(path, "--workers", str(_WORKERS)) as served:
            starts.append(served.start_s)
            whole = len(starts) % 2 == 0 or len(kills) == times - 1
            told, moments = asyncio.run(_kill(stage, served, chance, whole=whole))
        kills += moments
        given += [(answer.prediction_id, came) for _, answer, came in told.answers]
    return _say(log, path, given, kills, starts)


async def _kill(
    stage: Stage, served: Gateway, chance: random.Random, *, whole: bool
) -> tuple[Told, list[float]]:
    """Kill one worker, or the gateway with all of its workers, while clients ask; return when."""
    told, stop = Told(), asyncio.Event()
    asking = asyncio.create_task(keep_asking(served.url, stage.rows, told, stop))
    await asyncio.sleep(chance.uniform(_EARLIEST_S, _LATEST_S))
    first = psutil.Process(served.process.pid)
    workers = first.children()
    moment = time.time()
    for process in [first, *workers] if whole else [chance.choice(workers)]:
        process.send_signal(signal.SIGKILL)
    await asyncio.sleep(chance.uniform(_EARLIEST_S, _LATEST_S))
    stop.set()
    await asking
    return told, [moment]


def _say(
    log: str, path: Path, given: list[tuple[str, float]], kills: list[float], starts: list[float]
) -> bool:
    """Print what was found of one promise of the log."""
    book = logged(path.with_name("log.db"))
    missing = [came for name, came in given if name not in book]
    ages = [_age(came, kills) for came in missing]
    print(
        f"kills, {log}: {len(kills)} under load, {len(given):,} answers were given, {len(missing)} of them are "
        f"missing in the log of {len(book):,}, the oldest {max(ages, default=0.0) * 1e3:.0f} ms old at the kill; "
        f"{len(starts)} starts, ready after {max(starts):.2f} s at the longest"
    )
    stray = ages if log == "durable" else [age for age in ages if age > _BUFFER_S]
    kept = not stray and max(starts[1:], default=0.0) <= _RESTART_S
    print(
        f"  {'kept' if kept else 'BROKEN'}: missing beyond what is promised {len(stray)}; start within 2 s"
    )
    return kept


def _age(came: float, kills: list[float]) -> float:
    """Return how old a missing answer was when the next kill took it along, in seconds."""
    return min((kill - came for kill in kills if kill - came >= -_READ_S), default=math.inf)
