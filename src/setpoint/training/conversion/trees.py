"""Trees of any library as one ONNX node, exact to the bit: thresholds and leaves stay double, and so do the sums."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from onnx import TensorProto

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.columns import Column
from setpoint.training.conversion.graph import ML, Graph
from setpoint.training.conversion.tree_inputs import tree_inputs
from setpoint.training.conversion.tree_nodes import Nodes
from setpoint.training.trees import Tree

_SUM, _AVERAGE = 1, 0


def ensemble(
    graph: Graph,
    columns: Sequence[Column],
    trees: Sequence[Tree],
    targets: int,
    *,
    average: bool = False,
) -> str:
    """Return a tensor of shape (n, targets): the sums of the trees' leaves, or their average over all trees.

    Raises:
        NotConvertibleError: A column is text.
    """
    tensor, rules = tree_inputs(graph, columns)
    nodes = Nodes()
    for tree in trees:
        nodes.plant(tree, rules)
    return graph.add(
        "TreeEnsemble",
        tensor,
        domain=ML,
        n_targets=targets,
        aggregate_function=_AVERAGE if average else _SUM,
        post_transform=0,
        **nodes.attributes(),
    )


def vector_ensemble(
    graph: Graph, columns: Sequence[Column], trees: Sequence[Tree], leaves: Sequence[Floats]
) -> str:
    """Return a tensor of shape (n, targets): the sums of the trees' leaves, each of which has a number for each target.

    A leaf of the operator adds to one target alone. So each tree says which leaf it was, and a table what that adds.

    Args:
        graph: Takes the nodes.
        columns: The columns.
        trees: Trees whose leaves' values are 0, 1, ….
        leaves: For each tree, its leaves' numbers, shape (leaves, targets).

    Raises:
        NotConvertibleError: A column is text.
    """
    starts = np.cumsum([0, *(len(table) for table in leaves[:-1])])
    numbered = [
        replace(tree, value=tree.value + start, target=at)
        for at, (tree, start) in enumerate(zip(trees, starts.tolist(), strict=True))
    ]
    which = ensemble(graph, columns, numbered, len(numbered))
    rows = graph.add("Cast", which, to=TensorProto.INT64)
    added = graph.add("Gather", graph.constant(np.concatenate(leaves)), rows)
    return graph.add("ReduceSum", added, graph.constant([1], np.int64), keepdims=0)
