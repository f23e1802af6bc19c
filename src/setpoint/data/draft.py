"""What a contract is drafted from, and the draft: plain data with remarks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from setpoint.contract.data import Format
from setpoint.data.targets import Target
from setpoint.data.traits import Trait

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Wish:
    """What people say about a table.

    Args:
        name: Name of the model.
        source: `data.source` of the contract.
        target: Column to predict.
        time: Column that says when a row happened, if any.
        key: Column that says whom a row is about, if any; found by its name unless given.
        task: `binary`, `multiclass` or `regression`; told from the target unless given.
    """

    name: str
    source: str
    target: str
    time: str | None = None
    key: str | None = None
    task: str | None = None


@dataclass(frozen=True)
class Draft:
    """A drafted contract.

    Args:
        contract: Plain data, in the contract's order.
        remarks: Remark by dotted path, such as `data.columns.age`.
        notes: What was found and decided, for people.
        rows: Rows of the table.
        left_out: Reason by column that is no input.
    """

    contract: dict[str, Any]
    remarks: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    rows: int = 0
    left_out: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A table under study, with what is known of it.

    Args:
        table: Its rows, in order of time where there is a time column.
        wish: What people say.
        key: The key column, stated or found.
        form: How its cells are read.
        traits: What each column is like, by name.
        target: What the target asks for.
        was_sorted: Whether the rows stood in order of time already.
    """

    table: pa.Table
    wish: Wish
    key: str | None
    form: Format
    traits: Mapping[str, Trait]
    target: Target
    was_sorted: bool

    @property
    def at(self) -> Floats | None:
        """Moment of each row in seconds, where there is a time column."""
        return None if self.wish.time is None else self.traits[self.wish.time].numbers

    @property
    def candidates(self) -> list[Trait]:
        """Columns that could be inputs."""
        named = {self.wish.target, self.wish.time, self.key}
        return [trait for trait in self.traits.values() if trait.name not in named]
