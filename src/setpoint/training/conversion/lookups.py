"""Numbers that follow from cells by tables, as nodes.

All text columns are looked up at once: each text gets its column's number before it, so that one table serves them all.
That takes two nodes where a table for each column would take two for each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import numpy_helper

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.columns import Key, Lookup
from setpoint.training.conversion.graph import ML, Graph
from setpoint.training.conversion.layout import TEXTS
from setpoint.training.conversion.not_convertible import NotConvertibleError

_MOST_CELLS = 20_000_000  # numbers in one table: 160 MB
_NOT_FOUND = -np.finfo(np.float64).max  # no table holds it

Source = tuple[str, int]
"""A tensor and a position in it: where a cell is."""


def sources_of(columns: Sequence[Lookup]) -> list[Source]:
    """Return where the cells of the columns are, each place once, texts first."""
    places = {(column.tensor, column.position) for column in columns}
    return sorted(places, key=lambda place: (place[0] != TEXTS, place))


def looked_up(
    graph: Graph,
    sources: Sequence[Source],
    tables: Sequence[Mapping[Key, float]],
    others: Sequence[float],
    dtype: Any = np.float64,
) -> str:
    """Return a tensor of shape (n, number of sources): each cell's number.

    Args:
        graph: Takes the nodes.
        sources: The cells, texts first.
        tables: A table for each source.
        others: A number for each source's cells that its table lacks. Whole numbers must be the same for all.
        dtype: float64 or int64.
    """
    texts = sum(tensor == TEXTS for tensor, _ in sources)
    parts = []
    if texts:
        positions = [position for _, position in sources[:texts]]
        parts.append(_of_texts(graph, positions, tables[:texts], others[:texts], dtype))
    for (tensor, position), table, other in zip(
        sources[texts:], tables[texts:], others[texts:], strict=True
    ):
        cell = graph.add("Gather", tensor, graph.constant([position], np.int64), axis=1)
        keys = np.array([float(key) for key in table], np.float64)
        parts.append(_encoder(graph, cell, keys, list(table.values()), other, dtype))
    return parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)


def _of_texts(
    graph: Graph,
    positions: Sequence[int],
    tables: Sequence[Mapping[Key, float]],
    others: Sequence[float],
    dtype: Any,
) -> str:
    cells = TEXTS
    if list(positions) != list(range(graph.texts)):
        cells = graph.add("Gather", TEXTS, graph.constant(positions, np.int64), axis=1)
    prefixes = [""]
    if len(positions) > 1:
        prefixes = [f"{number}:" for number in range(len(positions))]
        cells = graph.add("StringConcat", graph.constant([prefixes], object), cells)
    keys = [
        f"{prefix}{key}" for prefix, table in zip(prefixes, tables, strict=True) for key in table
    ]
    values = [value for table in tables for value in table.values()]
    same = len({repr(float(other)) for other in others}) == 1
    found = _encoder(
        graph, cells, np.array(keys, object), values, others[0] if same else _NOT_FOUND, dtype
    )
    if same:
        return found
    lost = graph.add("Equal", found, graph.constant(_NOT_FOUND))
    return graph.add("Where", lost, graph.constant([list(others)]), found)


def _encoder(
    graph: Graph,
    cells: str,
    keys: npt.NDArray[Any],
    values: Sequence[float],
    other: float,
    dtype: Any,
) -> str:
    if not len(keys):  # an encoder needs a key; this one is never met
        keys = np.array(["\0"], object) if keys.dtype == object else np.array([_NOT_FOUND])
        values = [other]
    return graph.add(
        "LabelEncoder",
        cells,
        domain=ML,
        keys_tensor=numpy_helper.from_array(keys),
        values_tensor=numpy_helper.from_array(np.asarray(values, dtype)),
        default_tensor=numpy_helper.from_array(np.asarray([other], dtype)),
    )


def codes_and_rows(columns: Sequence[Lookup]) -> tuple[dict[Key, float], Floats]:
    """Return a code for each cell of one source, and what the columns say for each code.

    Args:
        columns: Columns that follow from the same cell.

    Returns:
        The code of each cell that has one of its own, all others have code 0; and the numbers by code, shape
        (codes, columns).

    Raises:
        NotConvertibleError: They are too many.
    """
    keys = list(dict.fromkeys(key for column in columns for key in column.table))
    if len(keys) * len(columns) > _MOST_CELLS:
        msg = f"{len(columns)} columns are made of {len(keys)} categories, which is too many"
        raise NotConvertibleError(msg)
    rows = np.empty((len(keys) + 1, len(columns)))
    place = {key: at for at, key in enumerate(keys, start=1)}
    for at, column in enumerate(columns):
        rows[:, at] = column.other
        where = [place[key] for key in column.table]
        rows[where, at] = list(column.table.values())
    code: dict[bytes, int] = {}
    found = [code.setdefault(row.tobytes(), len(code)) for row in rows]
    first = [found.index(one) for one in range(len(code))]
    return {key: float(found[at]) for key, at in place.items()}, rows[first]
