"""Columns on their way through a pipeline, as something known about each one rather than as nodes of a graph.

Selecting, filling, scaling and encoding change what is known. Only what takes the columns in the end (a tree ensemble,
a weighted sum, a part that somebody else converts) makes nodes of them, the fewest it can do with: a forest's imputer
becomes the branch that a missing value takes, a scaler becomes part of a linear model's weights.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from setpoint.training.conversion.layout import NUMBERS, TEXTS
from setpoint.training.conversion.not_convertible import NotConvertibleError

Key = str | float
"""A cell of `texts`, or of a tensor of numbers."""

_STEPS: dict[str, Callable[[Any, Any], Any]] = {
    "Sub": np.subtract,
    "Div": np.divide,
    "Mul": np.multiply,
    "Add": np.add,
}
NEUTRAL = {"Sub": 0.0, "Div": 1.0, "Mul": 1.0, "Add": 0.0}
"""What each operator leaves a number unchanged with."""


@dataclass(frozen=True)
class Number:
    """A column of a tensor of numbers, with what is done to it.

    Args:
        tensor: Its tensor, double of shape (n, k).
        position: Its place there.
        fill: What stands for a missing value; NaN where it stays missing.
        steps: Operators and their constants, in order, after filling.
    """

    tensor: str
    position: int
    fill: float = np.nan
    steps: tuple[tuple[str, float], ...] = ()

    def stepped(self, operator: str, value: float) -> "Number":
        """Return the column after one more step."""
        if value == NEUTRAL[operator]:
            return self
        return replace(self, steps=(*self.steps, (operator, value)))

    def line(self) -> tuple[float, float]:
        """Return the steps as one: slope and intercept."""
        slope, intercept = 1.0, 0.0
        for operator, value in self.steps:
            intercept = float(_STEPS[operator](intercept, value))
            if operator in ("Div", "Mul"):
                slope = float(_STEPS[operator](slope, value))
        return slope, intercept


@dataclass(frozen=True)
class Text:
    """A column of `texts`.

    Args:
        position: Its place there.
        fill: What stands for a missing value; empty where it stays missing.
    """

    position: int
    fill: str = ""


@dataclass(frozen=True)
class Lookup:
    """A number that follows from one cell by a table: an ordinal code, or whether a category is there.

    Args:
        tensor: `texts`, or a tensor of numbers.
        position: The cell's column.
        table: The number for each cell that has one of its own. Missing is "" or NaN.
        other: The number for all other cells.
    """

    tensor: str
    position: int
    table: Mapping[Key, float] = field(hash=False)
    other: float

    def changed(self, change: Callable[[float], float]) -> "Lookup":
        """Return the column with another number in place of each."""
        table = {key: change(value) for key, value in self.table.items()}
        return replace(self, table=table, other=change(self.other))

    def stepped(self, operator: str, value: float) -> "Lookup":
        """Return the column after one more step."""
        return self.changed(lambda number: float(_STEPS[operator](number, value)))


Column = Number | Text | Lookup


@dataclass(frozen=True)
class Block:
    """Columns side by side.

    Args:
        columns: The columns.
        names: Their names, where they are still known; they are known at the start.
    """

    columns: tuple[Column, ...]
    names: tuple[str, ...] | None = None

    def chosen(self, which: Any) -> "Block":
        """Return the columns that a part of a `ColumnTransformer` takes.

        Args:
            which: A name, a position, a slice, a mask, or a list of names or positions, as scikit-learn takes them.

        Raises:
            NotConvertibleError: They are named, and the names are not known any more.
        """
        at = self._positions(which)
        names = None if self.names is None else tuple(self.names[one] for one in at)
        return Block(tuple(self.columns[one] for one in at), names)

    def _positions(self, which: Any) -> list[int]:
        width = len(self.columns)
        if isinstance(which, slice):
            first, last = self._position(which.start), self._position(which.stop)
            if isinstance(which.stop, str) and last is not None:
                last += 1  # a slice of names has its last one
            return list(range(width))[slice(first, last, which.step)]
        if isinstance(which, str | int | np.integer):
            which = [which]
        listed = list(which)
        if listed and all(isinstance(one, bool | np.bool_) for one in listed):
            return [at for at, one in enumerate(listed) if one]
        found = [self._position(one) for one in listed]
        return [one % width for one in found if one is not None]

    def _position(self, one: Any) -> int | None:
        if not isinstance(one, str):
            return None if one is None else int(one)
        if self.names is None or one not in self.names:
            msg = f"a part of the pipeline takes the column {one!r}, whose place is not known there"
            raise NotConvertibleError(msg)
        return self.names.index(one)


def joined(blocks: Sequence[Block]) -> Block:
    """Return blocks side by side."""
    return Block(tuple(column for block in blocks for column in block.columns))


def first_block(numbers: Sequence[str], texts: Sequence[str], order: Sequence[str]) -> Block:
    """Return the features as they stand in the inputs, in the order of the frame.

    Args:
        numbers: Names of the columns of `numbers`.
        texts: Names of the columns of `texts`.
        order: All names in the order of the frame.
    """
    place: dict[str, Column] = {name: Number(NUMBERS, at) for at, name in enumerate(numbers)}
    place |= {name: Text(at) for at, name in enumerate(texts)}
    return Block(tuple(place[name] for name in order), tuple(order))


def is_text(column: Number | Lookup) -> bool:
    """Return whether the column follows from a text."""
    return column.tensor == TEXTS
