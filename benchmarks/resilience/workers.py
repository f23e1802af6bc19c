"""Two workers beside one: answers for each second of the server's processor time, and a log that holds them all."""

import statistics

import psutil

from benchmarks.resilience.book import logged
from benchmarks.resilience.stage import Stage, gateway
from benchmarks.serving.load import Load, NoGeneratorError, post, require_wrk
from benchmarks.serving.rows import flat
from benchmarks.serving.server import cpu_seconds

_CONNECTIONS = 64
_SECONDS = 3.0
_WITHIN = 0.1


def measure(stage: Stage, times: int) -> bool:
    """Measure one and two workers in turn, so many times, print medians, and return whether the promise was kept."""
    try:
        require_wrk()
    except NoGeneratorError as error:
        print(f"workers: not measured: {error}")
        return False
    found: dict[int, list[float]] = {1: [], 2: []}
    rates: dict[int, list[float]] = {1: [], 2: []}
    lost = 0
    for number in range(times):
        for workers, each in found.items():
            path = stage.publish(f"workers-{number}-{workers}", stage.document(1, 1, "buffered"))
            with gateway(path, "--workers", str(workers)) as served:
                server = psutil.Process(served.process.pid)
                _post(served.url, stage, 1.0)
                before = cpu_seconds(server)
                load = _post(served.url, stage, _SECONDS)
                each.append(load.requests / (cpu_seconds(server) - before))
                rates[workers].append(load.rate)
                counted = load.requests
            lost += max(0, counted - len(logged(path.with_name("log.db"))))
    one, two = (statistics.median(found[workers]) for workers in (1, 2))
    print(
        f"workers: one answers {one:,.0f} for each second of its processor time, two {two:,.0f}: {two / one:.2f} of "
        f"it; {statistics.median(rates[1]):,.0f} and {statistics.median(rates[2]):,.0f} a second beside the load "
        f"generator on the same cores; {lost} answers are not in the log"
    )
    kept = two >= (1 - _WITHIN) * one and not lost
    print(f"  {'kept' if kept else 'BROKEN'}: within 10 % of one worker, no answer lost")
    return kept


def _post(url: str, stage: Stage, seconds: float) -> Load:
    return post(
        f"{url}/predict",
        flat(tuple(stage.rows[0].values())),
        connections=_CONNECTIONS,
        seconds=seconds,
    )
