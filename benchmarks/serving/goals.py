"""What the gateway must reach beside the floor and the peers, and whether it does. Pure.

What is held against each other was measured in the same turn, so that a slow minute of the machine falls on both; the
gateway and the floor stay up beside each other for that, and have their turns seconds apart. A goal is judged by the
median over the turns and its interval of 90 % confidence, from order statistics: where the limit lies within, the turns
do not tell. The disk stands in that as its median over all turns, without an interval of its own.
"""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scipy.stats import quantile_test

from benchmarks.serving.load import Load
from benchmarks.serving.turns import Figure, Run, by_server, figures

BUFFERED, DURABLE = "setpoint buffered flat", "setpoint durable flat"
"""The servers that are judged: `/predict` with one flat row."""
BESIDE_FLOOR = (BUFFERED, DURABLE)
"""Those that are compared with the floor while all of them stay up."""
_OF_FLOOR = {BUFFERED: (0.7, (1, 16, 64)), DURABLE: (0.4, (64,))}
"""The share of the floor's answers, and at how many connections; one durable answer alone waits for the disk alone."""
_FSYNCS = 3
_CROWDED = 0.3  # cores
_CONFIDENCE = 0.9  # so that either end of the interval errs in one case of twenty
_TIMES_BEST_PEER = {
    "forest": {1: 20.0, 16: 10.0, 64: 10.0},
    "logistic": {1: 3.5, 16: 10.0, 64: 10.0},
}


@dataclass(frozen=True)
class Goal:
    """One goal.

    Args:
        text: What was asked.
        values: What was measured, turn by turn, in the same unit; empty where it could not be.
        limit: What it is held against.
        at_least: Whether it must reach `limit`; otherwise it must not pass it.
        model: The model it was measured on.
        others: Cores that others kept busy meanwhile, in the busier of the measurements it stands on.
        by_cpu: The same ratio by processor time for one answer, which others disturb less; None where there is none.
    """

    text: str
    values: Sequence[float]
    limit: float
    at_least: bool
    model: str
    others: float = 0.0
    by_cpu: float | None = None

    @property
    def found(self) -> float | None:
        """The median over the turns; None where there were none."""
        return statistics.median(self.values) if self.values else None

    @property
    def span(self) -> tuple[float, float]:
        """The interval in which the median lies; without ends where the turns are too few."""
        if not self.values:
            return -math.inf, math.inf
        found = quantile_test(list(self.values), p=0.5).confidence_interval(_CONFIDENCE)
        low, high = float(found.low), float(found.high)
        return (
            -math.inf if math.isnan(low) else low,
            math.inf if math.isnan(high) else high,
        )

    @property
    def verdict(self) -> str:
        """`pass` or `miss`; or `inconclusive`, `not measured`, `crowded` by others on the machine: none is a pass."""
        if self.found is None:
            return "not measured"
        if self.others > _CROWDED:
            return "crowded"
        low, high = self.span
        kept, missed = (
            (low >= self.limit, high < self.limit)
            if self.at_least
            else (high <= self.limit, low > self.limit)
        )
        return "pass" if kept else "miss" if missed else "inconclusive"


def goals(
    model: str,
    runs: Sequence[Run],
    beside: Sequence[Run],
    *,
    floor: str,
    peers: Sequence[str],
    fsync_p99_ms: float,
) -> list[Goal]:
    """Return the goals of one model.

    Args:
        model: `forest` or `logistic`.
        runs: Runs of the model, each server by itself.
        beside: Runs of `BESIDE_FLOOR` and of the floor, which all stayed up.
        floor: Name of the floor.
        peers: Names of the peers that were asked for.
        fsync_p99_ms: 99th percentile of one fsync on the log's disk, in milliseconds.
    """
    made: list[Goal] = []
    for connections in sorted({run.connections for run in runs}):
        here, side = _Here(model, connections, runs), _Here(model, connections, beside)
        for server, (share, places) in _OF_FLOOR.items():
            if connections in places:
                text = f"{server}: share of the floor's answers/s at {connections}"
                made.append(side.times(text, server, floor, share))
        made.append(side.durable_p99(floor, fsync_p99_ms))
        limit = _TIMES_BEST_PEER[model].get(connections)
        if limit is not None:
            text = f"{BUFFERED}: times the best peer's answers/s at {connections}"
            made.append(here.times(text, BUFFERED, best_of(here.figures, peers), limit))
        made.extend(here.below_peers(name, peers) for name in ("p50", "p99"))
    return made


def best_of(here: Mapping[str, Figure], names: Sequence[str]) -> str:
    """Return which of the named servers answered most; empty where none was measured."""
    measured = [name for name in names if name in here]
    return max(measured, key=lambda name: here[name].rate, default="")


class _Here:
    """The runs of one model at one number of connections.

    Args:
        model: The model.
        connections: How many.
        runs: Runs of the model.
    """

    def __init__(self, model: str, connections: int, runs: Sequence[Run]) -> None:
        self._model = model
        self._connections = connections
        self._runs = {(run.server, run.turn): run for run in runs if run.connections == connections}
        self.figures = by_server(figures(list(self._runs.values())), connections)

    def times(self, text: str, one: str, other: str, limit: float) -> Goal:
        """Return the goal that one server answers at least `limit` times what another does."""
        values = self._in_pairs(one, other, lambda a, b: a.load.rate / b.load.rate)
        by_cpu = self.figures[other].cpu_us / self.figures[one].cpu_us if values else None
        others = self._others(one, other)
        return Goal(text, values, limit, True, self._model, others, by_cpu)  # noqa: FBT003 (named by its place)

    def durable_p99(self, floor: str, fsync_p99_ms: float) -> Goal:
        """Return the goal that durable answers take no longer than the floor's and some fsyncs."""
        text = (
            f"{DURABLE}: ms of p99 at {self._connections} beyond the floor's and {_FSYNCS} fsyncs"
        )

        def beyond_ms(one: Run, other: Run) -> float:
            if not one.load.requests:
                return math.inf
            return one.load.p99_ms - other.load.p99_ms - _FSYNCS * fsync_p99_ms

        values = self._in_pairs(DURABLE, floor, beyond_ms)
        others = self._others(DURABLE, floor)
        return Goal(text, values, 0.0, at_least=False, model=self._model, others=others)

    def below_peers(self, name: str, peers: Sequence[str]) -> Goal:
        """Return the goal that a percentile of latency, `p50` or `p99`, is not above any peer's."""
        text = f"{BUFFERED}: {name} at {self._connections} as a share of the lowest peer's"
        measured = [self.figures[peer] for peer in peers if peer in self.figures]
        lowest = min(measured, key=lambda one: _latency_ms(one, name), default=None)
        peer = "" if lowest is None else lowest.server

        def share(one: Run, other: Run) -> float:
            if not one.load.requests:
                return math.inf
            return _latency_ms(one.load, name) / _latency_ms(other.load, name)

        values = self._in_pairs(BUFFERED, peer, share)
        others = self._others(BUFFERED, peer)
        return Goal(text, values, 1.0, at_least=False, model=self._model, others=others)

    def _in_pairs(self, one: str, other: str, compare: Callable[[Run, Run], float]) -> list[float]:
        """Return what comes of two servers in each turn that both had, and in which the other gave answers."""
        turns = sorted(turn for server, turn in self._runs if server == one)
        return [
            compare(self._runs[one, turn], self._runs[other, turn])
            for turn in turns
            if (other, turn) in self._runs and self._runs[other, turn].load.requests
        ]

    def _others(self, *servers: str) -> float:
        return max(
            (self.figures[one].others for one in servers if one in self.figures), default=0.0
        )


def _latency_ms(found: Figure | Load, name: str) -> float:
    return found.p50_ms if name == "p50" else found.p99_ms
