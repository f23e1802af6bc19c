"""A raw table to a typed table: float64, int64, bool, string and timestamp columns as the contract says.

Invariants:
- The typed table has the contract's columns alone, in the contract's order, and the rows of the raw one in its order.
- A cell that does not fit becomes missing, and is counted and located; nothing is rounded or guessed.
- Typing a typed table changes nothing.
- Classes and keys are text; the target of a regression is a float; moments are microseconds, UTC.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.data.cells import as_text, flat, type_cells
from setpoint.data.columns import ColumnUse, columns_of
from setpoint.errors import DataError, EmptyTableError

Ints = npt.NDArray[np.int64]

_NAMED = 8  # columns that a sentence names


@dataclass(frozen=True)
class Misfit:
    """Cells of one column that are not of its type.

    Args:
        wanted: The contract's type.
        rows: Positions of the cells, ascending, shape (m,).
        values: What stands there, as text, shape (m,).
    """

    wanted: str
    rows: Ints
    values: pa.Array


@dataclass(frozen=True)
class Conformed:
    """A typed table, and what did not fit.

    Args:
        table: Typed rows.
        columns: What each column is for; also those that the raw table lacks.
        misfits: Cells that do not fit, by column; only columns that have some.
        absent: Columns that the raw table lacks.
        unlisted: Columns of the raw table that the contract is not about.
        in_doubt: Datetime columns whose day and month could be the other way round.
    """

    table: pa.Table
    columns: tuple[ColumnUse, ...]
    misfits: dict[str, Misfit] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    unlisted: tuple[str, ...] = ()
    in_doubt: tuple[str, ...] = ()


def conform(table: pa.Table, contract: Contract) -> Conformed:
    """Give a table the types of the contract.

    Args:
        table: Text columns as a file has them, or typed ones.
        contract: Has a section `data` and a task.

    Raises:
        ContractError: The contract has no section `data`, or no task.
        DataError: Two columns of the table share a name.
    """
    require_distinct_names(table)
    form = contract.require_data().format
    uses = columns_of(contract, table)
    typed: dict[str, pa.Array] = {}
    misfits: dict[str, Misfit] = {}
    in_doubt = []
    known = set(table.column_names)
    for use in uses:
        if use.name not in known:
            continue
        column = table.column(use.name)
        cells = type_cells(column, use.type, form)
        typed[use.name] = cells.values
        if cells.bad.any():
            rows = np.flatnonzero(cells.bad)
            misfits[use.name] = Misfit(use.type, rows, _say(flat(column).take(pa.array(rows))))
        if cells.in_doubt and form.dayfirst is None:
            in_doubt.append(use.name)
    return Conformed(
        pa.table(typed),
        uses,
        misfits,
        tuple(use.name for use in uses if use.name not in known),
        tuple(name for name in table.column_names if name not in typed),
        tuple(in_doubt),
    )


def require_columns(
    conformed: Conformed, raw: pa.Table, needed: Collection[str], source: str
) -> None:
    """Check that a table that has rows still has some with the contract's columns alone.

    Args:
        conformed: The typed table.
        raw: The table before.
        needed: Columns without which nothing can be done.
        source: Where the table is from, for people.

    Raises:
        EmptyTableError: There is not one row.
        DataError: A needed column lacks, or all of them.
    """
    if not raw.num_rows:
        msg = f"{source} has no rows"
        raise EmptyTableError(msg)
    if conformed.table.num_columns and not set(needed) & set(conformed.absent):
        return
    lacks = ", ".join(map(repr, conformed.absent[:_NAMED]))
    more = f" and {len(conformed.absent) - _NAMED} more" if len(conformed.absent) > _NAMED else ""
    has = ", ".join(raw.column_names[:_NAMED]) + (", …" if raw.num_columns > _NAMED else "")
    msg = (
        f"{source} has {raw.num_rows:,} rows, and lacks columns of the contract: {lacks}{more}; "
        f"it has {has}; is it the right table?"
    )
    raise DataError(msg)


def take(conformed: Conformed, start: int, stop: int) -> Conformed:
    """Return the rows from `start` up to `stop`, with the misfits among them."""
    misfits = {}
    for name, misfit in conformed.misfits.items():
        low, high = np.searchsorted(misfit.rows, [start, stop])
        if high > low:
            values = misfit.values.slice(int(low), int(high - low))
            misfits[name] = Misfit(misfit.wanted, misfit.rows[low:high] - start, values)
    table = conformed.table.slice(start, max(stop - start, 0))
    return Conformed(
        table, conformed.columns, misfits, conformed.absent, conformed.unlisted, conformed.in_doubt
    )


def sort_by_time(conformed: Conformed, contract: Contract) -> Conformed:
    """Return the rows in order of the contract's time column; rows of one moment keep their order.

    Rows without a moment come last. Without a time column the rows stay as they are.
    """
    time = contract.require_data().time
    if time is None or time not in conformed.table.column_names:
        return conformed
    micros = conformed.table.column(time).cast(pa.int64())
    last = np.iinfo(np.int64).max
    order = np.argsort(pc.fill_null(micros, last).to_numpy(), kind="stable")
    if np.array_equal(order, np.arange(order.size)):
        return conformed
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    misfits = {}
    for name, misfit in conformed.misfits.items():
        rows = place[misfit.rows]
        by_row = np.argsort(rows, kind="stable")
        misfits[name] = Misfit(misfit.wanted, rows[by_row], misfit.values.take(pa.array(by_row)))
    table = conformed.table.take(pa.array(order))
    return Conformed(
        table, conformed.columns, misfits, conformed.absent, conformed.unlisted, conformed.in_doubt
    )


def ticks(table: pa.Table, contract: Contract) -> npt.NDArray[np.float64]:
    """Return the tick of each row of a typed table: seconds since 1970, or the row's position, shape (rows,).

    A row without a moment has the tick NaN.
    """
    time = contract.require_data().time
    if time is None:
        return np.arange(table.num_rows, dtype=np.float64)
    column = table.column(time)
    seconds = pc.fill_null(column.cast(pa.int64()), 0).to_numpy() / 1e6
    return np.where(pc.is_null(column).to_numpy(), np.nan, seconds)


def require_distinct_names(table: pa.Table) -> None:
    """Check that no two columns share a name.

    Raises:
        DataError: Two do.
    """
    counts = Counter(table.column_names)
    twice = sorted(name for name, count in counts.items() if count > 1)
    if twice:
        raise DataError(
            f"columns {', '.join(map(repr, twice))} come more than once; rename all but one of each"
        )


def _say(values: pa.Array) -> pa.Array:
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        return pa.array([repr(value) for value in values.to_pylist()], pa.string())
    return pc.fill_null(as_text(values), "NaN")
