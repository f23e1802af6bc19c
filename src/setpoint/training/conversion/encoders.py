"""Encoders of categories as tables: whatever they make of a category is asked of themselves.

One-hot, ordinal and target encoders treat each column by itself. So an encoder is asked what it makes of each category
that it knows, of a missing one and of one that it never met, and its grouping, dropping and ordering need not be
understood.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from setpoint.facts.evidence import Bools, Floats
from setpoint.training.conversion.columns import Block, Column, Key, Lookup, Text
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.layout import MISSING_TEXT, TEXTS
from setpoint.training.conversion.matrix import columns_of, matrix

_UNSEEN_TEXT = "\u2047 never seen"
_CELLS_AT_ONCE = 2_000_000  # of an encoder's output: 16 MB


def encoded(encoder: Any, block: Block, graph: Graph) -> Block:
    """Return what a fitted encoder makes of the columns.

    Args:
        encoder: Has `categories_`; each of its outputs follows from one column.
        block: The columns.
        graph: Takes the nodes that a scaled column needs before it can be looked up.
    """
    cells = [_cell(column, graph) for column in block.columns]
    asked = _Asked(encoder, [cell.is_text for cell in cells])
    owners: dict[int, int] = {}
    answers = []
    for at, cell in enumerate(cells):
        answers.append(asked.column(at, cell.fill))
        owners |= dict.fromkeys(answers[at].changes, at)
    columns: list[Column] = []
    for output, usual in enumerate(asked.usual):
        at = owners.get(output, 0)
        table, other = answers[at].table(output, float(usual))
        cell, before = cells[at], block.columns[at]
        if isinstance(before, Lookup):  # a code is encoded once more
            columns.append(before.changed(_by_table(table, other)))
        else:
            columns.append(Lookup(cell.tensor, cell.position, table, other))
    return Block(tuple(columns))


def _by_table(table: Mapping[Key, float], other: float) -> Callable[[float], float]:
    """Return what looks a number up; whatever NaN it is, it is the table's."""
    return lambda number: table.get(np.nan if np.isnan(number) else number, other)


@dataclass(frozen=True)
class _Cell:
    """Where a column's cells are, what stands for a missing one, and whether the encoder meets text."""

    tensor: str
    position: int
    fill: Key
    is_text: bool


def _cell(column: Column, graph: Graph) -> _Cell:
    if isinstance(column, Text):
        return _Cell(TEXTS, column.position, column.fill or np.nan, is_text=True)
    if isinstance(column, Lookup):
        return _Cell(column.tensor, column.position, np.nan, is_text=False)
    if column.steps:
        (column,) = columns_of(graph, matrix(graph, [column]), 1)
    return _Cell(column.tensor, column.position, column.fill, is_text=False)


@dataclass(frozen=True)
class _Answers:
    """What an encoder makes of one column's categories, the other columns being as usual.

    Args:
        keys: The categories as the cells hold them.
        changes: By output, the numbers that differ from the usual row's, by category.
        other: The outputs for a category that the encoder never met, shape (outputs,).
    """

    keys: tuple[Key, ...]
    changes: dict[int, dict[Key, float]]
    other: Floats

    def table(self, output: int, usual: float) -> tuple[dict[Key, float], float]:
        """Return an output's number by category, where it is not that of all other cells, and that one."""
        other = float(self.other[output])
        changed = self.changes.get(output, {})
        found = {key: number for key, number in changed.items() if not _same(number, other)}
        if not _same(usual, other):
            found |= {key: usual for key in self.keys if key not in changed}
        return found, other


class _Asked:
    """An encoder that is asked about one column at a time.

    Args:
        encoder: The encoder.
        is_text: For each of its columns, whether it holds text.
    """

    def __init__(self, encoder: Any, is_text: Sequence[bool]) -> None:
        self._encoder = encoder
        self._is_text = is_text
        self._known = [
            [value for value in known if not pd.isna(value)] for known in encoder.categories_
        ]
        self._row = [known[0] if known else np.nan for known in self._known]
        self.usual = self._transformed([self._row])[0]

    def column(self, at: int, fill: Key) -> _Answers:
        """Return the answers for a column, of which `fill` stands for a missing cell."""
        text = self._is_text[at]
        known = [
            value for value in self._known[at] if isinstance(value, str) == text and value != ""
        ]
        keys: list[Key] = [value if text else float(value) for value in known]
        missing: Key = MISSING_TEXT if text else np.nan
        other = self._one(at, _UNSEEN_TEXT if text else max(map(float, known), default=0.0) + 1.0)
        changes: dict[int, dict[Key, float]] = {}
        step = max(_CELLS_AT_ONCE // max(len(self.usual), 1), 1)
        for start in range(0, len(known), step):
            some = known[start : start + step]
            found = self._transformed([self._with(at, value) for value in some])
            self._note(found, keys[start : start + step], changes)
        gone = self._one(at, fill)
        if gone is not None:
            self._note(gone[None], [missing], changes)
        if other is None:  # what is refused must not look like a category
            other = self.usual.copy()
            other[list(changes)] = 0.0
        if gone is None:
            self._note(other[None], [missing], changes)
        for output in np.flatnonzero(~_equal(other, self.usual)).tolist():
            changes.setdefault(output, {})
        return _Answers((*keys, missing), changes, other)

    def _note(
        self, found: Floats, keys: Sequence[Key], changes: dict[int, dict[Key, float]]
    ) -> None:
        rows, outputs = np.nonzero(~_equal(found, self.usual))
        for row, output in zip(rows.tolist(), outputs.tolist(), strict=True):
            changes.setdefault(output, {})[keys[row]] = float(found[row, output])

    def _one(self, at: int, value: Key) -> Floats | None:
        """Return the outputs for a row; None where the encoder refuses it, as the comparison at the edges will tell."""
        try:
            found: Floats | None = self._transformed([self._with(at, value)])[0]
        except (ValueError, TypeError):
            found = None
        return found

    def _with(self, at: int, value: Any) -> list[Any]:
        return [*self._row[:at], value, *self._row[at + 1 :]]

    def _transformed(self, rows: Sequence[Sequence[Any]]) -> Floats:
        columns = list(zip(*rows, strict=True))
        names = getattr(self._encoder, "feature_names_in_", range(len(columns)))
        frame = pd.DataFrame(
            {
                name: pd.Series(list(values), dtype=object if text else np.float64)
                for name, values, text in zip(names, columns, self._is_text, strict=True)
            }
        )
        given = frame if hasattr(self._encoder, "feature_names_in_") else frame.to_numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of unknown categories
            found = self._encoder.transform(given)
        dense = found.toarray() if hasattr(found, "toarray") else found
        return np.asarray(dense, dtype=np.float64)


def _equal(some: Floats, others: Floats) -> Bools:
    equal: Bools = (some == others) | (np.isnan(some) & np.isnan(others))
    return equal


def _same(one: float, other: float) -> bool:
    return one == other or (np.isnan(one) and np.isnan(other))
