"""Rows of a table as requests: the model's inputs, and the column that names the entity; nothing else of it is sent."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa

from setpoint.client.answer import Tensor
from setpoint.contract.data import ColumnType, Format
from setpoint.data.cells import type_cells
from setpoint.data.conform import require_distinct_names
from setpoint.errors import DataError
from setpoint.load.made_rows import kind_of


def table_rows(table: pa.Table, inputs: Sequence[Tensor], *, key: str) -> list[dict[str, Any]]:
    """Return the rows of a table by column, in the types of the inputs.

    An input that may be null may be missing from the table: it is sent as null.

    Args:
        table: Text columns as a file has them, or typed ones.
        inputs: The model's inputs as the gateway describes them.
        key: Column that names the entity; sent where the table has it. Empty for none.

    Raises:
        DataError: An input is missing, or a cell does not fit its type.
    """
    require_distinct_names(table)
    there = set(table.column_names)
    missing = [
        one.name for one in inputs if one.name not in there and not one.parameters.get("nullable")
    ]
    if missing:
        msg = f"the table lacks {', '.join(missing)}; it has {', '.join(table.column_names)}"
        raise DataError(msg)
    kinds = {one.name: kind_of(one) for one in inputs}
    if key in there:
        kinds[key] = "category"
    nothing = [None] * table.num_rows
    columns = [
        _cells(table, name, kind) if name in there else nothing for name, kind in kinds.items()
    ]
    return [dict(zip(kinds, row, strict=True)) for row in zip(*columns, strict=True)]


def _cells(table: pa.Table, name: str, kind: str) -> list[Any]:
    """Return the values of one column."""
    cells = type_cells(table.column(name), cast("ColumnType", kind), Format())
    if cells.bad.any():
        bad = np.flatnonzero(cells.bad)
        value = table.column(name)[int(bad[0])].as_py()
        msg = (
            f"column {name!r}: {len(bad):,} cells are no {kind}, such as {str(value)[:60]!r}"
            f" in row {int(bad[0]) + 1}"
        )
        raise DataError(msg)
    values: list[Any] = cells.values.to_pylist()
    return values
