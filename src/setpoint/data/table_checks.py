"""Checks of a table as a whole: rows, columns, repeated rows and keys."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from setpoint.contract.data import Data
from setpoint.data.conform import Conformed
from setpoint.data.failing import SHOWN, row_numbers
from setpoint.data.row_hash import hash_rows
from setpoint.facts.report import Check
from setpoint.facts.verdict import Verdict

Ints = npt.NDArray[np.int64]

_SEED = 0  # of the hash that finds equal rows; any will do


def table_checks(typed: Conformed, data: Data) -> list[Check]:
    """Return the checks of a typed table as a whole."""
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
    return Check(
        name="min_rows", verdict=verdict, failing=0 if is_met else rows, acceptable=rows > 0
    )


def _columns(typed: Conformed) -> Check:
    reasons = []
    if typed.absent:
        reasons.append(f"missing: {', '.join(typed.absent)}")
    if typed.unlisted:
        more = ", …" if len(typed.unlisted) > SHOWN else ""
        reasons.append(
            f"{len(typed.unlisted)} not in the contract and ignored: {', '.join(typed.unlisted[:SHOWN])}{more}"
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
        reason=f"{rows.size:,} of {table.num_rows:,} rows repeat an earlier one"
        if rows.size
        else "",
    )
    return Check(
        name="duplicates",
        verdict=verdict,
        failing=int(rows.size),
        sample=row_numbers(rows) if limit is not None else (),
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
        sample=row_numbers(rows),
        acceptable=True,
    )


def _repeated_keys(table: pa.Table, key: str) -> Check:
    rows = _repeats(table, [key])
    reason = f"{rows.size:,} rows are of a {key} that came before" if rows.size else ""
    verdict = Verdict(
        subject=f"{key} repeated",
        verdict="pass",
        observed=float(rows.size),
        n=table.num_rows,
        reason=reason,
    )
    return Check(name="repeated_keys", column=key, verdict=verdict, failing=int(rows.size))


def _repeats(table: pa.Table, names: list[str]) -> Ints:
    """Positions of rows that equal an earlier one in these columns."""
    words = hash_rows(table, names, seed=_SEED)
    _, first = np.unique(words, return_index=True)
    is_first = np.zeros(words.size, dtype=np.bool_)
    is_first[first] = True
    return np.flatnonzero(~is_first)
