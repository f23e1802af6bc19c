"""Minute after minute at 80 % of what a gateway can do: memory that grows, latencies that drift.

The capacity is measured first, by wrk; then `setpoint load` sends at a steady rate, and latencies count from the moment
at which a request was due. The server has one core, the load the other.
"""

import json
import subprocess
import sys
from dataclasses import dataclass

import psutil

from benchmarks.resilience.stage import Gateway, Stage, gateway
from benchmarks.serving.load import NoGeneratorError, post, require_wrk
from benchmarks.serving.rows import flat

_SHARE = 0.8
_MINUTE_S = 60
_CONNECTIONS = 64
_MORE_MEMORY = 0.05
_SLOWER = 1.5
_SETTLED = 2  # minutes after which memory has been taken that is kept
_LEAST = 2 * _SETTLED  # minutes that can tell


@dataclass(frozen=True)
class Minute:
    """What one minute showed: memory in MB at its end, latencies in ms, and requests without an answer."""

    memory_mb: float
    p50_ms: float
    p99_ms: float
    errors: int


def measure(stage: Stage, times: int) -> bool:
    """Send for so many minutes, print each, and return whether memory was flat and latencies did not drift."""
    try:
        require_wrk()
    except NoGeneratorError as error:
        print(f"soak: not measured: {error}")
        return False
    path = stage.publish("soak", stage.document(1, 1, "buffered"))
    with gateway(path, before=("taskset", "-c", "0")) as served:
        row = flat(tuple(stage.rows[0].values()))
        full = post(f"{served.url}/predict", row, connections=_CONNECTIONS, seconds=5.0)
        rate = round(_SHARE * full.rate)
        print(f"soak: {full.rate:,.0f} answers/s at most; {rate:,} a second for {times} minutes")
        minutes = []
        for number in range(times):
            minutes.append(_minute(served, rate))
            print(f"  minute {number + 1}: {_said(minutes[-1])}")
    return _judge(minutes)


def _minute(served: Gateway, rate: int) -> Minute:
    command = ["taskset", "-c", "1", sys.executable, "-m", "setpoint", "load", served.url]
    words = ["--rate", str(rate), "--seconds", str(_MINUTE_S), "--errors", "100%", "--json"]
    done = subprocess.run([*command, *words], check=False, capture_output=True, text=True)
    found = json.loads(done.stdout)
    memory = sum(one.memory_info().rss for one in _family(served)) / 1e6
    measured = found["measured"]
    latency, errors = measured["latency"], sum(measured["errors"].values())
    return Minute(memory, latency["p50"] * 1e3, latency["p99"] * 1e3, errors)


def _family(served: Gateway) -> list[psutil.Process]:
    first = psutil.Process(served.process.pid)
    return [first, *first.children(recursive=True)]


def _said(minute: Minute) -> str:
    return (
        f"{minute.memory_mb:.0f} MB, p50 {minute.p50_ms:.2f} ms, p99 {minute.p99_ms:.2f} ms, "
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
    kept = late.memory_mb <= (1 + _MORE_MEMORY) * early.memory_mb and after <= _SLOWER * before
    print(
        f"  {'kept' if kept else 'BROKEN'}: memory {early.memory_mb:.0f} MB after {_SETTLED} minutes, "
        f"{late.memory_mb:.0f} MB at the end; median p99 {before:.2f} ms at first, {after:.2f} ms later"
    )
    return kept
