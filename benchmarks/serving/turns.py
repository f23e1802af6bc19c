"""Turns: every server again and again, forwards and backwards, so that a noisy minute falls on all of them."""

import contextlib
import math
import resource
import signal
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

import psutil

from benchmarks.serving.load import Load, post
from benchmarks.serving.server import DeadServerError, Server, ask, cpu_seconds, running

_REST_S = 0.5  # after which a server has written what it had to write
_CROWDED = 0.1  # cores; a run beside which others took more is done again
_TRIES = 2
_TOLERANCE = 1e-3  # of a probability: float32 and the order of a sum, but no other model


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    Args:
        turns: How often each server has its turn.
        seconds: Length of one run.
        connections: Connections of the runs of one turn.
        warm_s: Length of the run before these, which is thrown away.
        pairs: How often servers that stay up beside each other have their turn.
        pair_s: Length of such a run.
    """

    turns: int = 5
    seconds: float = 3.0
    connections: Sequence[int] = (1, 16, 64)
    warm_s: float = 1.0
    pairs: int = 61
    pair_s: float = 1.0


@dataclass(frozen=True)
class Run:
    """One run against one server.

    Args:
        server: Its name.
        turn: Number of the turn, from 0; the others had theirs just before or after.
        connections: How many.
        load: What wrk found.
        cpu_us: Processor time of the server and its children for one answer, in microseconds.
        others: Cores that neither the server nor wrk kept busy, but somebody else did.
    """

    server: str
    turn: int
    connections: int
    load: Load
    cpu_us: float
    others: float


@dataclass(frozen=True)
class Figure:
    """Medians over the runs of one server at one number of connections.

    Args:
        server: Its name.
        connections: How many.
        rate: Answers per second.
        low: Lowest rate of a run.
        high: Highest rate of a run.
        p50_ms: Median of the runs' median latencies, in milliseconds.
        p99_ms: Median of the runs' 99th percentiles, in milliseconds.
        cpu_us: Processor time for one answer, in microseconds.
        errors: Errors of all runs together.
        runs: How many.
        others: Median of the cores that somebody else kept busy meanwhile.
    """

    server: str
    connections: int
    rate: float
    low: float
    high: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    errors: int
    runs: int
    others: float


def measure(
    servers: Sequence[Server],
    plan: Plan,
    *,
    expected: float | None = None,
    say: Callable[[str], None] = print,
) -> list[Run]:
    """Return all runs of all servers, interleaved. A server that fails is said and left out from then on.

    Args:
        servers: The servers.
        plan: How much.
        expected: Native probability of the positive class of the posted row; answers are checked against it first.
        say: Takes a line of progress.
    """
    _end_with_us()
    runs: list[Run] = []
    left = list(servers)
    for turn in range(plan.turns):
        for server in left[:: 1 if turn % 2 == 0 else -1]:
            try:
                found = _turn(server, turn, plan, expected)
            except (DeadServerError, ValueError) as error:
                say(f"  {server.name}: left out: {error}")
                left.remove(server)
                continue
            runs.extend(found)
            rates = ", ".join(f"{run.connections}: {run.load.rate:,.0f}/s" for run in found)
            say(f"  turn {turn + 1}/{plan.turns} {server.name}: {rates}")
    return runs


def measure_beside(
    servers: Sequence[Server],
    plan: Plan,
    *,
    expected: float | None = None,
    say: Callable[[str], None] = print,
    before_each: Callable[[], None] = lambda: None,
) -> list[Run]:
    """Return runs of servers that all stay up, and idle while another has its turn: their runs are seconds apart.

    For what hangs on a bad second of the machine, as a 99th percentile does. Servers that need the machine for
    themselves do not belong here. Where one fails, that is said, and there are no further runs.

    Args:
        servers: The servers.
        plan: How much.
        expected: Native probability of the positive class of the posted row; answers are checked against it first.
        say: Takes a line of progress.
        before_each: Called before each turn, while nobody is asked anything.
    """
    _end_with_us()
    runs: list[Run] = []
    try:
        with contextlib.ExitStack() as stack:
            up = [(server, stack.enter_context(running(server))) for server in servers]
            for server, _ in up:
                _warm(server, plan, expected)
            for turn in range(plan.pairs):
                time.sleep(_REST_S)
                before_each()
                for connections in plan.connections:
                    for server, process in up[:: 1 if turn % 2 == 0 else -1]:
                        runs.append(_run(server, turn, process, connections, plan.pair_s))
                say(
                    f"  turn {turn + 1}/{plan.pairs} of {' and '.join(one.name for one in servers)}"
                )
    except (DeadServerError, ValueError) as error:
        say(f"  no further turns: {error}")
    return runs


def _end_with_us() -> None:
    """Have whoever ends the measurement end the servers that run, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def _turn(server: Server, turn: int, plan: Plan, expected: float | None) -> list[Run]:
    with running(server) as process:
        _warm(server, plan, expected)
        return [
            _run(server, turn, process, connections, plan.seconds)
            for connections in plan.connections
        ]


def _warm(server: Server, plan: Plan, expected: float | None) -> None:
    """Check what a server answers, and have it answer for a while."""
    verify(server, expected)
    _post(server, max(plan.connections), plan.warm_s)


def _post(server: Server, connections: int, seconds: float) -> Load:
    return post(
        server.url,
        server.body,
        connections=connections,
        seconds=seconds,
        content_type=server.content_type,
    )


def _run(
    server: Server, turn: int, process: psutil.Process, connections: int, seconds: float
) -> Run:
    """Return one run; where others took the processor, the quietest of a few."""
    tries: list[Run] = []
    while len(tries) < _TRIES:
        tries.append(_try(server, turn, process, connections, seconds))
        if tries[-1].others <= _CROWDED:
            break
    return min(tries, key=lambda run: run.others)


def _try(
    server: Server, turn: int, process: psutil.Process, connections: int, seconds: float
) -> Run:
    before, wrk, busy, begun = cpu_seconds(process), _children(), _busy(), time.monotonic()
    load = _post(server, connections, seconds)
    spent = cpu_seconds(process) - before
    others = _busy() - busy - spent - (_children() - wrk)
    return Run(
        server.name,
        turn,
        connections,
        load,
        cpu_us=spent * 1e6 / max(load.requests, 1),
        others=max(others, 0.0) / (time.monotonic() - begun),
    )


def _busy() -> float:
    """Return the processor time of everything on this machine so far, and what the machine's host took from it."""
    found = psutil.cpu_times()
    return float(found.user + found.nice + found.system + found.steal)


def _children() -> float:
    """Return the processor time of this process's children that have ended: wrk's."""
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return found.ru_utime + found.ru_stime


def verify(server: Server, expected: float | None) -> None:
    """Ask once and hold the answer against the native model's.

    Raises:
        DeadServerError: It answers something else.
    """
    content = ask(server)
    if server.read is None or expected is None:
        return
    try:
        found = server.read(content)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        msg = f"answers {content[:300]!r}: {error!r}"
        raise DeadServerError(msg) from error
    if not math.isclose(found, expected, abs_tol=_TOLERANCE):
        msg = f"answers probability {found}, the native model {expected}"
        raise DeadServerError(msg)


def figures(runs: Sequence[Run]) -> list[Figure]:
    """Return the medians of runs, by server and connections, in the order of their first runs."""
    groups: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.server, run.connections), []).append(run)
    return [_figure(name, connections, group) for (name, connections), group in groups.items()]


def _figure(server: str, connections: int, runs: Sequence[Run]) -> Figure:
    rates = [run.load.rate for run in runs]
    return Figure(
        server=server,
        connections=connections,
        rate=statistics.median(rates),
        low=min(rates),
        high=max(rates),
        p50_ms=statistics.median(run.load.p50_ms for run in runs),
        p99_ms=statistics.median(run.load.p99_ms for run in runs),
        cpu_us=statistics.median(run.cpu_us for run in runs),
        errors=sum(run.load.errors for run in runs),
        runs=len(runs),
        others=statistics.median(run.others for run in runs),
    )


def by_server(found: Sequence[Figure], connections: int) -> Mapping[str, Figure]:
    """Return the figures of one number of connections, by server."""
    return {figure.server: figure for figure in found if figure.connections == connections}


def plain(found: Sequence[Figure] | Sequence[Run]) -> list[dict[str, object]]:
    """Return figures, or runs, as plain data."""
    return [asdict(figure) for figure in found]
