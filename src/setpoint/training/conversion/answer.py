"""The end of a classifier or a regression: what its scores become."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.matrix import picked
from setpoint.training.conversion.not_convertible import NotConvertibleError

_LANES = 8  # doubles in the widest registers: an exponential of so many at once takes one way, of fewer another

Link = Literal[
    "share", "logit", "logits", "softmax", "each", "scores", "probabilities", "value", "log"
]


@dataclass(frozen=True)
class Answer:
    """What an estimator says before the last step, and that step.

    Args:
        tensor: Double of shape (n, width).
        width: Its columns.
        link: `share`: the second class's probability; `logit`: its log-odds; `logits`: those of both classes;
            `softmax`: a score for each class; `each`: log-odds of each class against all others, to be brought to a
            sum of 1; `scores`: of a classifier that gives no probabilities; `probabilities`: nothing is left to do;
            `value`: a regression's answer; `log`: its logarithm.
        scale: What log-odds are multiplied by.
    """

    tensor: str
    width: int
    link: Link
    scale: float = 1.0


Answering = Callable[[Any, Block, Graph], Answer]
"""Returns what a fitted estimator answers to columns, as nodes of a graph."""


def probabilities(graph: Graph, answer: Answer, order: Sequence[int] = ()) -> str:
    """Return a tensor of shape (n, classes).

    Args:
        graph: Takes the nodes.
        answer: A classifier's.
        order: Column of each class of the form; empty where they stand in that order.

    Raises:
        NotConvertibleError: It is none.
    """
    if answer.link in ("scores", "value", "log"):
        msg = "an estimator gives no probabilities"
        raise NotConvertibleError(msg)
    if answer.link in ("share", "logit"):
        return _of_two(graph, answer, list(order) or [0, 1])
    if answer.link == "softmax":
        return softmax(graph, answer.tensor, answer.width, order)
    tensor = answer.tensor
    if answer.link == "logits":
        tensor = graph.add("Sigmoid", tensor)
    elif answer.link == "each":
        tensor = brought_to_one(graph, graph.add("Sigmoid", tensor))
    return picked(graph, tensor, list(order) or list(range(answer.width)), answer.width)


def second_share(graph: Graph, answer: Answer) -> str:
    """Return the second of two classes' probability, shape (n, 1).

    Raises:
        NotConvertibleError: It is no classifier's answer.
    """
    if answer.link == "share":
        return answer.tensor
    return picked(graph, probabilities(graph, answer), [1], 2)


def decision(graph: Graph, answer: Answer) -> str:
    """Return what scikit-learn calls the decision function: shape (n, 1) for two classes, else (n, classes).

    Raises:
        NotConvertibleError: It is not known.
    """
    if answer.link == "logits":
        return picked(graph, answer.tensor, [1], answer.width)
    if answer.link in ("logit", "softmax", "each", "scores"):
        return answer.tensor
    msg = "an estimator's decision function is not known"
    raise NotConvertibleError(msg)


def softmax(graph: Graph, tensor: str, width: int, order: Sequence[int] = ()) -> str:
    """Return shares of scores, shape (n, width): the same to the bit, however many rows are asked about at once.

    The scores get neighbours without a share, so that rows are whole registers: the last bit of an exponential shows
    whether its number was among the last few of all rows, which are calculated one by one.

    Args:
        graph: Takes the nodes.
        tensor: Scores, shape (n, width).
        width: Its columns.
        order: Column of each class; empty where they stand in that order.
    """
    lanes = -(-width // _LANES) * _LANES
    beside = graph.constant([0, 0, 0, lanes - width], np.int64)
    padded = graph.add("Pad", tensor, beside, graph.constant(-np.inf)) if lanes > width else tensor
    shares = graph.add("Softmax", padded, axis=1)
    return picked(graph, shares, list(order) or list(range(width)), lanes)


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
