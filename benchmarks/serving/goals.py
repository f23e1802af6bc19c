"""What the gateway must reach beside the floor and the peers, and whether it does. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.serving.rounds import Figure, by_server

BUFFERED, DURABLE = "setpoint buffered flat", "setpoint durable flat"
"""The servers that are judged: `/predict` with one flat row."""
_OF_FLOOR = {BUFFERED: (0.7, (1, 16, 64)), DURABLE: (0.4, (64,))}
"""The share of the floor's answers, and at how many connections; one durable answer alone waits for the disk alone."""
_FSYNCS = 3
_CROWDED = 0.3  # cores
_TIMES_BEST_PEER = {
    "forest": {1: 20.0, 16: 10.0, 64: 10.0},
    "logistic": {1: 3.5, 16: 10.0, 64: 10.0},
}


@dataclass(frozen=True)
class Goal:
    """One goal.

    Args:
        text: What was asked.
        found: What was measured, in the same unit; None where it could not be.
        limit: What it is held against.
        at_least: Whether `found` must reach `limit`; otherwise it must not pass it.
        model: The model it was measured on.
        others: Cores that others kept busy meanwhile, in the busier of the measurements it stands on.
        by_cpu: The same ratio by processor time for one answer, which others disturb less; None where there is none.
    """

    text: str
    found: float | None
    limit: float
    at_least: bool
    model: str
    others: float
    by_cpu: float | None = None

    @property
    def verdict(self) -> str:
        """`pass` or `miss`; or `not measured`, or `crowded` by others on the machine, and neither is a pass."""
        if self.found is None:
            return "not measured"
        if self.others > _CROWDED:
            return "crowded"
        kept = self.found >= self.limit if self.at_least else self.found <= self.limit
        return "pass" if kept else "miss"


def goals(
    model: str,
    found: Sequence[Figure],
    *,
    floor: str,
    peers: Sequence[str],
    fsync_p99_ms: float,
) -> list[Goal]:
    """Return the goals of one model.

    Args:
        model: `forest` or `logistic`.
        found: All figures of the model.
        floor: Name of the floor.
        peers: Names of the peers that were asked for.
        fsync_p99_ms: 99th percentile of one fsync on the log's disk, in milliseconds.
    """
    made: list[Goal] = []
    for connections in sorted({figure.connections for figure in found}):
        here = by_server(found, connections)
        for server, (share, places) in _OF_FLOOR.items():
            if connections in places:
                text = f"{server}: share of the floor's answers/s at {connections}"
                made.append(_times(text, model, here.get(server), here.get(floor), share))
        made.append(_durable_p99(model, here, connections, floor, fsync_p99_ms))
        times = _TIMES_BEST_PEER[model].get(connections)
        if times is not None:
            text = f"{BUFFERED}: times the best peer's answers/s at {connections}"
            best = here.get(best_of(here, peers))
            made.append(_times(text, model, here.get(BUFFERED), best, times))
        made.extend(_below_peers(name, model, here, connections, peers) for name in ("p50", "p99"))
    return made


def best_of(here: Mapping[str, Figure], names: Sequence[str]) -> str:
    """Return which of the named servers answered most; empty where none was measured."""
    measured = [name for name in names if name in here]
    return max(measured, key=lambda name: here[name].rate, default="")


def _times(text: str, model: str, one: Figure | None, other: Figure | None, limit: float) -> Goal:
    """Return the goal that one server answers at least `limit` times what another does."""
    if one is None or other is None:
        return Goal(text, None, limit, at_least=True, model=model, others=0.0)
    others = max(one.others, other.others)
    ratio = one.rate / other.rate
    by_cpu = other.cpu_us / one.cpu_us
    return Goal(text, ratio, limit, at_least=True, model=model, others=others, by_cpu=by_cpu)


def _durable_p99(
    model: str, here: Mapping[str, Figure], connections: int, floor: str, fsync_p99_ms: float
) -> Goal:
    text = f"{DURABLE}: p99 ms at {connections}, within the floor's and {_FSYNCS} fsyncs"
    one, other = here.get(DURABLE), here.get(floor)
    if one is None or other is None:
        return Goal(text, None, 0.0, at_least=False, model=model, others=0.0)
    limit = other.p99_ms + _FSYNCS * fsync_p99_ms
    others = max(one.others, other.others)
    return Goal(text, one.p99_ms, limit, at_least=False, model=model, others=others)


def _below_peers(
    name: str, model: str, here: Mapping[str, Figure], connections: int, peers: Sequence[str]
) -> Goal:
    """Return the goal that a percentile of latency is not above any peer's.

    Args:
        name: `p50` or `p99`.
        model: The model.
        here: The figures at these connections, by server.
        connections: How many.
        peers: Names of the peers.
    """
    text = f"{BUFFERED}: {name} ms at {connections}, not above the lowest peer's"
    measured = [here[peer] for peer in peers if peer in here]
    if not measured or BUFFERED not in here:
        return Goal(text, None, 0.0, at_least=False, model=model, others=0.0)

    def latency_ms(figure: Figure) -> float:
        return figure.p50_ms if name == "p50" else figure.p99_ms

    one, lowest = here[BUFFERED], min(measured, key=latency_ms)
    others = max(one.others, lowest.others)
    found, limit = latency_ms(one), latency_ms(lowest)
    return Goal(text, found, limit, at_least=False, model=model, others=others)
