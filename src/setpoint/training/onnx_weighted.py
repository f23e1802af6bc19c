"""Weighted sums of columns, as linear models take them.

Scaling becomes part of the weights, and an encoded category a weight of its own: the sum over one-hot columns is the
sum over the categories' weights.
"""

from collections.abc import Sequence

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.training.not_convertible import NotConvertibleError
from setpoint.training.onnx_columns import Column, Key, Lookup, Number
from setpoint.training.onnx_graph import Graph
from setpoint.training.onnx_lookups import looked_up, sources_of
from setpoint.training.onnx_matrix import filled, gathered, require_numbers


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
    whole = require_numbers(columns)
    intercept = np.array(intercept, np.float64)
    numbers = [column for column in whole if isinstance(column, Number)]
    lookups = [column for column in whole if isinstance(column, Lookup)]
    of_numbers = np.array([isinstance(column, Number) for column in whole], np.bool_)
    found = ""
    if lookups:
        own = weights[~of_numbers]
        # A category that no table names then weighs nothing.
        for lookup, weight in zip(lookups, own, strict=True):
            intercept += lookup.other * weight
        found = _of_lookups(graph, lookups, own)
    if numbers:
        own = weights[of_numbers].copy()
        for at, number in enumerate(numbers):
            slope, shift = number.line()
            intercept += shift * own[at]
            own[at] *= slope
        tensor, rows = _filled_numbers(graph, numbers, own)
        constant = graph.constant(intercept)
        total = graph.add("Gemm", tensor, graph.constant(rows), constant)
        return graph.add("Add", total, found) if found else total
    if not found:
        msg = "a linear model gets no column"
        raise NotConvertibleError(msg)
    return graph.add("Add", found, graph.constant([intercept]))


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


def _of_lookups(graph: Graph, lookups: Sequence[Lookup], weights: Floats) -> str:
    sources = sources_of(lookups)
    sums: list[dict[Key, Floats]] = [{} for _ in sources]
    for column, weight in zip(lookups, weights, strict=True):
        table = sums[sources.index((column.tensor, column.position))]
        for key, value in column.table.items():
            table[key] = table.get(key, 0.0) + (value - column.other) * weight
    axis = graph.constant([1], np.int64)
    if weights.shape[1] == 1:
        tables = [{key: float(total[0]) for key, total in table.items()} for table in sums]
        found = looked_up(graph, sources, tables, [0.0] * len(sources))
        return graph.add("ReduceSum", found, axis)
    rows = [np.zeros(weights.shape[1])]
    codes: list[dict[Key, float]] = []
    for table in sums:
        codes.append({key: float(len(rows) + at) for at, key in enumerate(table)})
        rows.extend(table.values())
    found = looked_up(graph, sources, codes, [0] * len(sources), np.int64)
    spread = graph.add("Gather", graph.constant(np.array(rows)), found)
    return graph.add("ReduceSum", spread, axis, keepdims=0)
