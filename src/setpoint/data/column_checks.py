"""Checks of single columns: types, ranges, allowed values, missing values, uniqueness.

Ranges, values, missing values and uniqueness are asked of the contract's pandera schema; what it finds is told here.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandera.errors
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import Data
from setpoint.data.columns import ColumnUse
from setpoint.data.conform import Conformed
from setpoint.data.failing import SHOWN, failing_sample, row_numbers
from setpoint.data.label_checks import MIN_ROWS
from setpoint.data.schema import UNSEEN_SHARE, allowed_values, bounds_of, compile_schema, frame_of
from setpoint.facts.report import Check
from setpoint.facts.verdict import Ruling, Verdict

Ints = npt.NDArray[np.int64]

_NONE: Ints = np.empty(0, dtype=np.int64)


def type_checks(typed: Conformed, data: Data, hidden: set[str | None]) -> list[Check]:
    """Return whether each column is of its type, and whether each row has a place in time.

    Args:
        typed: The typed table, with what did not fit.
        data: Section `data` of the contract.
        hidden: Columns whose values are not shown.
    """
    checks = []
    for use in typed.columns:
        if use.name in typed.absent:
            continue
        is_needed = use.name in (data.time, data.target)
        checks.append(_type(use, typed, is_hidden=use.name in hidden, is_needed=is_needed))
        if use.role == "time":
            checks.append(_placed(typed.table.column(use.name), use.name))
    return checks


def _type(use: ColumnUse, typed: Conformed, *, is_hidden: bool, is_needed: bool) -> Check:
    misfit = typed.misfits.get(use.name)
    failing = 0 if misfit is None else int(misfit.rows.size)
    sample: tuple[dict[str, Any], ...] = ()
    reason = ""
    if misfit is not None:
        values = misfit.values.slice(0, SHOWN).to_pylist()
        sample = failing_sample(misfit.rows, values, is_hidden=is_hidden)
        reason = f"{failing:,} {'cell is' if failing == 1 else 'cells are'} no {misfit.wanted}"
        reason += "" if is_hidden else f", such as {values[0]!r} in row {misfit.rows[0] + 1}"
    elif use.name in typed.in_doubt:
        reason = "day and month could be the other way round; set data.format.dayfirst"
    verdict = Verdict(
        subject=f"{use.name} is {use.type}",
        verdict="fail" if failing else "pass",
        observed=float(failing),
        limit=0.0,
        n=typed.table.num_rows,
        reason=reason,
    )
    return Check(
        name="type",
        column=use.name,
        verdict=verdict,
        failing=failing,
        sample=sample,
        acceptable=not is_needed,
    )


def _placed(column: pa.ChunkedArray, name: str) -> Check:
    missing = column.null_count
    verdict = Verdict(
        subject=f"{name} present",
        verdict="fail" if missing else "pass",
        observed=float(missing),
        limit=0.0,
        n=len(column),
        reason=f"{missing:,} rows have no moment and cannot be placed in time" if missing else "",
    )
    rows = np.flatnonzero(pc.is_null(column).to_numpy())
    return Check(
        name="time", column=name, verdict=verdict, failing=missing, sample=row_numbers(rows)
    )


def column_checks(typed: Conformed, hidden: set[str | None]) -> list[Check]:
    """Return what the contract says of each column's values, checked.

    Args:
        typed: The typed table.
        hidden: Columns whose values are not shown.
    """
    broken = _broken(typed)
    checks = []
    for use in typed.columns:
        if use.name in typed.absent:
            continue
        column = typed.table.column(use.name)
        is_hidden = use.name in hidden
        if bounds_of(use) != (None, None):
            rows = broken.get((use.name, "range"), _NONE)
            checks.append(_range(use, column, rows, is_hidden=is_hidden))
        if use.rules.values is not None:
            is_broken = (use.name, "values") in broken
            checks.append(_values(use, column, is_broken=is_broken, is_hidden=is_hidden))
        if use.rules.nulls is not None:
            checks.append(_nulls(use, column, is_broken=(use.name, "nulls") in broken))
        if use.rules.unique:
            rows = broken.get((use.name, "unique"), _NONE)
            checks.append(_unique(use, column, rows))
    return checks


def _broken(typed: Conformed) -> dict[tuple[str, str], Ints]:
    """Ask pandera; return the failing rows by column and check (one -1 for a check of the whole column)."""
    schema = compile_schema(typed.columns)
    frame = frame_of(typed.table, typed.columns)
    if not schema.columns or frame.empty:
        return {}
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        broken: dict[tuple[str, str], Ints] = {}
        for error in errors.schema_errors:
            broken.update(_one_broken(error))
        return broken
    return {}


def _one_broken(error: Any) -> dict[tuple[str, str], Ints]:
    name = getattr(error.check, "name", None) or "unique"
    cases = getattr(error.failure_cases, "index", None)
    column = str(getattr(error.schema, "name", ""))
    if cases is None or "index" not in error.failure_cases:
        return {(column, name): np.array([-1], dtype=np.int64)}
    rows = error.failure_cases["index"].to_numpy()
    whole = np.array([-1 if row is None else row for row in rows], dtype=np.float64)
    return {(column, name): np.unique(np.nan_to_num(whole, nan=-1.0).astype(np.int64))}


def _range(use: ColumnUse, column: pa.ChunkedArray, rows: Ints, *, is_hidden: bool) -> Check:
    low, high = use.rules.min, use.rules.max
    words = f"{'' if low is None else low} to {'' if high is None else high}".strip()
    values = column.take(pa.array(rows)).to_pylist() if rows.size else []
    reason = ""
    if rows.size:
        reason = f"{rows.size:,} of {len(column):,} values are outside {words}"
        reason += "" if is_hidden else f"; smallest {min(values)}, largest {max(values)}"
    is_number = isinstance(low, int | float) and isinstance(high, int | float)
    verdict = Verdict(
        subject=f"{use.name} range {words}",
        verdict="fail" if rows.size else "pass",
        observed=float(rows.size),
        limit=(float(low), float(high))
        if is_number and low is not None and high is not None
        else words,
        n=len(column) - column.null_count,
        reason=reason,
    )
    return Check(
        name="range",
        column=use.name,
        verdict=verdict,
        failing=int(rows.size),
        sample=failing_sample(rows, values, is_hidden=is_hidden),
        acceptable=True,
    )


def _values(use: ColumnUse, column: pa.ChunkedArray, *, is_broken: bool, is_hidden: bool) -> Check:
    allowed = pa.array(allowed_values(use)).cast(column.type)
    is_new = pc.and_(pc.is_valid(column), pc.invert(pc.is_in(column, value_set=allowed)))
    rows = np.flatnonzero(is_new.to_numpy())
    present = len(column) - column.null_count
    ruling: Ruling = "pass"
    if is_broken:
        ruling = "fail" if present >= MIN_ROWS else "inconclusive"
    values = column.take(pa.array(rows[:SHOWN])).to_pylist()
    reason = ""
    if rows.size:
        reason = f"{rows.size:,} of {present:,} values are not in the contract"
        reason += "" if is_hidden else f", such as {values[0]!r}"
        reason += "; the gateway refuses them" if ruling == "pass" else ""
    verdict = Verdict(
        subject=f"{use.name} values",
        verdict=ruling,
        observed=rows.size / present if present else None,
        limit=UNSEEN_SHARE,
        n=present,
        reason=reason,
    )
    return Check(
        name="values",
        column=use.name,
        verdict=verdict,
        failing=int(rows.size),
        sample=failing_sample(rows, values, is_hidden=is_hidden),
        acceptable=True,
    )


def _nulls(use: ColumnUse, column: pa.ChunkedArray, *, is_broken: bool) -> Check:
    missing, rows, limit = column.null_count, len(column), use.rules.nulls
    verdict = Verdict(
        subject=f"{use.name} nulls at most {limit}",
        verdict="fail" if is_broken else "pass",
        observed=missing / rows if rows else None,
        limit=None if limit is None else float(limit),
        n=rows,
        reason=f"{missing:,} of {rows:,} values are missing" if missing else "",
    )
    where = np.flatnonzero(pc.is_null(column).to_numpy()) if is_broken else _NONE
    return Check(
        name="nulls",
        column=use.name,
        verdict=verdict,
        failing=missing,
        sample=row_numbers(where),
        acceptable=True,
    )


def _unique(use: ColumnUse, column: pa.ChunkedArray, rows: Ints) -> Check:
    verdict = Verdict(
        subject=f"{use.name} unique",
        verdict="fail" if rows.size else "pass",
        observed=float(rows.size),
        limit=0.0,
        n=len(column),
        reason=f"{rows.size:,} rows share their value with another" if rows.size else "",
    )
    return Check(
        name="unique",
        column=use.name,
        verdict=verdict,
        failing=int(rows.size),
        sample=row_numbers(rows),
        acceptable=True,
    )
