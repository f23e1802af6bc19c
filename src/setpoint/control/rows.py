"""The labelled rows of a world, and which of them are known at a moment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from setpoint.contract.contract import Contract
from setpoint.data.conform import Conformed
from setpoint.facts.evidence import Floats, Ints
from setpoint.facts.snapshot import Origin
from setpoint.facts.state import Blocked

Ranges = tuple[tuple[int, int], ...]
"""Half-open ranges of row positions, in order."""


@dataclass(frozen=True)
class LabelledRows:
    """A typed table whose rows' labels become known as time passes.

    Args:
        conformed: Typed rows; in order of time where `ordered`.
        contract: The contract they were typed by.
        table: Content digest of the stored table.
        origin: Where it came from.
        at: Tick of each row, ascending where `ordered`, shape (rows,).
        ordered: Whether rows stand in order of time.
        unfolding: Whether labels become known with the clock (a replay), or all are known (a source that was read).
    """

    conformed: Conformed
    contract: Contract
    table: str
    origin: Origin
    at: Floats
    ordered: bool
    unfolding: bool = False

    @property
    def rows(self) -> pa.Table:
        """The typed table."""
        return self.conformed.table

    def known(self, now: float) -> int:
        """Return how many leading rows are over and have their label by `now`; without delay all rows before it."""
        if not self.unfolding:
            return len(self.at)
        before = int(np.searchsorted(self.at, now, side="left"))
        delay = self.contract.label_delay.value
        return min(before, int(np.searchsorted(self.at, now - delay, side="right")))


def admitted(known: int, blocked: Sequence[Blocked]) -> Ranges:
    """Return the half-open ranges of the first `known` rows that are not blocked, in order."""
    ranges: list[tuple[int, int]] = []
    start = 0
    for block in sorted(blocked, key=lambda one: one.start):
        if block.start > start:
            ranges.append((start, min(block.start, known)))
        start = max(start, block.end)
    if start < known:
        ranges.append((start, known))
    return tuple(pair for pair in ranges if pair[0] < pair[1])


def latest(ranges: Sequence[tuple[int, int]], rows: int) -> Ranges:
    """Return the ranges cut down to their last `rows` rows."""
    kept: list[tuple[int, int]] = []
    left = rows
    for start, end in reversed(ranges):
        if left <= 0:
            break
        kept.append((max(start, end - left), end))
        left -= end - kept[-1][0]
    return tuple(reversed(kept))


def positions(ranges: Sequence[tuple[int, int]]) -> Ints:
    """Return the row positions of half-open ranges, ascending, shape (rows,)."""
    if not ranges:
        return np.empty(0, dtype=np.int64)
    return np.concatenate([np.arange(start, end, dtype=np.int64) for start, end in ranges])
