"""Switches of version under load: answers that fail, get lost or are mixed up; how long a switch and a load take.

Every answer must be, bit for bit, what the version that it names says of its row, and stand in the log as that
version's. A switch is timed from the moment at which the document is written to the first answer under it, as a client
meets it; a version that was not loaded, until the gateway reports it ready.
"""

import asyncio
import statistics
import time
from pathlib import Path

import msgspec

from benchmarks.resilience.asking import Told, answers_of, keep_asking
from benchmarks.resilience.book import logged
from benchmarks.resilience.stage import Stage, gateway
from setpoint.adapters.file_deployments import FileDeployments
from setpoint.facts.deployment import Deployment

_FOLDER = "switches"
_LOADS = 20
_SWITCH_S = 0.1
_PAUSE_S = 0.02
_LONGEST_S = 10.0
_FIRST_NEW = 100  # numbers of versions that are loaded under way


def measure(stage: Stage, times: int) -> bool:
    """Switch so many times, print what was found, and return whether every promise was kept."""
    path = stage.publish(_FOLDER, stage.document(1, 1, "durable"))
    with gateway(path) as served:
        told, switches, loads, expected = asyncio.run(_switch(stage, path, served.url, times))
    book = logged(path.with_name("log.db"))
    mixed = lost = 0
    for row, answer, _ in told.answers:
        version = int(answer.version)
        mixed += answer.probability != expected[version][row]
        entry = book.get(answer.prediction_id)
        lost += entry is None
        mixed += entry is not None and entry != (version, answer.generation)
    cuts = statistics.quantiles(switches, n=100)
    print(
        f"switches: {len(switches):,} under load, {len(told.answers):,} answers; failed {len(told.refused)}, "
        f"lost {lost}, mixed up {mixed}; document to first answer under it: p50 {cuts[49] * 1e3:.0f} ms, "
        f"p99 {cuts[98] * 1e3:.0f} ms, longest {max(switches) * 1e3:.0f} ms; "
        f"a new version is ready after p50 {statistics.median(loads) * 1e3:.0f} ms, longest {max(loads) * 1e3:.0f} ms"
    )
    kept = not (told.refused or lost or mixed) and max(switches) < _SWITCH_S
    print(
        f"  {'kept' if kept else 'BROKEN'}: nothing failed, lost or mixed up; no switch took 100 ms"
    )
    return kept


async def _switch(
    stage: Stage, path: Path, url: str, times: int
) -> tuple[Told, list[float], list[float], dict[int, list[float]]]:
    """Switch back and forth while clients ask; now and then have a version loaded that is not."""
    expected = {number: await answers_of(url, stage.rows, number) for number in (1, 2)}
    told, stop = Told(), asyncio.Event()
    asking = asyncio.create_task(keep_asking(url, stage.rows, told, stop))
    switches: list[float] = []
    loads: list[float] = []
    generation = 1
    try:
        for number in range(times):
            generation += 1
            document = stage.document(generation, 1 + generation % 2, "durable")
            switches.append(await _until_answered(path, document, told))
            if number % max(1, times // _LOADS) == 0:
                generation += 1
                loads.append(await _until_loaded(stage, path, generation, number))
            await asyncio.sleep(_PAUSE_S)
    finally:
        stop.set()
        await asking
    return told, switches, loads, expected


async def _until_answered(path: Path, document: Deployment, told: Told) -> float:
    """Put a document in force and return the seconds until a client is answered under it."""
    begun = time.perf_counter()
    FileDeployments(path).publish(document)
    async with asyncio.timeout(_LONGEST_S):
        while told.generation < document.generation:
            told.news.clear()
            await told.news.wait()
    return time.perf_counter() - begun


async def _until_loaded(stage: Stage, path: Path, generation: int, number: int) -> float:
    """Have a further version prepared and return the seconds until the gateway reports it ready."""
    new = msgspec.structs.replace(stage.prepare[0], version=_FIRST_NEW + number)
    document = stage.document(generation, 1 + generation % 2, "durable")
    document = msgspec.structs.replace(document, prepare=(*stage.prepare, new))
    deployments = FileDeployments(path)
    begun = time.perf_counter()
    deployments.publish(document)
    async with asyncio.timeout(_LONGEST_S):
        while not any(new.version in report.ready for report in deployments.reports()):  # noqa: ASYNC110 (files)
            await asyncio.sleep(_PAUSE_S)
    return time.perf_counter() - begun
