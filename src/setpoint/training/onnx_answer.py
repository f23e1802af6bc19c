"""The end of a classifier or a regression: what its scores become."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from setpoint.training.onnx_graph import Graph
from setpoint.training.onnx_matrix import picked

Link = Literal["share", "logit", "logits", "softmax", "each", "probabilities", "value", "log"]


@dataclass(frozen=True)
class Answer:
    """What an estimator says before the last step, and that step.

    Args:
        tensor: Double of shape (n, width).
        width: Its columns.
        link: `share`: the second class's probability; `logit`: its log-odds; `logits`: those of both classes;
            `softmax`: a score for each class; `each`: log-odds of each class against all others, to be brought to a
            sum of 1; `probabilities`: nothing is left to do; `value`: a regression's answer; `log`: its logarithm.
        scale: What log-odds are multiplied by.
    """

    tensor: str
    width: int
    link: Link
    scale: float = 1.0


def probabilities(graph: Graph, answer: Answer, order: Sequence[int] = ()) -> str:
    """Return a tensor of shape (n, classes).

    Args:
        graph: Takes the nodes.
        answer: A classifier's.
        order: Column of each class of the form; empty where they stand in that order.
    """
    if answer.link in ("share", "logit"):
        return _of_two(graph, answer, list(order) or [0, 1])
    tensor = answer.tensor
    if answer.link == "logits":
        tensor = graph.add("Sigmoid", tensor)
    elif answer.link == "softmax":
        tensor = graph.add("Softmax", tensor, axis=1)
    elif answer.link == "each":
        tensor = brought_to_one(graph, graph.add("Sigmoid", tensor))
    return picked(graph, tensor, list(order) or list(range(answer.width)), answer.width)


def brought_to_one(graph: Graph, tensor: str) -> str:
    """Return shares that sum to 1 in each row; a row of zeros becomes equal shares."""
    total = graph.add("ReduceSum", tensor, graph.constant([1], np.int64))
    nothing = graph.add("Equal", total, graph.constant(0.0))
    one = graph.constant(1.0)
    raised = graph.add("Where", nothing, one, tensor)
    return graph.add("Div", raised, graph.add("ReduceSum", raised, graph.constant([1], np.int64)))


def values(graph: Graph, answer: Answer) -> str:
    """Return a regression's answers, shape (n, 1)."""
    return graph.add("Exp", answer.tensor) if answer.link == "log" else answer.tensor


def _of_two(graph: Graph, answer: Answer, order: list[int]) -> str:
    """Return the probabilities of two classes from one column, by one product and at most one node more."""
    signs = np.array([[-1.0, 1.0]])[:, order] * answer.scale
    if answer.link == "logit":
        both = graph.add("Mul", answer.tensor, graph.constant(signs))
        return graph.add("Sigmoid", both)
    ones = np.array([1.0, 0.0])[order]
    return graph.add("Gemm", answer.tensor, graph.constant(signs), graph.constant(ones))
