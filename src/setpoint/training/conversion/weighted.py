"""Weighted sums of columns, as linear models take them.

Scaling becomes part of the weights, and an encoded category a weight of its own: the sum over one-hot columns is the
sum over the categories' weights.
"""

from collections.abc import Sequence

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.columns import Column, Key, Lookup, Number
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.lookups import Source, looked_up, sources_of
from setpoint.training.conversion.matrix import filled, gathered, require_numbers
from setpoint.training.conversion.not_convertible import NotConvertibleError


def weighted(graph: Graph, columns: Sequence[Column], weights: Floats, intercept: Floats) -> str:
    """Return a tensor of shape (n, sums).

    Args:
        graph: Takes the nodes.
        columns: The columns.
        weights: Shape (columns, sums).
        intercept: Shape (sums,).

    Raises:
        NotConvertibleError: A column is text.
    """
    numbers, lookups, weights, intercept = _sorted(columns, weights, intercept)
    of_numbers, of_lookups = weights[: len(numbers)], weights[len(numbers) :]
    if not lookups:
        tensor, rows = _filled_numbers(graph, numbers, of_numbers)
        return graph.add("Gemm", tensor, graph.constant(rows), graph.constant(intercept))
    found = _of_lookups(graph, lookups, of_lookups)
    if not numbers:
        return graph.add("Add", found, graph.constant([intercept]))
    tensor, rows = _filled_numbers(graph, numbers, of_numbers)
    total = graph.add("Gemm", tensor, graph.constant(rows), graph.constant(intercept))
    return graph.add("Add", total, found)


def mirrored(graph: Graph, columns: Sequence[Column], weights: Floats, intercept: float) -> str:
    """Return a tensor of shape (n, 2): the negative of a sum, and the sum.

    Args:
        graph: Takes the nodes.
        columns: The columns.
        weights: Shape (columns,).
        intercept: What is added.

    Raises:
        NotConvertibleError: A column is text.
    """
    numbers, lookups, column, shift = _sorted(columns, weights[:, None], np.array([intercept]))
    parts, rows = [], []
    if numbers:
        tensor, own = _filled_numbers(graph, numbers, column[: len(numbers)])
        parts.append(tensor)
        rows.append(own)
    if lookups:
        sources, sums = _sums(lookups, column[len(numbers) :])
        tables = [{key: float(total[0]) for key, total in table.items()} for table in sums]
        parts.append(looked_up(graph, sources, tables, [0.0] * len(sources)))
        rows.append(np.ones((len(sources), 1)))
    tensor = parts[0] if len(parts) == 1 else graph.add("Concat", *parts, axis=1)
    signs = np.array([[-1.0, 1.0]])
    both = graph.constant(np.concatenate(rows) * signs)
    return graph.add("Gemm", tensor, both, graph.constant((shift * signs)[0]))


def _sorted(
    columns: Sequence[Column], weights: Floats, intercept: Floats
) -> tuple[list[Number], list[Lookup], Floats, Floats]:
    """Return the numbers, the looked-up columns, and the weights of the ones, then of the others, and the intercept.

    Numbers are then meant before scaling, and looked-up ones without what all other cells have.
    """
    whole = require_numbers(columns)
    if not whole:
        msg = "a linear model gets no column"
        raise NotConvertibleError(msg)
    intercept = np.array(intercept, np.float64)
    order = np.argsort([isinstance(column, Lookup) for column in whole], kind="stable")
    weights = weights[order].copy()
    numbers = [column for column in whole if isinstance(column, Number)]
    lookups = [column for column in whole if isinstance(column, Lookup)]
    for at, number in enumerate(numbers):
        slope, shift = number.line()
        intercept += shift * weights[at]
        weights[at] *= slope
    for at, lookup in enumerate(lookups, start=len(numbers)):
        intercept += lookup.other * weights[at]
    return numbers, lookups, weights, intercept


def _filled_numbers(graph: Graph, numbers: Sequence[Number], weights: Floats) -> tuple[str, Floats]:
    """Return a tensor without missing values, and the weights of its columns."""
    tensors = {column.tensor for column in numbers}
    fills = [column.fill for column in numbers]
    if len(tensors) > 1 or np.isnan(fills).any():
        return filled(graph, gathered(graph, numbers), fills), weights
    (tensor,) = tensors
    width = graph.widths[tensor]
    positions = [column.position for column in numbers]
    if len(set(positions)) < len(positions):
        return filled(graph, gathered(graph, numbers), fills), weights
    # Columns that are not used must not spread their missing values: they become 0, with weight 0.
    all_fills = np.zeros(width)
    all_fills[positions] = fills
    rows = np.zeros((width, weights.shape[1]))
    rows[positions] = weights
    return filled(graph, tensor, all_fills.tolist()), rows


def _sums(
    lookups: Sequence[Lookup], weights: Floats
) -> tuple[list[Source], list[dict[Key, Floats]]]:
    """Return where the cells are, and for each place what a cell adds to the sums, beyond what all others add."""
    sources = sources_of(lookups)
    sums: list[dict[Key, Floats]] = [{} for _ in sources]
    for column, weight in zip(lookups, weights, strict=True):
        table = sums[sources.index((column.tensor, column.position))]
        for key, value in column.table.items():
            table[key] = table.get(key, 0.0) + (value - column.other) * weight
    return sources, sums


def _of_lookups(graph: Graph, lookups: Sequence[Lookup], weights: Floats) -> str:
    sources, sums = _sums(lookups, weights)
    rows = [np.zeros(weights.shape[1])]
    codes: list[dict[Key, float]] = []
    for table in sums:
        codes.append({key: float(len(rows) + at) for at, key in enumerate(table)})
        rows.extend(table.values())
    found = looked_up(graph, sources, codes, [0] * len(sources), np.int64)
    spread = graph.add("Gather", graph.constant(np.array(rows)), found)
    return graph.add("ReduceSum", spread, graph.constant([1], np.int64), keepdims=0)
