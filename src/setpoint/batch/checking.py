"""Columns of a table, read as training reads them and held to the rules that requests are held to.

A cell is first read: text as the contract's format says, numbers and truth values as they are. What it reads as is then
what a client would send, and gets the verdict of `setpoint.gateway.rows.column_check`, for a whole column at a time.
The few cells that break a rule are shown to that check itself, which says why.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import Format
from setpoint.data.cells import type_cells
from setpoint.errors import DataError
from setpoint.gateway.rows.column_check import (
    FLOAT32_MAX,
    Check,
    ColumnRule,
    RuleBrokenError,
    as_text,
    compile_check,
)
from setpoint.gateway.rows.schema import Schema

Bools = npt.NDArray[np.bool_]

_INT64 = 2**63
_SHOWN = 20  # names in a message
_NUL = "\0"


@dataclass(frozen=True)
class Checked:
    """The inputs of n rows.

    Args:
        columns: int64, float64, bool or string, in the order of the schema, n values each, null where missing.
        reasons: Why a row is refused, by its position; rows that are not named may be asked about.
    """

    columns: tuple[pa.Array, ...]
    reasons: dict[int, str]


class Checks:
    """The checks of one schema.

    Args:
        schema: The schema.
        form: How cells of text are written.
    """

    def __init__(self, schema: Schema, form: Format) -> None:
        self._rules = schema.document.columns
        self._checks = tuple(compile_check(rule) for rule in self._rules)
        self._form = form

    def require_columns(self, names: Sequence[str]) -> None:
        """Check that a table has every input: a name that is misspelt must not read as missing values.

        Raises:
            DataError: It lacks one.
        """
        known = set(names)
        lacking = [rule.name for rule in self._rules if rule.name not in known]
        if not lacking:
            return
        shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
        if len(lacking) == len(self._rules):
            msg = f"the table has none of the inputs {', '.join(lacking[:_SHOWN])}; it has {shown}"
            raise DataError(msg)
        near = {name: get_close_matches(name, names, n=1) for name in lacking[:_SHOWN]}
        hints = [
            name + (f" (did you mean it by {found[0]!r}?)" if found else "")
            for name, found in near.items()
        ]
        msg = (
            f"the table lacks the inputs {', '.join(hints)}; it has {shown}. "
            "Add the columns, empty where they are not known"
        )
        raise DataError(msg)

    def check(self, table: pa.Table) -> Checked:
        """Return the inputs of a table's rows, and which rows are refused.

        Args:
            table: n rows as a file has them: text, or typed columns. Others than the inputs are passed over.

        Raises:
            DataError: It lacks an input.
        """
        self.require_columns(table.column_names)
        columns = []
        reasons: dict[int, str] = {}
        for rule, check in zip(self._rules, self._checks, strict=True):
            column = table.column(rule.name)
            cells = type_cells(column, rule.kind, self._form)
            for row in np.flatnonzero(cells.bad | _broken(cells.values, rule)).tolist():
                value = column[row].as_py()
                if not (cells.bad[row] or isinstance(value, bool | int | float)):
                    value = cells.values[row].as_py()  # what its text reads as
                reason = f"{rule.name}: {_reason(value, rule, check)}"
                reasons[row] = f"{reasons[row]}; {reason}" if row in reasons else reason
            columns.append(cells.values)
        return Checked(tuple(columns), reasons)


def _broken(values: pa.Array, rule: ColumnRule) -> Bools:
    """Return which typed cells break the rule, shape (n,)."""
    broken = np.zeros(len(values), dtype=np.bool_)
    if not rule.nullable and values.null_count:
        broken |= _mask(pc.is_null(values))
    if rule.kind == "int":
        return broken | _beyond(values, *_whole_bounds(rule))
    if rule.kind == "float":
        low = -FLOAT32_MAX if rule.min is None else max(rule.min, -FLOAT32_MAX)
        high = FLOAT32_MAX if rule.max is None else min(rule.max, FLOAT32_MAX)
        return broken | _beyond(values, low, high)
    if rule.kind == "bool":
        return broken
    broken |= _mask(pc.match_substring(values, _NUL))
    if rule.kind == "category" and rule.values is not None and rule.unseen == "refuse":
        known = pa.array(sorted({as_text(value) for value in rule.values}), pa.string())
        broken |= _mask(pc.is_valid(values)) & ~_mask(pc.is_in(values, value_set=known))
    return broken


def _beyond(values: pa.Array, low: float, high: float) -> Bools:
    """Return which numbers lie outside [low, high]."""
    return _mask(pc.less(values, low)) | _mask(pc.greater(values, high))


def _whole_bounds(rule: ColumnRule) -> tuple[int, int]:
    """Return the bounds of whole numbers of 64 bits, as whole numbers: a comparison with a float would round."""
    low = -_INT64 if rule.min is None else max(math.ceil(rule.min), -_INT64)
    high = _INT64 - 1 if rule.max is None else min(math.floor(rule.max), _INT64 - 1)
    if low >= _INT64 or high < -_INT64:  # none is in there
        return 1, 0
    return low, high


def _mask(values: pa.Array) -> Bools:
    filled = pc.fill_null(values, fill_value=False)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _reason(value: Any, rule: ColumnRule, check: Check) -> str:
    """Return what a request would be told about a value."""
    try:
        check([value])
    except RuleBrokenError as broken:
        return broken.reason
    # What JSON can say and a column cannot, such as a whole number of more than 64 bits.
    return f"got {str(value)[:60]}, which cannot be read as {rule.kind}"
