"""A table against the contract: every check with its verdict.

A batch is judged as it is, not as a sample: a share of missing values over the limit fails, however few the rows.
Only what is said of the labels, and of new categories, is held against chance. Samples of failing rows never show a
key or a protected column.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pandera.errors
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.contract import Contract
from setpoint.contract.data import Data
from setpoint.data.columns import ColumnUse
from setpoint.data.conform import Conformed, conform
from setpoint.data.label_checks import MIN_ROWS, label_checks
from setpoint.data.labels import LabelReference
from setpoint.data.row_hash import hash_rows
from setpoint.data.schema import UNSEEN_SHARE, allowed_values, bounds_of, compile_schema, frame_of
from setpoint.facts.report import Check, ValidationReport
from setpoint.facts.verdict import Ruling, Verdict

Ints = npt.NDArray[np.int64]

_SHOWN = 5  # failing rows in a sample
_ORDER: dict[Ruling, int] = {"error": 0, "fail": 1, "inconclusive": 2, "pass": 3}
_SEED = 0  # of the hash that finds equal rows; any will do


def validate(
    table: pa.Table | Conformed,
    contract: Contract,
    *,
    reference: LabelReference | None = None,
    accepted: Collection[str] = (),
    source: str = "",
) -> ValidationReport:
    """Check a table against the contract.

    Args:
        table: Raw rows, typed rows, or rows typed before, with what did not fit.
        contract: Has a section `data` and a task.
        reference: Labels of the champion's training rows, for `label_share`.
        accepted: Names of checks that a person accepted.
        source: What is checked, for people.

    Raises:
        ContractError: The contract has no section `data`, or no task.
        DataError: Two columns of the table share a name.

    Returns:
        Every check; errors first, then failures, what is inconclusive, and what passes.
    """
    typed = table if isinstance(table, Conformed) else conform(table, contract)
    data = contract.require_data()
    hidden = {*data.protected, data.key}
    checks = [
        *_table_checks(typed, data),
        *_type_checks(typed, data, hidden),
        *_column_checks(typed, hidden),
        *label_checks(typed.table, contract, reference),
    ]
    checks.sort(key=lambda check: _ORDER[check.verdict.verdict])
    return ValidationReport(
        source=source,
        rows=typed.table.num_rows,
        checks=tuple(checks),
        accepted=tuple(sorted(accepted)),
    )


def _table_checks(typed: Conformed, data: Data) -> list[Check]:
    table = typed.table
    checks = [_min_rows(table.num_rows, data), _columns(typed)]
    if table.num_rows and table.num_columns:
        checks.append(_duplicates(table, data))
    together = [name for name in data.checks.unique if name in table.column_names]
    if table.num_rows and together and len(together) == len(data.checks.unique):
        checks.append(_unique_together(table, together))
    elif data.key in table.column_names and table.num_rows:
        checks.append(_repeated_keys(table, str(data.key)))
    return checks


def _min_rows(rows: int, data: Data) -> Check:
    needed = max(1, data.checks.min_rows or 0)
    is_met = rows >= needed
    verdict = Verdict(
        subject=f"min_rows {needed}",
        verdict="pass" if is_met else "fail",
        observed=float(rows),
        limit=float(needed),
        n=rows,
        reason="" if is_met else f"min_rows {needed}, got {rows}",
    )
    return Check(name="min_rows", verdict=verdict, failing=0 if is_met else rows, acceptable=rows > 0)


def _columns(typed: Conformed) -> Check:
    reasons = []
    if typed.absent:
        reasons.append(f"missing: {', '.join(typed.absent)}")
    if typed.unlisted:
        more = ", …" if len(typed.unlisted) > _SHOWN else ""
        reasons.append(
            f"{len(typed.unlisted)} not in the contract and ignored: {', '.join(typed.unlisted[:_SHOWN])}{more}"
        )
    verdict = Verdict(
        subject="columns of the contract",
        verdict="fail" if typed.absent else "pass",
        observed=float(len(typed.columns) - len(typed.absent)),
        limit=float(len(typed.columns)),
        n=typed.table.num_rows,
        reason="; ".join(reasons),
        evidence={"absent": list(typed.absent), "unlisted": len(typed.unlisted)},
    )
    return Check(name="columns", verdict=verdict, failing=len(typed.absent))


def _duplicates(table: pa.Table, data: Data) -> Check:
    rows = _repeats(table, table.column_names)
    share = rows.size / table.num_rows
    limit = data.checks.duplicates
    is_met = limit is None or share <= limit
    verdict = Verdict(
        subject="duplicates" if limit is None else f"duplicates at most {limit}",
        verdict="pass" if is_met else "fail",
        observed=share,
        limit=None if limit is None else float(limit),
        n=table.num_rows,
        reason=f"{rows.size:,} of {table.num_rows:,} rows repeat an earlier one" if rows.size else "",
    )
    return Check(
        name="duplicates",
        verdict=verdict,
        failing=int(rows.size),
        sample=_numbers(rows) if limit is not None else (),
        acceptable=True,
    )


def _unique_together(table: pa.Table, names: list[str]) -> Check:
    rows = _repeats(table, names)
    verdict = Verdict(
        subject=f"unique {', '.join(names)}",
        verdict="fail" if rows.size else "pass",
        observed=float(rows.size),
        limit=0.0,
        n=table.num_rows,
        reason=f"{rows.size:,} rows repeat the values of an earlier one" if rows.size else "",
    )
    return Check(
        name="unique",
        column=names[0] if len(names) == 1 else "",
        verdict=verdict,
        failing=int(rows.size),
        sample=_numbers(rows),
        acceptable=True,
    )


def _repeated_keys(table: pa.Table, key: str) -> Check:
    rows = _repeats(table, [key])
    reason = f"{rows.size:,} rows are of a {key} that came before" if rows.size else ""
    verdict = Verdict(
        subject=f"{key} repeated", verdict="pass", observed=float(rows.size), n=table.num_rows, reason=reason
    )
    return Check(name="repeated_keys", column=key, verdict=verdict, failing=int(rows.size))


def _repeats(table: pa.Table, names: list[str]) -> Ints:
    """Positions of rows that equal an earlier one in these columns."""
    words = hash_rows(table, names, seed=_SEED)
    _, first = np.unique(words, return_index=True)
    is_first = np.zeros(words.size, dtype=np.bool_)
    is_first[first] = True
    return np.flatnonzero(~is_first)


def _type_checks(typed: Conformed, data: Data, hidden: set[str | None]) -> list[Check]:
    checks = []
    for use in typed.columns:
        if use.name in typed.absent:
            continue
        misfit = typed.misfits.get(use.name)
        failing = 0 if misfit is None else int(misfit.rows.size)
        sample: tuple[dict[str, Any], ...] = ()
        reason = ""
        if misfit is not None:
            values = misfit.values.slice(0, _SHOWN).to_pylist()
            sample = _sample(misfit.rows, values, is_hidden=use.name in hidden)
            reason = f"{failing:,} cells are no {misfit.wanted}"
            reason += "" if use.name in hidden else f", such as {values[0]!r} in row {misfit.rows[0] + 1}"
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
        is_needed = use.name in (data.time, data.target)
        checks.append(
            Check(
                name="type",
                column=use.name,
                verdict=verdict,
                failing=failing,
                sample=sample,
                acceptable=not is_needed,
            )
        )
        if use.role == "time":
            checks.append(_placed(typed.table.column(use.name), use.name))
    return checks


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
    return Check(name="time", column=name, verdict=verdict, failing=missing, sample=_numbers(rows))


def _column_checks(typed: Conformed, hidden: set[str | None]) -> list[Check]:
    broken = _broken(typed)
    checks = []
    for use in typed.columns:
        if use.name not in typed.table.column_names:
            continue
        column = typed.table.column(use.name)
        is_hidden = use.name in hidden
        if bounds_of(use) != (None, None):
            rows = broken.get((use.name, "range"), np.empty(0, dtype=np.int64))
            checks.append(_range(use, column, rows, is_hidden=is_hidden))
        if use.rules.values is not None:
            is_broken = (use.name, "values") in broken
            checks.append(_values(use, column, is_broken=is_broken, is_hidden=is_hidden))
        if use.rules.nulls is not None:
            checks.append(_nulls(use, column, is_broken=(use.name, "nulls") in broken))
        if use.rules.unique:
            rows = broken.get((use.name, "unique"), np.empty(0, dtype=np.int64))
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
        limit=(float(low), float(high)) if is_number and low is not None and high is not None else words,
        n=len(column) - column.null_count,
        reason=reason,
    )
    return Check(
        name="range",
        column=use.name,
        verdict=verdict,
        failing=int(rows.size),
        sample=_sample(rows, values, is_hidden=is_hidden),
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
    values = column.take(pa.array(rows[:_SHOWN])).to_pylist()
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
        sample=_sample(rows, values, is_hidden=is_hidden),
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
    where = np.flatnonzero(pc.is_null(column).to_numpy()) if is_broken else np.empty(0, dtype=np.int64)
    return Check(
        name="nulls",
        column=use.name,
        verdict=verdict,
        failing=missing,
        sample=_numbers(where),
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
        sample=_numbers(rows),
        acceptable=True,
    )


def _numbers(rows: Ints) -> tuple[dict[str, Any], ...]:
    return tuple({"row": int(row) + 1} for row in rows[:_SHOWN])


def _sample(rows: Ints, values: list[Any], *, is_hidden: bool) -> tuple[dict[str, Any], ...]:
    if is_hidden:
        return _numbers(rows)
    pairs = zip(rows[:_SHOWN].tolist(), values[:_SHOWN], strict=False)
    return tuple({"row": row + 1, "value": _plain(value)} for row, value in pairs)


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
