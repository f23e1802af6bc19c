"""Columns as one tensor of numbers, for what can take nothing else."""

from collections.abc import Sequence

import numpy as np

from setpoint.training.conversion.columns import NEUTRAL, Column, Lookup, Number
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.lookups import codes_and_rows, looked_up, sources_of
from setpoint.training.conversion.not_convertible import NotConvertibleError


def require_numbers(columns: Sequence[Column]) -> list[Number | Lookup]:
    """Return the columns.

    Raises:
        NotConvertibleError: One is still text.
    """
    found = [column for column in columns if isinstance(column, Number | Lookup)]
    if len(found) != len(columns):
        msg = "a part that takes numbers gets text"
        raise NotConvertibleError(msg)
    return found


def matrix(graph: Graph, columns: Sequence[Column]) -> str:
    """Return a tensor, double of shape (n, number of columns).

    Raises:
        NotConvertibleError: A column is text, or there are none.
    """
    whole = require_numbers(columns)
    if not whole:
        msg = "a part of the pipeline gets no column"
        raise NotConvertibleError(msg)
    numbers = [column for column in whole if isinstance(column, Number)]
    lookups = [column for column in whole if isinstance(column, Lookup)]
    parts = []
    if numbers:
        parts.append(_of_numbers(graph, numbers))
    if lookups:
        parts.append(_of_lookups(graph, lookups))
    if len(parts) == 1:
        return parts[0]
    # The parts stand side by side; put their columns where they belong.
    order = np.argsort(
        np.argsort([isinstance(column, Lookup) for column in whole], kind="stable"), kind="stable"
    )
    return picked(graph, graph.add("Concat", *parts, axis=1), order.tolist(), len(whole))


def picked(graph: Graph, tensor: str, positions: Sequence[int], width: int) -> str:
    """Return these columns of a tensor that has `width` columns; the tensor itself where that is all of them."""
    if list(positions) == list(range(width)):
        return tensor
    return graph.add("Gather", tensor, graph.constant(positions, np.int64), axis=1)


def columns_of(graph: Graph, tensor: str, width: int) -> tuple[Number, ...]:
    """Return the columns of a new tensor of numbers."""
    graph.widths[tensor] = width
    return tuple(Number(tensor, position) for position in range(width))


def filled(graph: Graph, tensor: str, fills: Sequence[float]) -> str:
    """Return a tensor with what stands for missing values in each of its columns; NaN leaves them."""
    if np.all(np.isnan(fills)):
        return tensor
    missing = graph.add("IsNaN", tensor)
    return graph.add("Where", missing, graph.constant([list(fills)]), tensor)


def gathered(graph: Graph, numbers: Sequence[Number]) -> str:
    """Return the columns as they are before filling and steps, side by side."""
    tensors = list(dict.fromkeys(column.tensor for column in numbers))
    if len(tensors) == 1:
        positions = [column.position for column in numbers]
        return picked(graph, tensors[0], positions, graph.widths[tensors[0]])
    parts = []
    for tensor in tensors:
        own = [column.position for column in numbers if column.tensor == tensor]
        parts.append(graph.add("Gather", tensor, graph.constant(own, np.int64), axis=1))
    ranks = [tensors.index(column.tensor) for column in numbers]
    order = np.argsort(np.argsort(ranks, kind="stable"), kind="stable")
    return picked(graph, graph.add("Concat", *parts, axis=1), order.tolist(), len(numbers))


def _of_numbers(graph: Graph, numbers: Sequence[Number]) -> str:
    tensor = filled(graph, gathered(graph, numbers), [column.fill for column in numbers])
    for at in range(max(len(column.steps) for column in numbers)):
        steps = [column.steps[at] if at < len(column.steps) else ("", 0.0) for column in numbers]
        # Columns with other operators at this place meet this one's neutral number: the result is the same to the bit.
        for operator in dict.fromkeys(name for name, _ in steps if name):
            values = [value if name == operator else NEUTRAL[operator] for name, value in steps]
            tensor = graph.add(operator, tensor, graph.constant([values]))
    return tensor


def _of_lookups(graph: Graph, lookups: Sequence[Lookup]) -> str:
    sources = sources_of(lookups)
    own = [
        [column for column in lookups if (column.tensor, column.position) == source]
        for source in sources
    ]
    if all(len(columns) == 1 for columns in own):
        tables = [columns[0].table for columns in own]
        others = [columns[0].other for columns in own]
        found = looked_up(graph, sources, tables, others)
        places = [sources.index((column.tensor, column.position)) for column in lookups]
        return picked(graph, found, places, len(sources))
    pairs = [codes_and_rows(columns) for columns in own]
    codes = looked_up(graph, sources, [codes for codes, _ in pairs], [0] * len(own), np.int64)
    # One long list has every column's numbers by code; a column starts where the one before it ends.
    flat = np.concatenate([rows.T.ravel() for _, rows in pairs])
    starts: list[int] = []
    places = []
    start = 0
    for at, (_, rows) in enumerate(pairs):
        for _ in range(rows.shape[1]):
            starts.append(start)
            places.append(at)
            start += len(rows)
    spread = graph.add("Gather", codes, graph.constant(places, np.int64), axis=1)
    where = graph.add("Add", spread, graph.constant([starts], np.int64))
    found = graph.add("Gather", graph.constant(flat), where)
    given = [column for columns in own for column in columns]
    order = [next(i for i, one in enumerate(given) if one is column) for column in lookups]
    return picked(graph, found, order, len(lookups))
