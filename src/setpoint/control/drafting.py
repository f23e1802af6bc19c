"""What an attempt would be made of: which rows, which job, and whether that job is the champion's own."""

from dataclasses import replace

import numpy as np

from setpoint.contract.contract import Contract
from setpoint.control.job import Ask, Drafted, draft_job
from setpoint.control.rows import LabelledRows, Ranges, admitted, latest
from setpoint.control.world import World
from setpoint.data.snapshot import take_snapshot
from setpoint.facts.snapshot import Snapshot
from setpoint.facts.state import LoopState


def snapshot_now(rows: LabelledRows, contract: Contract, state: LoopState, known: int) -> Snapshot:
    """Return the rows that a fit would learn from and be judged on, of the first `known`."""
    ranges = learnt_from(rows, contract, state, known)
    return take_snapshot(rows.rows, contract, digest=rows.table, origin=rows.origin, ranges=ranges)


def champions_job(
    world: World, contract: Contract, state: LoopState, rows: LabelledRows, ask: Ask
) -> Drafted | None:
    """Return the champion's own job where the same rows and recipe are asked for again; else None."""
    champion = ask.champion
    if champion is None or ask.shuffle_labels or ask.whole:
        return None
    met = replace(ask, champion=state.versions.get(str(champion.met)))
    drafted = draft_job(rows, contract, met, world.tables)
    return drafted if drafted.job.key == champion.job else None


def learnt_from(rows: LabelledRows, contract: Contract, state: LoopState, known: int) -> Ranges:
    """Return the ranges of the first `known` rows that the contract learns from; blocked ones are not among them."""
    ranges = admitted(known, state.blocked)
    history = contract.retrain.data
    if history.kind == "last" and history.last is not None:
        if history.last.unit == "rows":
            ranges = latest(ranges, int(history.last.value))
        elif ranges:
            since = float(rows.at[ranges[-1][1] - 1]) - history.last.value
            first = int(np.searchsorted(rows.at[:known], since, side="left"))
            ranges = tuple((max(start, first), end) for start, end in ranges if end > first)
    return ranges
