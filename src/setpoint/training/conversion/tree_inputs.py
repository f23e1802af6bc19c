"""The tensor that a tree ensemble takes, and what a column's splits mean there.

Inputs are never prepared for trees. What stands for a missing value decides which way it goes at each split; an encoded
category becomes its code, and a split on one of its columns the set of codes that go left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.columns import Column, Lookup, Number
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.lookups import codes_and_rows, looked_up, sources_of
from setpoint.training.conversion.matrix import columns_of, matrix, require_numbers


@dataclass(frozen=True)
class Rule:
    """Where a column is among the inputs of the ensemble, and what its splits mean there.

    Args:
        position: The input's column.
        fill: What stands for a missing value; NaN where it stays missing.
        values: Where the input is a code, the column's number by code.
    """

    position: int
    fill: float = np.nan
    values: Floats | None = None


def tree_inputs(graph: Graph, columns: Sequence[Column]) -> tuple[str, list[Rule]]:
    """Return the tensor for an ensemble, and a rule for each column.

    Raises:
        NotConvertibleError: A column is text.
    """
    whole = require_numbers(columns)
    plain = [one for one in whole if isinstance(one, Number) and not one.steps]
    stepped = [one for one in whole if isinstance(one, Number) and one.steps]
    lookups = [one for one in whole if isinstance(one, Lookup)]
    tensors = list(dict.fromkeys(one.tensor for one in plain))
    if stepped:
        made = columns_of(graph, matrix(graph, stepped), len(stepped))
        tensors.append(made[0].tensor)
        where = {id(one): new for one, new in zip(stepped, made, strict=True)}
        whole = [where.get(id(one), one) for one in whole]
    starts, width = {}, 0
    for tensor in tensors:
        starts[tensor] = width
        width += graph.widths[tensor]
    encoded, coded = _encoded(graph, lookups, width)
    tensors += encoded
    rules = [
        Rule(starts[one.tensor] + one.position, one.fill)
        if isinstance(one, Number)
        else coded[id(one)]
        for one in whole
    ]
    return tensors[0] if len(tensors) == 1 else graph.add("Concat", *tensors, axis=1), rules


def _encoded(
    graph: Graph, lookups: Sequence[Lookup], start: int
) -> tuple[list[str], dict[int, Rule]]:
    """Return the tensor of the looked-up columns, if there are any, and the rule of each."""
    if not lookups:
        return [], {}
    sources = sources_of(lookups)
    rules: dict[int, Rule] = {}
    tables, others = [], []
    for at, source in enumerate(sources, start=start):
        own = [one for one in lookups if (one.tensor, one.position) == source]
        if len(own) == 1:
            tables.append(own[0].table)
            others.append(own[0].other)
            rules[id(own[0])] = Rule(at)
            continue
        codes, rows = codes_and_rows(own)
        tables.append(codes)
        others.append(0.0)
        rules |= {id(one): Rule(at, values=rows[:, place]) for place, one in enumerate(own)}
    return [looked_up(graph, sources, tables, others)], rules
