"""scikit-learn's linear models as weighted sums."""

from typing import Any

import numpy as np

from setpoint.facts.evidence import Floats
from setpoint.training.conversion.answer import Answer
from setpoint.training.conversion.columns import Block
from setpoint.training.conversion.graph import Graph
from setpoint.training.conversion.not_convertible import NotConvertibleError
from setpoint.training.conversion.weighted import mirrored, weighted

_TWO = 2


def linear_regression(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a linear regression answers.

    Raises:
        NotConvertibleError: It has several targets.
    """
    return Answer(_sums(estimator, block, graph, 1), 1, "value")


def log_regression(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a generalised linear model answers whose sums are logarithms, such as Poisson's.

    Raises:
        NotConvertibleError: Its link is another one.
    """
    link = type(estimator._base_loss.link).__name__  # noqa: SLF001  `auto` is resolved there alone
    if link not in ("LogLink", "IdentityLink"):
        msg = f"{type(estimator).__name__} has the link {link}"
        raise NotConvertibleError(msg)
    sums = _sums(estimator, block, graph, 1)
    return Answer(sums, 1, "log" if link == "LogLink" else "value")


def logistic_regression(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a logistic regression answers."""
    classes = len(estimator.classes_)
    if classes == _TWO:
        return Answer(_both(estimator, block, graph), _TWO, "logits")
    return Answer(_sums(estimator, block, graph, classes), classes, "softmax")


def linear_scores(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return the scores of a linear classifier that gives no probabilities; they may be calibrated."""
    classes = len(estimator.classes_)
    width = 1 if classes == _TWO else classes
    return Answer(_sums(estimator, block, graph, width), width, "scores")


def one_against_all(estimator: Any, block: Block, graph: Graph) -> Answer:
    """Return what a linear classifier by stochastic gradient descent answers.

    Probabilities are known for the logistic loss alone; other losses have scores.
    """
    if estimator.loss != "log_loss":
        return linear_scores(estimator, block, graph)
    classes = len(estimator.classes_)
    if classes == _TWO:
        return Answer(_both(estimator, block, graph), _TWO, "logits")
    return Answer(_sums(estimator, block, graph, classes), classes, "each")


def _both(estimator: Any, block: Block, graph: Graph) -> str:
    weights, intercept = _weights(estimator, block, 1)
    return mirrored(graph, block.columns, weights[:, 0], float(intercept[0]))


def _sums(estimator: Any, block: Block, graph: Graph, width: int) -> str:
    return weighted(graph, block.columns, *_weights(estimator, block, width))


def _weights(estimator: Any, block: Block, width: int) -> tuple[Floats, Floats]:
    """Return weights of shape (columns, width) and intercepts of shape (width,)."""
    weights = np.atleast_2d(np.asarray(estimator.coef_, np.float64)).T
    if weights.shape != (len(block.columns), width):
        msg = f"{type(estimator).__name__} has weights of shape {weights.shape}"
        raise NotConvertibleError(msg)
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, np.float64), (width,))
    return weights, intercept
