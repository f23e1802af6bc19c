"""A table's rows, checked and answered by one version."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from setpoint.batch.checking import Checked, Checks
from setpoint.batch.deciding import Decisions
from setpoint.batch.model import BatchModel
from setpoint.facts.evidence import Ints
from setpoint.gateway.rows.schema import Schema


@dataclass(frozen=True)
class Told:
    """What one version says of n rows.

    Args:
        rows: Positions of the rows that it was asked about, ascending, shape (m,).
        inputs: What it was asked with, in the order of its schema, m values each.
        labels: Class as text, or number, of each of these rows; None without an answer.
        chances: Probability that the answer is given with; None without one.
        refused: Why a row was not asked about, by its position.
        failed: Why a row that was asked about has no answer, by its position among `rows`.
    """

    rows: Ints
    inputs: tuple[pa.Array, ...]
    labels: list[str | float | None]
    chances: list[float | None]
    refused: dict[int, str]
    failed: dict[int, str]

    def errors(self) -> dict[int, str]:
        """Return why rows have no answer, by their position."""
        return self.refused | {int(self.rows[row]): why for row, why in self.failed.items()}


def ask(table: pa.Table, checks: Checks, model: BatchModel) -> Told:
    """Return what a version says of a table's rows.

    Raises:
        DataError: The table lacks an input.
    """
    checked = checks.check(table)
    rows, inputs = _sound(checked, table.num_rows)
    if not len(rows):
        return Told(rows, inputs, [], [], checked.reasons, {})
    decisions = model.answer(inputs, len(rows))
    labels, chances = _said(model.schema, decisions)
    return Told(rows, inputs, labels, chances, checked.reasons, decisions.reasons)


def _sound(checked: Checked, rows: int) -> tuple[Ints, tuple[pa.Array, ...]]:
    """Return which rows may be asked about, and their inputs."""
    if not checked.reasons:
        return np.arange(rows), checked.columns
    kept = np.delete(np.arange(rows), list(checked.reasons))
    taken = pa.array(kept)
    return kept, tuple(column.take(taken) for column in checked.columns)


def _said(
    schema: Schema, decisions: Decisions
) -> tuple[list[str | float | None], list[float | None]]:
    """Return classes or numbers, and probabilities, as answers have them; None where a row has no answer."""
    values: list[Any] = decisions.values.tolist()
    labels: list[Any] = values
    chances: list[Any] = [None] * len(values)
    if schema.classes:
        labels = [schema.classes[code] for code in decisions.codes.tolist()]
        chances = [None if value != value else value for value in values]  # noqa: PLR0124 (NaN: without one)
    for row in decisions.reasons:
        labels[row] = chances[row] = None
    return labels, chances
