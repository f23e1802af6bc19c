"""Which rows fit, tune and judge. A row keeps its part for life.

Invariants:
- By hash, a row's part follows from its key (or from all its inputs) and the seed alone: not from its position, from
  other rows, or from its label. Equal rows are in one part, in any process and on any machine.
- By order, every judging row is later than every fitting row by at least the label delay; rows of one moment are in
  one part.
- A row without a label, or without a place in time where there is one, is in no part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.contract.spans import Part
from setpoint.data.columns import inputs_of
from setpoint.data.conform import ticks
from setpoint.data.row_hash import hash01

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Parts:
    """Positions of rows, each ascending and none in two.

    Args:
        fit: Rows to fit on.
        validation: Rows that tuning, threshold and calibration see; may be empty.
        test: Rows that gates judge by.
    """

    fit: Ints
    validation: Ints
    test: Ints


def parts(table: pa.Table, contract: Contract, ordered: bool, seed: int) -> Parts:  # noqa: FBT001 - the port's shape
    """Divide the labelled rows of a typed table.

    Args:
        table: Typed rows; in order of time where `ordered`.
        contract: Has a section `data`.
        ordered: Whether rows stand in an order that later rows follow: time, or the order of a replay.
            `train.split.by: hash` overrules it.
        seed: Of the hash; that of the contract, unless a version's own is asked for.
    """
    data = contract.require_data()
    split = contract.train.split
    rows = np.flatnonzero(pc.is_valid(table.column(data.target)).to_numpy())
    if ordered and split.by != "hash":
        at = ticks(table, contract)[rows]
        rows, at = rows[np.isfinite(at)], at[np.isfinite(at)]
        return _by_order(rows, at, contract)
    at = hash01(table, hashed_columns(table, contract), seed=seed)[rows]
    test = hash_test_share(split.test, rows.size)
    is_test = at < test
    is_validation = ~is_test & (at < test + (1 - test) * split.validation)
    return Parts(rows[~is_test & ~is_validation], rows[is_validation], rows[is_test])


def hashed_columns(table: pa.Table, contract: Contract) -> tuple[str, ...]:
    """Return the columns whose values decide a row's part by hash: its key, or all inputs."""
    key = contract.require_data().key
    if key is not None and key in table.column_names:
        return (key,)
    return tuple(use.name for use in inputs_of(contract, table) if use.name in table.column_names)


def hash_test_share(test: Part, rows: int) -> float:
    """Return the share of the hash range that is test.

    `test` as a number of rows is turned into a share of the labelled rows, so it holds about, not exactly.
    """
    if test.share is not None:
        return test.share
    return min(1.0, (test.rows or 0) / max(rows, 1))


def seen_by_hash(table: pa.Table, columns: Sequence[str], *, seed: int, test_share: float) -> Bools:
    """Return which rows a version may have trained on, whose gates have those under `test_share`; shape (rows,)."""
    return np.asarray(hash01(table, columns, seed=seed) >= test_share)


def _by_order(rows: Ints, at: Floats, contract: Contract) -> Parts:
    """Cut rows in order of their tick: fit, then a gap of the label delay, validation, a gap, test."""
    split, delay = contract.train.split, contract.label_delay.value
    none = np.empty(0, dtype=np.int64)
    by_tick = np.argsort(at, kind="stable")
    rows, at = rows[by_tick], at[by_tick]
    wanted = (
        split.test.rows
        if split.test.rows is not None
        else ceil(rows.size * (split.test.share or 0.0))
    )
    if split.newest is not None:
        wanted = min(wanted, split.newest)
    cut = _start(at, rows.size - min(wanted, rows.size))
    test = rows[cut:]
    earlier = _known(at, cut, delay)
    validation = none
    fit_end = earlier
    if split.validation:
        start = _start(at[:earlier], earlier - ceil(earlier * split.validation))
        validation = rows[start:earlier]
        fit_end = _known(at, start, delay)
    return Parts(np.sort(rows[:fit_end]), np.sort(validation), np.sort(test))


def _start(at: Floats, position: int) -> int:
    """Return the first position of the rows that share the tick at `position`."""
    if position >= at.size:
        return int(at.size)
    return int(np.searchsorted(at, at[position], side="left"))


def _known(at: Floats, start: int, delay: float) -> int:
    """Return how many rows before `start` have their label by the tick at `start`."""
    if start >= at.size:
        return start
    return min(start, int(np.searchsorted(at, at[start] - delay, side="right")))
