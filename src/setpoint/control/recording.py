"""What turned out to be true of earlier answers, read from a table."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from setpoint.contract.data import Format
from setpoint.data.cells import type_cells
from setpoint.errors import DataError, UsageError
from setpoint.facts.prediction import Outcome

ID = "prediction_id"
_SHOWN = 5  # names that an error lists


@dataclass(frozen=True)
class Told:
    """The outcomes of a table.

    Args:
        names: Prediction id or key of each row that has an outcome, m of them.
        values: What turned out to be true, m of them.
        missing: Rows without an outcome yet.
    """

    names: list[str]
    values: list[str | float]
    missing: int


def told_outcomes(
    table: pa.Table, *, name: str, outcome: str, classes: Collection[str], form: Format
) -> Told:
    """Return what a table says of earlier answers; rows without an outcome yet are left out.

    Args:
        table: Rows as a file has them.
        name: Column of prediction ids or keys.
        outcome: Column of what turned out to be true.
        classes: Known classes; empty for numbers.
        form: How cells of text are written.

    Raises:
        DataError: An outcome is no known class or no number, or has no name.
    """
    typed = type_cells(table.column(outcome), "category" if classes else "float", form)
    if typed.bad.any():
        row = int(np.flatnonzero(typed.bad)[0])
        found = table.column(outcome)[row].as_py()
        msg = f"{int(typed.bad.sum()):,} outcomes are no numbers, such as {found!r} in row {row}; nothing was recorded"
        raise DataError(msg)
    there = pc.is_valid(typed.values)
    names = type_cells(table.column(name), "category", form).values.filter(there).to_pylist()
    values = typed.values.filter(there).to_pylist()
    if strange := sorted({value for value in values if classes and value not in classes}):
        some = ", ".join(map(repr, strange[:_SHOWN]))
        msg = f"outcomes are {', '.join(sorted(classes))}; found {some}; nothing was recorded"
        raise DataError(msg)
    if None in names:
        msg = f"{names.count(None):,} outcomes have no {name}; nothing was recorded"
        raise DataError(msg)
    return Told(names, values, table.num_rows - len(values))


def outcomes_of_ids(told: Told, *, at: float) -> list[Outcome]:
    """Return the outcomes of a table that names predictions."""
    return [
        Outcome(prediction=name, value=value, at=at)
        for name, value in zip(told.names, told.values, strict=True)
    ]


def outcomes_of_keys(
    told: Told, ids: Mapping[str, Sequence[str]], *, latest: bool, at: float
) -> list[Outcome]:
    """Return the outcomes of a table that names keys.

    Args:
        told: The table.
        ids: Prediction ids of each key, oldest first.
        latest: Whether the newest prediction of a key is meant where there are several.
        at: When they were received, in seconds since 1970-01-01 UTC.

    Raises:
        DataError: The log has no prediction of a key.
        UsageError: A key has several predictions, and it is not said which is meant.
    """
    if unknown := [name for name in told.names if name not in ids]:
        some = ", ".join(unknown[:_SHOWN])
        msg = f"the log has no prediction of {len(unknown):,} keys, such as {some}; nothing was recorded"
        raise DataError(msg)
    several = [name for name in told.names if len(ids[name]) > 1]
    if several and not latest:
        msg = (
            f"{len(several):,} keys have several predictions, such as {several[0]} with {len(ids[several[0]])}: "
            f"name them by a column {ID}, or take the newest of each with --latest; nothing was recorded"
        )
        raise UsageError(msg)
    newest = [ids[name][-1] for name in told.names]
    return outcomes_of_ids(Told(newest, told.values, told.missing), at=at)
