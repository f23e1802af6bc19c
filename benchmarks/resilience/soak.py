"""Minute after minute at 80 % of what a gateway can do: memory that grows, latencies that drift.

The capacity is measured first; then connections pause between requests for as long as it takes to ask for 80 % of it.
wrk sends, since it alone sends so much from one core. The server has the other.
"""

from dataclasses import dataclass

import psutil

from benchmarks.resilience.stage import Gateway, Stage, gateway
from benchmarks.serving.load import Load, NoGeneratorError, post, require_wrk
from benchmarks.serving.rows import flat

_SHARE = 0.8
_MINUTE_S = 60
_CONNECTIONS = 64
_PROBE_S = 5.0
_PROBES = 4  # to find the pause
_MORE_MEMORY = 0.05
_SLOWER = 1.5
_SETTLED = 2  # minutes after which memory has been taken that is kept
_LEAST = 2 * _SETTLED  # minutes that can tell


@dataclass(frozen=True)
class Minute:
    """What one minute showed: answers a second, memory in MB at its end, latencies in ms, requests without answer."""

    rate: float
    memory_mb: float
    p50_ms: float
    p99_ms: float
    errors: int


def measure(stage: Stage, times: int) -> bool:
    """Send for so many minutes, print each, and return whether all was answered and neither memory nor latency grew."""
    try:
        require_wrk()
    except NoGeneratorError as error:
        print(f"soak: not measured: {error}")
        return False
    path = stage.publish("soak", stage.document(1, 1, "buffered"))
    with gateway(path, before=("taskset", "-c", "0")) as served:
        row = flat(tuple(stage.rows[0].values()))
        full = _load(served, row)
        rate = _SHARE * full.rate
        pause_ms = _pause_ms(served, row, rate)
        print(f"soak: {full.rate:,.0f} answers/s at most; {rate:,.0f} a second for {times} minutes")
        minutes = []
        for number in range(times):
            minutes.append(_minute(served, row, pause_ms))
            print(f"  minute {number + 1}: {_said(minutes[-1])}", flush=True)
    return _judge(minutes)


def _load(served: Gateway, row: bytes, seconds: float = _PROBE_S, pause_ms: float = 0.0) -> Load:
    url = f"{served.url}/predict"
    return post(url, row, connections=_CONNECTIONS, seconds=seconds, pause_ms=pause_ms)


def _pause_ms(served: Gateway, row: bytes, rate: float) -> float:
    """Return how long each connection must pause for all of them to ask for so many answers a second."""
    pause_ms = 0.0
    for _ in range(_PROBES):
        found = _load(served, row, pause_ms=pause_ms)
        answer_ms = _CONNECTIONS / found.rate * 1e3 - pause_ms
        pause_ms = max(0.0, _CONNECTIONS / rate * 1e3 - answer_ms)
    return pause_ms


def _minute(served: Gateway, row: bytes, pause_ms: float) -> Minute:
    found = _load(served, row, _MINUTE_S, pause_ms)
    memory = sum(one.memory_info().rss for one in _family(served)) / 1e6
    return Minute(found.rate, memory, found.p50_ms, found.p99_ms, found.errors)


def _family(served: Gateway) -> list[psutil.Process]:
    first = psutil.Process(served.process.pid)
    return [first, *first.children(recursive=True)]


def _said(minute: Minute) -> str:
    return (
        f"{minute.rate:,.0f}/s, {minute.memory_mb:.0f} MB, p50 {minute.p50_ms:.2f} ms, p99 {minute.p99_ms:.2f} ms, "
        f"{minute.errors} without an answer"
    )


def _judge(minutes: list[Minute]) -> bool:
    if len(minutes) < _LEAST:
        print(f"  not judged: it takes {_LEAST} minutes")
        return False
    early, late = minutes[_SETTLED - 1], minutes[-1]
    half = len(minutes) // 2
    before, after = (
        sorted(one.p99_ms for one in part)[len(part) // 2]
        for part in (minutes[:half], minutes[half:])
    )
    errors = sum(one.errors for one in minutes)
    flat_memory = late.memory_mb <= (1 + _MORE_MEMORY) * early.memory_mb
    kept = errors == 0 and flat_memory and after <= _SLOWER * before
    print(
        f"  {'kept' if kept else 'BROKEN'}: memory {early.memory_mb:.0f} MB after {_SETTLED} minutes, "
        f"{late.memory_mb:.0f} MB at the end; median p99 {before:.2f} ms at first, {after:.2f} ms later; "
        f"{errors} without an answer"
    )
    return kept
